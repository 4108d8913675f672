package member

import (
	"context"
	"io"
	"time"

	"orchestra/member/intake"
	"orchestra/member/link"
	"orchestra/proto"
)

// readLoop takes the peer's messages in until the link ends. What comes in one read goes to the
// loop together.
func (c *connection) readLoop(ctx context.Context) error {
	if c.first != nil {
		if err := c.handle(ctx, c.first); err != nil {
			return err
		}
	}
	for {
		if !c.in.Ready() {
			if err := c.tell(ctx, c.flush()); err != nil {
				return err
			}
			c.patient()
		}
		msg, err := c.in.Next()
		if err != nil {
			return err
		}
		if err := c.handle(ctx, msg); err != nil {
			return err
		}
	}
}

// patient lets the peer be silent for a while from now on. The reader alone calls it.
func (c *connection) patient() {
	now := time.Now()
	if c.heard = now; c.deadline.Sub(now) < silenceTimeout-10*time.Second {
		c.deadline = now.Add(silenceTimeout)
		c.conn.SetReadDeadline(c.deadline)
	}
}

// tell brings the loop what a message means.
func (c *connection) tell(ctx context.Context, events []link.Event) error {
	for _, ev := range events {
		if !c.m.tell(ctx, ev) {
			return ctx.Err()
		}
	}
	return nil
}

func (c *connection) flush() []link.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Flush()
}

func (c *connection) hear(msg proto.Message) ([]link.Event, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	events, err := c.state.Hear(c.m.now(), msg)
	c.settle()
	return events, err
}

func (c *connection) handle(ctx context.Context, msg proto.Message) error {
	events, wrong := c.hear(msg)
	if err := c.tell(ctx, events); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	if p, ok := msg.(proto.Piece); ok {
		return c.takePiece(ctx, p)
	}
	return nil
}

// coming tells where the piece that was heard goes; nil: nowhere.
func (c *connection) coming() (in *intake.Stream, at int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, at := c.state.Coming()
	if a == nil {
		return nil, 0
	}
	if a.Into == nil {
		a.Into = c.m.intake.Begin(c.peer, a.Run)
	}
	return a.Into.(*intake.Stream), at
}

func (c *connection) arrived() (link.Fate, []link.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fate, events := c.state.Arrived(c.m.now())
	c.settle()
	return fate, events
}

// takePiece reads the content of a piece into the run that it belongs to.
func (c *connection) takePiece(ctx context.Context, p proto.Piece) error {
	in, at := c.coming()
	if in == nil { // what is not read here is passed over
		c.m.received.Add(int64(p.Length))
		return nil
	}
	c.rein()
	err := in.Read(ctx, &pieceReader{ctx: ctx, c: c, left: p.Length}, at, p.Length)
	c.expect(1)
	if err != nil {
		in.Release()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	fate, events := c.arrived()
	if err := c.tell(ctx, events); err != nil {
		return err
	}
	switch fate {
	case link.Whole:
		return in.End(ctx)
	case link.Gone:
		in.Release()
	}
	return nil
}

// pieceReader reads the content of a piece, of which so many bytes are still to come, as fast as
// the download limit lets it.
type pieceReader struct {
	ctx  context.Context
	c    *connection
	left int
	paid int // bytes that the limit has let pass and that did not come yet
}

// Read reads once, so that what it expects is what is still to come. A piece may take long under a
// limit: the core is told meanwhile that the peer lives, and the link's deadline is put off.
func (r *pieceReader) Read(p []byte) (int, error) {
	c := r.c
	p = p[:min(len(p), r.left)]
	if r.paid == 0 {
		n := min(len(p), portion(c.m.download))
		if err := wait(r.ctx, c.m.download, n, r.limited); err != nil {
			return 0, err
		}
		r.paid = n
	}
	p = p[:min(len(p), r.paid)]
	if need := len(p) - c.in.Buffered(); need > 0 {
		c.expect(min(need, c.m.intake.Step()))
	}
	c.patient()
	n, err := c.in.Read(p)
	r.left -= n
	r.paid -= n
	if n > 0 {
		if err := c.tell(r.ctx, c.took(n)); err != nil {
			return n, err
		}
	}
	return n, err
}

// limited tells the core now and then that it is not the peer who holds up what it sends.
func (r *pieceReader) limited() bool {
	c := r.c
	c.mu.Lock()
	events := c.state.InLimited(c.m.now())
	c.mu.Unlock()
	return c.tell(r.ctx, events) == nil
}

// took counts content that came, and returns what the core is told of that now and then.
func (c *connection) took(n int) []link.Event {
	c.m.received.Add(int64(n))
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Took(c.m.now(), n)
}
