package member

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"orchestra/member/intake"
	"orchestra/member/swarm"
	"orchestra/proto"
)

// menu is what this member asks of the peer: the runs, oldest first, cut into requests of single
// blocks for a foreign client. Guarded by the link's mu.
type menu struct {
	asked  []*asked
	ghosts []ghost // cancelled, and neither rejected nor sent in full yet
	window int     // blocks outstanding at a foreign client at most
	out    int     // blocks outstanding there
	denied int     // blocks that it rejected since one came

	moved    int64 // payload bytes since the core was told last
	reported time.Time
}

// asked is a run on its way.
type asked struct {
	run    swarm.Run
	next   uint32   // where the next block is asked for, in bytes from Begin
	got    uint32   // bytes that came
	seen   []uint64 // by block: came
	lacks  []uint32 // blocks that were rejected, and are not asked for at present
	again  []uint32 // those of them that are to be asked for
	in     *intake.Stream
	taking bool // the reader is taking a piece in
}

type ghost struct {
	run swarm.Run
	at  int64 // bytes of the part up to which it came
}

func newMenu() menu { return menu{window: 16} }

// fetch asks the peer for a run.
func (l *link) fetch(run swarm.Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &asked{run: run, in: l.m.intake.Begin(l.peer, run)}
	l.asked = append(l.asked, a)
	if l.maxRun > 0 {
		a.next = run.Length
		l.queue(proto.Request(run))
		return
	}
	a.seen = make([]uint64, (run.Length/proto.Block+64)/64)
	l.topUp()
}

// setWindow changes how many blocks are kept outstanding.
func (l *link) setWindow(blocks int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.window = blocks
	l.topUp()
}

// topUp asks for blocks until the window is full. Who rejects one block after the other is asked
// for no more of them. Called with mu held.
func (l *link) topUp() {
	limit := min(l.window, l.reqq)
	for _, a := range l.asked {
		for (a.next < a.run.Length || len(a.again) > 0) && l.denied < mostDenied {
			if l.out >= limit {
				return
			}
			at := a.next
			if len(a.again) > 0 {
				at, a.again = a.again[0], a.again[1:]
			} else {
				a.next += a.block(at)
			}
			l.queue(proto.Request{Part: a.run.Part, Begin: a.run.Begin + at, Length: a.block(at)})
			l.out++
		}
	}
}

// mostDenied is how many blocks a foreign client may reject until it is asked for no more.
const mostDenied = 2

// resume asks a foreign client again, also for what it rejected.
func (l *link) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.denied = 0
	for _, a := range l.asked {
		a.again, a.lacks = append(a.again, a.lacks...), nil
	}
	l.topUp()
}

// block is the length of the block at an offset of the run.
func (a *asked) block(at uint32) uint32 { return min(proto.Block, a.run.Length-at) }

// awaits reports whether a block was asked for and neither came nor was rejected.
func (a *asked) awaits(at uint32) bool {
	return at%proto.Block == 0 && at < a.next && !a.has(at) && !slices.Contains(a.lacks, at) && !slices.Contains(a.again, at)
}

// outstanding is how many blocks of the run are awaited.
func (a *asked) outstanding() (n int) {
	for at := uint32(0); at < a.next; at += proto.Block {
		if a.awaits(at) {
			n++
		}
	}
	return n
}

// cancel takes a run back.
func (l *link) cancel(run swarm.Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.asked, func(a *asked) bool { return a.run == run })
	if i < 0 {
		return
	}
	a := l.asked[i]
	l.asked = slices.Delete(l.asked, i, i+1)
	l.drop(a)
	if l.maxRun > 0 {
		rest := min(max(a.got, 1), run.Length-1) // a cancel of the whole run would let it come if it was begun
		l.queue(proto.Cancel{Part: run.Part, Begin: run.Begin + rest, Length: run.Length - rest})
		l.ghosts = append(l.ghosts, ghost{run, int64(run.Begin + a.got)})
		return
	}
	for at := uint32(0); at < a.next; at += proto.Block {
		if a.awaits(at) {
			l.queue(proto.Cancel{Part: run.Part, Begin: run.Begin + at, Length: a.block(at)})
			l.out--
		}
	}
	l.topUp()
}

