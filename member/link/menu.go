package link

import (
	"slices"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// menu is what this member asks of the peer: the runs, oldest first, cut into requests of single
// blocks for a foreign client.
type menu struct {
	asked  []*Asked
	ghosts []ghost // cancelled, and neither rejected nor sent in full yet
	window int     // blocks outstanding at a foreign client at most
	out    int     // blocks outstanding there
	denied int     // blocks that it rejected since one came

	dropped []*Asked // given up, and not taken from here yet
	wasted  int64    // bytes that came for nothing, and were not counted yet
}

// Asked is a run on its way.
type Asked struct {
	Run swarm.Run
	// Into is what its content goes into. It belongs to whoever takes that in; nil until then.
	Into any

	next   uint32   // where the next block is asked for, in bytes from Begin
	got    uint32   // bytes that came
	seen   []uint64 // by block: came
	lacks  []uint32 // blocks that were rejected, and are not asked for at present
	again  []uint32 // those of them that are to be asked for
	taking bool     // a piece of it is coming
}

type ghost struct {
	run swarm.Run
	at  int64 // bytes of the part up to which it came
}

const (
	// mostDenied is how many blocks a foreign client may reject until it is asked for no more.
	mostDenied = 2
	// mostGhosts are remembered, the last ones, of a peer that answers no cancel.
	mostGhosts = 1024
)

func newMenu() menu { return menu{window: swarm.WindowFirst} }

// Dropped takes the runs that were given up: what came of them leads to nothing.
func (l *Link) Dropped() (list []*Asked) {
	list, l.dropped = l.dropped, nil
	return list
}

// Wasted takes the count of the bytes that came for nothing: after their run was given up, or of a
// run that was given up later.
func (l *Link) Wasted() (n int64) {
	n, l.wasted = l.wasted, 0
	return n
}

// fetch asks the peer for a run.
func (l *Link) fetch(run swarm.Run) {
	a := &Asked{Run: run}
	l.asked = append(l.asked, a)
	if l.cfg.MaxRun > 0 {
		a.next = run.Length
		l.Say(proto.Request(run))
		return
	}
	a.seen = make([]uint64, (run.Length/proto.Block+64)/64)
	l.topUp()
}

// setWindow changes how many blocks are kept outstanding.
func (l *Link) setWindow(blocks int) {
	l.window = blocks
	l.topUp()
}

// topUp asks for blocks until the window is full. Who rejects one block after the other is asked
// for no more of them.
func (l *Link) topUp() {
	limit := min(l.window, l.cfg.Reqq)
	for _, a := range l.asked {
		for (a.next < a.Run.Length || len(a.again) > 0) && l.denied < mostDenied {
			if l.out >= limit {
				return
			}
			at := a.next
			if len(a.again) > 0 {
				at, a.again = a.again[0], a.again[1:]
			} else {
				a.next += a.block(at)
			}
			l.Say(proto.Request{Part: a.Run.Part, Begin: a.Run.Begin + at, Length: a.block(at)})
			l.out++
		}
	}
}

// resume asks a foreign client again, also for what it rejected.
func (l *Link) resume() {
	l.denied = 0
	for _, a := range l.asked {
		a.again, a.lacks = append(a.again, a.lacks...), nil
	}
	l.topUp()
}

// block is the length of the block at an offset of the run.
func (a *Asked) block(at uint32) uint32 { return min(proto.Block, a.Run.Length-at) }

// awaits reports whether a block was asked for and neither came nor was rejected.
func (a *Asked) awaits(at uint32) bool {
	return at%proto.Block == 0 && at < a.next && !a.has(at) && !slices.Contains(a.lacks, at) &&
		!slices.Contains(a.again, at)
}

func (a *Asked) has(at uint32) bool {
	block := at / proto.Block
	return a.seen[block/64]&(1<<(block%64)) != 0
}

// outstanding is how many blocks of the run are awaited.
func (a *Asked) outstanding() (n int) {
	for at := uint32(0); at < a.next; at += proto.Block {
		if a.awaits(at) {
			n++
		}
	}
	return n
}

// cancel takes a run back.
func (l *Link) cancel(run swarm.Run) {
	i := slices.IndexFunc(l.asked, func(a *Asked) bool { return a.Run == run })
	if i < 0 {
		return
	}
	a := l.asked[i]
	l.asked = slices.Delete(l.asked, i, i+1)
	l.drop(a)
	l.owed += int64(run.Length - a.got)
	if l.cfg.MaxRun > 0 {
		// A cancel of the whole run would let it come if it was begun.
		rest := min(max(a.got, 1), run.Length-1)
		l.Say(proto.Cancel{Part: run.Part, Begin: run.Begin + rest, Length: run.Length - rest})
		at := int64(run.Begin + a.got)
		if l.piece.of == a {
			at = l.piece.End()
		}
		if at == int64(run.Begin)+int64(run.Length) {
			return
		}
		if len(l.ghosts) == mostGhosts {
			l.ghosts = slices.Delete(l.ghosts, 0, 1)
		}
		l.ghosts = append(l.ghosts, ghost{run, at})
		return
	}
	for at := uint32(0); at < a.next; at += proto.Block {
		if a.awaits(at) {
			l.Say(proto.Cancel{Part: run.Part, Begin: run.Begin + at, Length: a.block(at)})
			l.out--
		}
	}
	l.topUp()
}

// recall asks a member to reject a run unless it has begun to send it: it cancels all of it. The
// run stays on the menu until that, or the content, comes.
func (l *Link) recall(run swarm.Run) { l.Say(proto.Cancel(run)) }

// forget drops all that was asked for: the peer choked this member.
func (l *Link) forget() {
	for _, a := range l.asked {
		l.drop(a)
		l.owed += int64(a.Run.Length - a.got)
	}
	l.asked, l.ghosts, l.out = nil, nil, 0
}

// drop gives up what came of a run.
func (l *Link) drop(a *Asked) {
	l.wasted += int64(a.got)
	l.dropped = append(l.dropped, a)
}

// End gives up all that was asked for: the link ends.
func (l *Link) End() {
	l.forget()
	l.wasted += int64(l.piece.took)
	l.piece = piece{}
}

// rejected finds out what a reject is about. Of a run that a foreign client is asked for, one block
// is rejected: the others may come, so the run stays unless there is nothing of it.
func (l *Link) rejected(msg proto.Reject) {
	if i := slices.IndexFunc(l.ghosts, func(g ghost) bool {
		return g.run.Part == msg.Part && int64(g.run.Begin)+int64(g.run.Length) == msg.End()
	}); i >= 0 {
		g := l.ghosts[i]
		l.ghosts = slices.Delete(l.ghosts, i, i+1)
		l.haunt(g)
		return
	}
	i := l.covering(msg.Part, msg.Begin)
	if i < 0 {
		return
	}
	a := l.asked[i]
	if l.cfg.MaxRun == 0 {
		at := msg.Begin - a.Run.Begin
		if !a.awaits(at) {
			return
		}
		l.out--
		l.denied++
		a.lacks = append(a.lacks, at)
		if a.got > 0 || a.taking || a.outstanding() > 0 {
			l.topUp()
			l.tell(swarm.Declined{Peer: l.cfg.Peer, Run: a.Run})
			return
		}
	}
	l.asked = slices.Delete(l.asked, i, i+1)
	l.drop(a)
	if l.cfg.MaxRun == 0 {
		l.topUp()
	}
	l.tell(swarm.Rejected{Peer: l.cfg.Peer, Run: a.Run})
}

// covering finds the run on the menu that has a byte of a part; -1: none.
func (l *Link) covering(part, begin uint32) int {
	return slices.IndexFunc(l.asked, func(a *Asked) bool {
		return a.Run.Part == part && begin >= a.Run.Begin && begin-a.Run.Begin < a.Run.Length
	})
}
