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

// reader is where a reader of the content stands that wants it in order.
type reader struct {
	s      *Swarm
	on     bool // there is one
	at     int  // the next part that it lacks
	told   bool // it tells where it is; until then one is assumed that has read whatever is here
	window int  // in parts
	look   time.Duration
}

func newReader(s *Swarm) reader {
	return reader{s: s, on: s.cfg.Sequential, window: windowOf(s.parts, s.partSize)}
}

// windowOf is how many parts the window has.
func windowOf(parts int, partSize int64) int {
	window := int(min(max(windowBytes/partSize, windowParts), windowMost))
	if partSize > RunSize {
		window = min(window, max(parts/windowShare, 1))
	}
	return window
}

// hurry is how long a run of the part that the reader waits for may be asked for in vain before
// something is done about it; lookAgain is how often that is looked at.
const (
	hurry     = time.Second
	lookAgain = 250 * time.Millisecond
)

// reading moves the window to where the reader is.
func (rd *reader) reading(ev Reading) {
	if rd.on {
		rd.told, rd.at = true, min(int(ev.Part), rd.s.parts)
	}
}

// follow moves the window over what is here, if nobody tells where the reader is.
func (rd *reader) follow() {
	if !rd.on || rd.told {
		return
	}
	for rd.at < rd.s.parts && !rd.s.lacks(uint32(rd.at)) {
		rd.at++
	}
}

// mixed tells whether menus are kept half in order and half rarest first: where a part alone fills
// a menu, all members would want the same one of the first sharer, which has to have something else
// to send that nobody has. Of smaller parts a menu holds several to choose from, and if every peer
// has everything there is nobody to starve.
func (rd *reader) mixed() bool {
	return rd.s.partSize > RunSize && rd.s.links.up > rd.s.links.seeds
}

// ordered tells whether a peer is to be asked for what comes next in order.
func (rd *reader) ordered(p *peer) bool {
	if !rd.on || !rd.mixed() {
		return rd.on
	}
	n := 0
	for _, f := range p.fetches {
		if rd.covers(f.work.part) {
			n++
		}
	}
	return n < rd.s.plan.depth(p)/2
}

// ahead tells whether the rest of a part is not to follow by itself what a peer is asked of it: in
// a mixed menu it waits for its turn.
func (rd *reader) ahead(part uint32) bool {
	return rd.on && rd.mixed() && rd.covers(part) && !rd.s.trust.comesAlone(part)
}

func (rd *reader) covers(part uint32) bool {
	return int(part) >= rd.at && int(part) < rd.at+rd.window
}

// lost moves the window back to a part that was here.
func (rd *reader) lost(part uint32) {
	if rd.on && !rd.told {
		rd.at = min(rd.at, int(part))
	}
}

// inOrder finds the earliest run in the window that the peer can be asked for, be it of a part that
// others send.
func (rd *reader) inOrder(p *peer) (*work, int, bool) {
	end := min(rd.at+rd.window, rd.s.parts)
	part, found := rd.s.rare.first(p, rd.at, end)
	if found {
		end = int(part)
	}
	var begun *work
	for _, w := range rd.s.requests.open {
		at := int(w.part)
		if at < rd.at || at >= end || w.idle == 0 || w.held || rd.s.trust.comesAlone(w.part) ||
			!p.hasPart(w.part) {
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
	return rd.s.requests.begin(part), 0, true
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
func (rd *reader) awaited() *work {
	if !rd.on || rd.at >= rd.s.parts || rd.s.trust.comesAlone(uint32(rd.at)) {
		return nil
	}
	return rd.s.requests.works[uint32(rd.at)]
}

// tend asks a faster peer too for what the reader waits for and a slow one does not send. Who
// sends it first has the others' copy taken back, so little comes twice: only what both are sending
// by then.
func (rd *reader) tend() {
	w := rd.awaited()
	if w == nil || rd.s.now < rd.look {
		return
	}
	rd.look = rd.s.now + lookAgain
	for n := range w.runs {
		r := &w.runs[n]
		if r.here || r.asked > 1 {
			continue
		}
		q, f := rd.s.requests.askedOf(w, n)
		if q != nil && rd.s.now-max(f.asked, f.started) < hurry {
			continue
		}
		if p := rd.s.requests.faster(w.part, q); p != nil {
			rd.s.requests.ask(p, w, n)
		}
	}
}

// due is when the part that the reader waits for is looked at again.
func (rd *reader) due() time.Duration {
	if rd.s.links.up < 2 || rd.awaited() == nil {
		return never
	}
	return rd.look
}

// owes tells whether a peer has kept the reader waiting: it sends of its menu what is spread least,
// which the reader's next part may never be. It is asked for nothing more until it has come to that
// part.
func (rd *reader) owes(p *peer) bool {
	w := rd.awaited()
	if w == nil {
		return false
	}
	for _, f := range p.fetches {
		if f.work == w && f.started == 0 && rd.s.now-f.asked >= hurry {
			return true
		}
	}
	return false
}