// recall asks a member to reject a run unless it has begun to send it: it cancels all of it. The
// run stays on the menu until that, or the content, comes.
func (l *link) recall(run swarm.Run) { l.send(proto.Cancel(run)) }

// forgetMenu drops all that was asked for: the peer choked this member.
func (l *link) forgetMenu() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.asked {
		l.drop(a)
	}
	l.asked, l.ghosts, l.out = nil, nil, 0
}

// rejected finds out what a reject is about, and what the core is told of it; nil: nothing. Of a
// run that a foreign client is asked for, one block is rejected: the others may come, so the run
// stays unless there is nothing of it.
func (l *link) rejected(msg proto.Reject) swarm.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.ghosts, func(g ghost) bool {
		return g.run.Part == msg.Part && int64(g.run.Begin)+int64(g.run.Length) == msg.End()
	}); i >= 0 {
		l.ghosts = slices.Delete(l.ghosts, i, i+1)
		return nil
	}
	i := l.covering(msg.Part, msg.Begin)
	if i < 0 {
		return nil
	}
	a := l.asked[i]
	if l.maxRun == 0 {
		at := msg.Begin - a.run.Begin
		if !a.awaits(at) {
			return nil
		}
		l.out--
		l.denied++
		a.lacks = append(a.lacks, at)
		if a.got > 0 || a.taking || a.outstanding() > 0 {
			l.topUp()
			return swarm.Declined{Peer: l.peer, Run: a.run}
		}
	}
	l.asked = slices.Delete(l.asked, i, i+1)
	l.drop(a)
	if l.maxRun == 0 {
		l.topUp()
	}
	return swarm.Rejected{Peer: l.peer, Run: a.run}
}

func (l *link) covering(part, begin uint32) int {
	return slices.IndexFunc(l.asked, func(a *asked) bool {
		return a.run.Part == part && begin >= a.run.Begin && begin-a.run.Begin < a.run.Length
	})
}

func (a *asked) has(at uint32) bool {
	block := at / proto.Block
	return a.seen[block/64]&(1<<(block%64)) != 0
}

// accept finds out what a piece is good for: the run that it belongs to, or nil if it is to be
// thrown away.
func (l *link) accept(msg proto.Piece) (*asked, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.covering(msg.Part, msg.Begin); i >= 0 {
		a := l.asked[i]
		at := msg.Begin - a.run.Begin
		if int64(at)+int64(msg.Length) > int64(a.run.Length) {
			return nil, errors.New("it sent more than it was asked for")
		}
		if l.maxRun > 0 {
			if at == a.got {
				a.taking = true
				return a, nil
			}
		} else if a.awaits(at) && msg.Length == int(a.block(at)) {
			a.taking = true
			return a, nil
		}
	}
	for i, g := range l.ghosts {
		if g.run.Part == msg.Part && g.at == int64(msg.Begin) {
			l.ghosts[i].at += int64(msg.Length)
			if l.ghosts[i].at >= int64(g.run.Begin)+int64(g.run.Length) {
				l.ghosts = slices.Delete(l.ghosts, i, i+1)
			}
			break
		}
	}
	return nil, nil
}

// arrived counts a piece that was taken in and tells whether the run is whole now.
func (l *link) arrived(a *asked, msg proto.Piece) (whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.taking = false
	if l.maxRun == 0 {
		block := (msg.Begin - a.run.Begin) / proto.Block
		a.seen[block/64] |= 1 << (block % 64)
	}
	a.got += uint32(msg.Length)
	i := slices.Index(l.asked, a)
	if i < 0 { // taken back while the piece came in
		l.m.unused.Add(int64(msg.Length))
		a.in.Release()
		return false
	}
	if l.maxRun == 0 {
		l.out--
		l.denied = 0
		l.topUp()
	}
	if a.got < a.run.Length {
		return false
	}
	l.asked = slices.Delete(l.asked, i, i+1)
	return true
}

