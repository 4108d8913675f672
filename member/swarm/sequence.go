package swarm

import (
	"math/bits"
	"time"
)

// The window ahead of the reader, within which parts are asked for in order. The smaller it is, the
// less the members have for each other, but the fewer of them ask for what the reader needs next:
// if all of 50 members read, one of 32 parts brings them the first half of the content after 0.59
// of the time and the whole a sixth later than rarest first, one of 64 parts after 0.57 and a
// little later still, one of 16 parts brings no order. The most bounds a pick where parts are tiny:
// it looks at 64 of them at a time. Of parts that fill a menu alone the window is a small share of
// the content, see mixed.
const (
	windowParts = 32
	windowBytes = 8 << 20
	windowMost  = 1024
	windowShare = 8
)

// sequence is where a reader of the content stands that wants it in order.
type sequence struct {
	at     int  // the next part that the reader lacks
	told   bool // a reader tells where it is; until then one is assumed that has read whatever is here
	window int  // in parts
	look   time.Duration
}

func newSequence(parts int, partSize int64) *sequence {
	window := int(min(max(windowBytes/partSize, windowParts), windowMost))
	if partSize > RunSize {
		window = min(window, max(parts/windowShare, 1))
	}
	return &sequence{window: window}
}

// hurry is how long a run of the part that the reader waits for may be asked for in vain before
// something is done about it; lookAgain is how often that is looked at.
const (
	hurry     = time.Second
	lookAgain = 250 * time.Millisecond
)

// reading moves the window to where the reader is.
func (s *Swarm) reading(ev Reading) {
	if s.seq != nil {
		s.seq.told, s.seq.at = true, min(int(ev.Part), s.parts)
	}
}

// follow moves the window over what is here, if nobody tells where the reader is.
func (s *Swarm) follow() {
	if s.seq == nil || s.seq.told {
		return
	}
	for s.seq.at < s.parts && !s.lacks(uint32(s.seq.at)) {
		s.seq.at++
	}
}

// mixed tells whether menus are kept half in order and half rarest first: where a part alone fills
// a menu, all members would want the same one of the first sharer, which has to have something else
// to send that nobody has. Of smaller parts a menu holds several to choose from, and if every peer
// has everything there is nobody to starve.
func (s *Swarm) mixed() bool { return s.cfg.PartSize > RunSize && s.links > s.seeds }

// ordered tells whether a peer is to be asked for what comes next in order.
func (s *Swarm) ordered(p *peer) bool {
	if s.seq == nil || !s.mixed() {
		return s.seq != nil
	}
	n := 0
	for _, f := range p.fetches {
		if s.seq.covers(f.work.part) {
			n++
		}
	}
	return n < s.depth(p)/2
}

// ahead tells whether the rest of a part is not to follow by itself what a peer is asked of it: in
// a mixed menu it waits for its turn.
func (s *Swarm) ahead(part uint32) bool {
	return s.seq != nil && s.mixed() && s.seq.covers(part) && !s.comesAlone(part)
}

func (q *sequence) covers(part uint32) bool { return int(part) >= q.at && int(part) < q.at+q.window }

// inOrder finds the earliest run in the window that the peer can be asked for, be it of a part that
// others send.
func (s *Swarm) inOrder(p *peer) (*work, int, bool) {
	end := min(s.seq.at+s.seq.window, s.parts)
	part, found := s.rare.first(p, s.seq.at, end)
	if found {
		end = int(part)
	}
	var begun *work
	for _, w := range s.open {
		at := int(w.part)
		if at < s.seq.at || at >= end || w.idle == 0 || s.comesAlone(w.part) || !p.hasPart(w.part) {
			continue
		}
		begun, end = w, at
	}
	if begun != nil {
		if n, ok := begun.free(); ok {
			return begun, n, true
		}
	}
	if !found {
		return nil, 0, false
	}
	return s.begin(part), 0, true
}

// first finds the first free part from one on, up to another, that the peer has.
func (r *rarity) first(p *peer, from, to int) (uint32, bool) {
	if from >= to || (!p.all && p.has == nil) {
		return 0, false
	}
	for w := from / 64; w*64 < to; w++ {
		x := word(r.free, w)
		if !p.all {
			x &= word(p.has, w)
		}
		if w == from/64 {
			x &= ^uint64(0) >> (from % 64)
		}
		if x != 0 {
			part := w*64 + bits.LeadingZeros64(x)
			return uint32(part), part < to
		}
	}
	return 0, false
}

// awaited is the part on its way that the reader waits for, if there is one.
func (s *Swarm) awaited() *work {
	if s.seq == nil || s.seq.at >= s.parts || s.comesAlone(uint32(s.seq.at)) {
		return nil
	}
	return s.works[uint32(s.seq.at)]
}

// hasten asks a faster peer too for what the reader waits for and a slow one does not send. Who
// sends it first has the others' copy taken back, so little comes twice: only what both are sending
// by then.
func (s *Swarm) hasten() {
	w := s.awaited()
	if w == nil || s.now < s.seq.look {
		return
	}
	s.seq.look = s.now + lookAgain
	for n := range w.runs {
		r := &w.runs[n]
		if r.here || r.asked > 1 {
			continue
		}
		q, f := s.askedOf(w, n)
		if q != nil && s.now-max(f.asked, f.started) < hurry {
			continue
		}
		if p := s.faster(w.part, q); p != nil {
			s.ask(p, w, n)
		}
	}
}

// nextHaste is when the part that the reader waits for is looked at again.
func (s *Swarm) nextHaste() time.Duration {
	if s.links < 2 || s.awaited() == nil {
		return never
	}
	return s.seq.look
}

// askedOf finds the peer that is asked for a run.
func (s *Swarm) askedOf(w *work, n int) (*peer, *fetch) {
	for _, q := range s.peers {
		if q == nil {
			continue
		}
		if i := q.find(s.runOf(w, n)); i >= 0 {
			return q, q.fetches[i]
		}
	}
	return nil, nil
}

// faster finds the fastest peer that has a part, if it is at least twice as fast as the one that is
// asked for it.
func (s *Swarm) faster(part uint32, than *peer) *peer {
	var best *peer
	least := -1.0
	if than != nil {
		least = 2 * than.down.bytesPerSecond(s.now)
	}
	for _, p := range s.peers {
		if p == nil || p == than || p.choked || p.off || !p.hasPart(part) || len(p.fetches) >= 2*s.depth(p) {
			continue
		}
		if rate := p.down.bytesPerSecond(s.now); rate > least {
			best, least = p, rate
		}
	}
	return best
}

// owes tells whether a peer has kept the reader waiting: it sends of its menu what is spread least,
// which the reader's next part may never be. It is asked for nothing more until it has come to that
// part.
func (s *Swarm) owes(p *peer) bool {
	w := s.awaited()
	if w == nil {
		return false
	}
	for _, f := range p.fetches {
		if f.work == w && f.started == 0 && s.now-f.asked >= hurry {
			return true
		}
	}
	return false
}
