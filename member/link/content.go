package link

import (
	"errors"
	"slices"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// The content of pieces on its way in. A piece is heard, then bytes of it are taken, until it
// arrived.

// piece is the piece that was heard last, while its content comes.
type piece struct {
	proto.Piece
	of   *Asked // nil: it goes nowhere
	took int    // bytes of it that were taken
}

// Coming tells where the content of the piece that was heard last goes: into a run, from an offset
// of it on; nil: nowhere.
func (l *Link) Coming() (a *Asked, at int64) {
	if a = l.piece.of; a != nil {
		at = int64(l.piece.Begin - a.Run.Begin)
	}
	return a, at
}

// accept finds out what a piece is good for.
func (l *Link) accept(p proto.Piece) error {
	a, err := l.belongs(p)
	if err != nil {
		return err
	}
	if a == nil {
		return l.pass(p)
	}
	l.piece = piece{Piece: p, of: a}
	a.taking = true
	if a.got == 0 {
		l.tell(swarm.Started{Peer: l.cfg.Peer, Run: a.Run})
	}
	return nil
}

// belongs finds the run that a piece belongs to; nil: it is to be thrown away.
func (l *Link) belongs(p proto.Piece) (*Asked, error) {
	i := l.covering(p.Part, p.Begin)
	if i < 0 {
		return nil, nil
	}
	if l.ghost(p) >= 0 {
		return nil, nil // it was asked for again meanwhile, and all of that will come
	}
	a := l.asked[i]
	at := p.Begin - a.Run.Begin
	switch {
	case int64(at)+int64(p.Length) > int64(a.Run.Length):
		return nil, errors.New("it sent more than it was asked for")
	case l.cfg.MaxRun > 0 && at == a.got:
		return a, nil
	case l.cfg.MaxRun == 0 && a.awaits(at) && p.Length == int(a.block(at)):
		return a, nil
	}
	return nil, nil
}

// pass lets a piece go by that is good for nothing.
func (l *Link) pass(p proto.Piece) error {
	l.piece = piece{}
	if !l.unasked(p.Length) {
		return errUnasked // and nobody reads it
	}
	l.wasted += int64(p.Length)
	i := l.ghost(p)
	if i < 0 {
		return nil
	}
	g := &l.ghosts[i]
	l.haunt(*g)
	if g.at += int64(p.Length); g.at >= int64(g.run.Begin)+int64(g.run.Length) {
		l.ghosts = slices.Delete(l.ghosts, i, i+1)
	}
	return nil
}

// haunt tells that the peer answers for a run that was cancelled: it begins to send it, or rejects
// it.
func (l *Link) haunt(g ghost) {
	if g.at == int64(g.run.Begin) {
		l.tell(swarm.Belated{Peer: l.cfg.Peer, Run: g.run})
	}
}

// ghost finds the run that was cancelled and that a piece is the next one of; -1: none.
func (l *Link) ghost(p proto.Piece) int {
	return slices.IndexFunc(l.ghosts, func(g ghost) bool {
		return g.run.Part == p.Part && g.at == int64(p.Begin)
	})
}

// Took counts n bytes of the content that is coming, and returns what is to be told now.
func (l *Link) Took(now time.Duration, n int) []Event {
	l.told = l.told[:0]
	l.piece.took += n
	l.moved += int64(n)
	if now-l.movedAt >= swarm.ReportEvery {
		l.reportIn(now, false)
	}
	return l.told
}

// InLimited tells now and then that it is not the peer who holds up the content that is coming.
func (l *Link) InLimited(now time.Duration) []Event {
	l.told = l.told[:0]
	if now-l.movedAt >= swarm.ReportEvery {
		l.reportIn(now, true)
	}
	return l.told
}

// reportIn tells what came since that was told last.
func (l *Link) reportIn(now time.Duration, limited bool) {
	moved := l.moved
	l.moved, l.movedAt = 0, now
	if a := l.piece.of; a != nil && (moved > 0 || limited) {
		got := a.got + uint32(l.piece.took)
		l.tell(swarm.Progress{
			Peer: l.cfg.Peer, Down: moved, Run: a.Run, Got: got,
			Limited: limited,
		})
	}
}

// A Fate is what a piece that arrived means for its run.
type Fate int

// The fates.
const (
	More  Fate = iota // more of the run follows
	Whole             // all of it came
	Gone              // the run was given up while the piece came
)

// Arrived ends a piece whose content was taken in full.
func (l *Link) Arrived(now time.Duration) (Fate, []Event) {
	l.told = l.told[:0]
	p := l.piece
	a := p.of
	a.taking = false
	l.earns(p.Length, int64(a.Run.Length))
	if l.cfg.MaxRun == 0 {
		block := (p.Begin - a.Run.Begin) / proto.Block
		a.seen[block/64] |= 1 << (block % 64)
	}
	i := slices.Index(l.asked, a)
	if i >= 0 && a.got+uint32(p.Length) == a.Run.Length {
		l.reportIn(now, false)
	}
	l.piece = piece{}
	a.got += uint32(p.Length)
	if i < 0 {
		l.wasted += int64(p.Length)
		return Gone, l.told
	}
	if l.cfg.MaxRun == 0 {
		l.out--
		l.denied = 0
		l.topUp()
	}
	if a.got < a.Run.Length {
		return More, l.told
	}
	l.asked = slices.Delete(l.asked, i, i+1)
	l.tell(swarm.Received{Peer: l.cfg.Peer, Run: a.Run})
	return Whole, l.told
}

// Taking reports whether a piece of the run is coming now.
func (a *Asked) Taking() bool { return a.taking }