// drop gives up what came of a run. While the reader takes a piece of it in, the reader does that.
func (l *link) drop(a *asked) {
	l.m.unused.Add(int64(a.got))
	a.in.Abandon()
	if !a.taking {
		a.in.Release()
	}
}

// reportEvery is how often the core is told of the bytes of runs in flight.
const reportEvery = 200 * time.Millisecond

// takePiece reads the content of a piece into the run that it belongs to.
func (l *link) takePiece(ctx context.Context, msg proto.Piece) error {
	a, err := l.accept(msg)
	if err != nil {
		return err
	}
	if a == nil {
		l.m.received.Add(int64(msg.Length))
		l.m.unused.Add(int64(msg.Length))
		return nil
	}
	if a.got == 0 && !l.m.tell(ctx, swarm.Started{Peer: l.peer, Run: a.run}) {
		return ctx.Err()
	}
	l.rein()
	content := &pieceReader{ctx: ctx, link: l, left: msg.Length, run: a.run, whole: a.got + uint32(msg.Length)}
	err = a.in.Read(ctx, content, int64(msg.Begin-a.run.Begin), msg.Length)
	l.expect(1)
	if err != nil {
		a.in.Release()
		l.m.unused.Add(int64(msg.Length - content.left))
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if !l.arrived(a, msg) {
		return nil
	}
	if !l.report(ctx, a.run, a.run.Length) || !l.m.tell(ctx, swarm.Received{Peer: l.peer, Run: a.run}) {
		return ctx.Err()
	}
	return a.in.End(ctx)
}

// pieceReader reads the content of a piece, of which so many bytes are still to come, as fast as
// the download limit lets it.
type pieceReader struct {
	ctx  context.Context
	link *link
	left int
	paid int // bytes that the limit has let pass and that did not come yet

	run   swarm.Run
	whole uint32 // bytes of the run that are here when none of the piece are left
}

// Read reads once, so that what it expects is what is still to come. A piece may take long under a
// limit: the core is told meanwhile that the peer lives, and the link's deadline is put off.
func (r *pieceReader) Read(p []byte) (int, error) {
	p = p[:min(len(p), r.left)]
	if r.paid == 0 {
		n := min(len(p), portion(r.link.m.download))
		if err := wait(r.ctx, r.link.m.download, n, r.held); err != nil {
			return 0, err
		}
		r.paid = n
	}
	p = p[:min(len(p), r.paid)]
	if need := len(p) - r.link.in.Buffered(); need > 0 {
		r.link.expect(min(need, r.link.m.intake.Step()))
	}
	r.link.patient()
	n, err := r.link.in.Read(p)
	r.left -= n
	r.paid -= n
	if n > 0 && !r.link.took(r.ctx, n, r.run, r.whole-uint32(r.left)) {
		return n, r.ctx.Err()
	}
	return n, err
}

// held tells the core now and then that it is not the peer who holds up what it sends.
func (r *pieceReader) held() bool {
	l := r.link
	if time.Since(l.reported) < reportEvery {
		return true
	}
	moved := l.moved
	l.moved, l.reported = 0, time.Now()
	return l.m.tell(r.ctx, swarm.Progress{Peer: l.peer, Down: moved, Run: r.run, Got: r.whole - uint32(r.left), Limited: true})
}

// took counts payload of a run that came, and tells the core of it now and then; got is what is
// here of it.
func (l *link) took(ctx context.Context, n int, run swarm.Run, got uint32) bool {
	l.m.received.Add(int64(n))
	l.moved += int64(n)
	if time.Since(l.reported) < reportEvery {
		return true
	}
	return l.report(ctx, run, got)
}

// report tells the core what came since it was told last.
func (l *link) report(ctx context.Context, run swarm.Run, got uint32) bool {
	moved := l.moved
	l.moved, l.reported = 0, time.Now()
	return moved == 0 || l.m.tell(ctx, swarm.Progress{Peer: l.peer, Down: moved, Run: run, Got: got})
}
