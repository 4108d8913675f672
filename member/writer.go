package member

import (
	"context"
	"errors"
	"net"
	"time"

	"orchestra/member/link"
	"orchestra/member/store"
	"orchestra/proto"
)

// writeLoop sends what the link has to say and to send until it ends.
func (c *connection) writeLoop(ctx context.Context) error {
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	var buf []byte
	for {
		e, ended := c.next(buf[:0])
		if ended {
			return nil
		}
		text := e.Text()
		switch {
		case len(text) > 0:
			buf = text
			if err := c.allow(ctx, e.Given); err != nil {
				return err
			}
			if err := c.write(text); err != nil {
				return err
			}
		case len(e.Pieces) > 0:
			if err := c.sendPieces(ctx, e.Pieces); err != nil {
				return err
			}
		case e.Told != nil:
			if !c.m.tell(ctx, e.Told) {
				return ctx.Err()
			}
		default:
			select {
			case <-c.wake:
			case <-alive.C:
				c.say(proto.KeepAlive{})
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// next takes the next errand; one that is empty means to wait.
func (c *connection) next(buf []byte) (e link.Errand, ended bool) {
	room := link.Room{
		Most: portion(c.m.upload), Alone: !c.m.unchained.Load(),
		Upto: c.m.intake.Here,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil && !(c.parts && c.state.Unsaid()) {
		return e, true
	}
	e = c.state.Next(c.m.now(), room, buf)
	c.setAlarm()
	return e, false
}

func (c *connection) write(p []byte) error {
	c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.outward.Write(p)
	return err
}

// sendPieces sends content, a large piece straight from the file to the socket, small ones gathered
// into one write. What is more than the upload limit lets pass at once goes out in slices.
func (c *connection) sendPieces(ctx context.Context, pieces []proto.Piece) error {
	total := 0
	for _, p := range pieces {
		total += p.Length
	}
	if len(pieces) == 1 && (total > proto.Block || total > portion(c.m.upload)) {
		return c.sendPiece(ctx, pieces[0])
	}
	if err := c.allow(ctx, total); err != nil {
		return err
	}
	sent, err := c.sendBlocks(pieces)
	if err != nil {
		return err
	}
	c.m.uploaded.Add(int64(sent))
	if !c.wentOut(ctx, sent) {
		return ctx.Err()
	}
	return nil
}

// wentOut counts payload that the socket took, and tells the core of it now and then: the peer
// takes it.
func (c *connection) wentOut(ctx context.Context, n int) bool {
	c.mu.Lock()
	ev := c.state.Went(c.m.now(), n)
	c.mu.Unlock()
	return ev == nil || c.m.tell(ctx, ev)
}

// allow waits until the upload limit lets n bytes pass. The core is told that it is not the peer
// who holds them up.
func (c *connection) allow(ctx context.Context, n int) error {
	return wait(ctx, c.m.upload, n, func() bool {
		c.mu.Lock()
		ev := c.state.OutLimited(c.m.now())
		c.mu.Unlock()
		return ev == nil || c.m.tell(ctx, ev)
	})
}

// fit sizes the next pieces by the time that the last one took.
func (c *connection) fit(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Fit(took)
}

// sendPiece writes the header of a piece, then its content as the upload limit lets it pass.
func (c *connection) sendPiece(ctx context.Context, p proto.Piece) error {
	begun := time.Now()
	defer func() { c.fit(time.Since(begun)) }()
	slice := min(p.Length, portion(c.m.upload))
	if err := c.allow(ctx, slice); err != nil {
		return err
	}
	if err := c.m.store.Ready(c.offset(p), int64(p.Length)); err != nil {
		return c.cannotSend(p, err)
	}
	c.holdBack()
	var head [13]byte
	if err := c.sendHead(proto.Append(head[:0], p)); err != nil {
		return err
	}
	for off, left := c.offset(p), p.Length; ; {
		if err := c.sendContent(ctx, off, slice); err != nil {
			if disk := (*store.Error)(nil); errors.As(err, &disk) {
				c.m.doubt(p.Part)
			}
			return err
		}
		c.m.uploaded.Add(int64(slice))
		off, left = off+int64(slice), left-slice
		if slice = min(left, slice); slice == 0 {
			return nil
		}
		if err := c.allow(ctx, slice); err != nil {
			return err
		}
	}
}

// cannotSend rejects what the disk does not give, unless the peer takes no rejection, and has the
// part rechecked: if it is lost, everybody hears of it.
func (c *connection) cannotSend(p proto.Piece, why error) error {
	c.m.doubt(p.Part)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.state.Unsendable(p) {
		return why
	}
	c.settle()
	return nil
}

func (c *connection) offset(p proto.Piece) int64 {
	return int64(p.Part)*c.m.comp.PartSize + int64(p.Begin)
}

// sendBlocks reads blocks into one buffer and writes them with their headers between. It returns
// how many bytes of content it sent.
func (c *connection) sendBlocks(pieces []proto.Piece) (sent int, err error) {
	head := make([]byte, 0, len(pieces)*13)
	total := 0
	for _, p := range pieces {
		total += p.Length
	}
	data := make([]byte, total)
	var out net.Buffers
	for _, p := range pieces {
		if err := c.m.store.ReadAt(data[:p.Length], c.offset(p)); err != nil {
			if err := c.cannotSend(p, err); err != nil {
				return 0, err
			}
			continue
		}
		at := len(head)
		head = proto.Append(head, p)
		out = append(out, head[at:], data[:p.Length])
		data = data[p.Length:]
		sent += p.Length
	}
	c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return sent, c.conn.writeAll(out)
}
