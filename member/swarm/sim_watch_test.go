package swarm_test

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"orchestra/member/link"
	. "orchestra/member/swarm"
	"orchestra/proto"
)

// What must be true of a swarm, whatever befalls it.
const (
	// stillMost is how long a member may get nothing while somebody could send it what it lacks and
	// nothing is in the way.
	stillMost = 15 * time.Second
	// tellMost is how long a member may take to say that it has a part, or has it no more.
	tellMost = 3 * time.Second
	// holdEvery is after how many steps of a core it is looked at in full.
	holdEvery = 16
	lookEvery = time.Second
)

// watch looks at all that is done in a simulation with faults, and says what is wrong.
type watch struct {
	s     *sim
	wrong []string
	steps int
	still time.Duration // the longest that a member got nothing that it could
}

// sight is what is seen of a member.
type sight struct {
	contract *Contract
	met      map[proto.PeerID]bool    // those that it was told of
	stored   map[uint32]time.Duration // by part that is right on its disk: since when
	lost     map[uint32]time.Duration // by part that is not any more: since when
	suspect  bool                     // its disk had bad parts: it may be blamed
	good     int64                    // bytes of content that came and are right
	goodThen int64                    // as many when it was looked at last
	still    time.Duration            // since when it gets nothing that it could
}

// honest reports whether a member means well, and does well.
func (p *player) honest() bool { return p.ill == well && !p.rogue && !p.lies }

// fit reports whether nothing is wrong with a member now.
func (p *player) fit() bool {
	return p.runs() && !p.frozen && !p.stuck && p.slow <= 1 && p.slowed == 0
}

func (w *watch) breach(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf("at %v ", w.s.now)+fmt.Sprintf(format, args...))
}

func (w *watch) failed() bool { return len(w.wrong) > 0 }

// keeps notes that a part is right on a member's disk.
func (p *player) keeps(part uint32) {
	if p.stored == nil {
		p.stored, p.lost = map[uint32]time.Duration{}, map[uint32]time.Duration{}
	}
	delete(p.lost, part)
	if p.stored[part] == 0 {
		p.stored[part] = max(p.sim.now, 1)
	}
}

// loses notes that it is not any more.
func (p *player) loses(part uint32) {
	if p.stored[part] > 0 {
		delete(p.stored, part)
		p.lost[part] = max(p.sim.now, 1)
	}
}

// starts begins to look at a core.
func (w *watch) starts(p *player) {
	if w != nil {
		p.contract = NewContract(p.core)
		p.met = map[proto.PeerID]bool{}
	}
}

// tells takes in that a core is told something.
func (w *watch) tells(p *player, ev Event) {
	if w == nil {
		return
	}
	p.contract.Tell(ev)
	switch ev := ev.(type) {
	case Found:
		p.met[ev.ID] = true
	case Gone:
		delete(p.met, ev.ID)
	}
}

// asks looks at what a core asks for.
func (w *watch) asks(p *player, e Effect) {
	if w == nil {
		return
	}
	if err := p.contract.Asks(e); err != nil {
		w.breach("member %d %v", p.n, err)
	}
	if peer, ok := link.Of(e); ok && (peer >= len(p.ends) || p.ends[peer] == nil) {
		w.breach("member %d wants %T%+v of a link that is gone", p.n, e, e)
	}
	claims := func(part uint32) {
		if p.stored[part] == 0 {
			w.breach("member %d says that it has part %d, which is not right on its disk", p.n, part)
		}
	}
	switch e := e.(type) {
	case Announce:
		claims(e.Part)
	case Offer:
		for part := range uint32(p.core.Parts()) {
			if e.All || e.Bits != nil && e.Bits[part>>3]&(0x80>>(part&7)) != 0 {
				claims(part)
			}
		}
	case CutOff:
		if q := w.s.playerAt(netip.AddrPortFrom(e.Addr.Addr(), 10001)); q.honest() && !q.suspect {
			w.breach("member %d cuts %d off, which did nothing wrong", p.n, q.n)
		}
	}
}

// stepped looks at a core now and then.
func (w *watch) stepped(p *player) {
	if w == nil {
		return
	}
	if w.steps++; w.steps%holdEvery == 0 && !w.failed() {
		w.holds(p)
	}
}

func (w *watch) holds(p *player) {
	if err := p.core.Holds(func(uint32) bool { return false }); err != nil {
		w.breach("member %d: %v", p.n, err)
	}
}

// came counts content that came.
func (w *watch) came(p *player, q *quantum) {
	if w != nil && !q.bad {
		p.good += int64(q.bytes)
	}
}

// look looks at the whole swarm.
func (w *watch) look() {
	w.s.tendLinks()
	for _, p := range w.s.players {
		if !p.honest() || !p.fit() {
			p.still = 0
			continue
		}
		w.moves(p)
		w.believes(p)
	}
}

// moves checks that a member does not stand still while somebody could send it what it lacks.
func (w *watch) moves(p *player) {
	s := w.s
	from := slices.IndexFunc(s.players, func(q *player) bool { return w.couldSend(q, p) })
	if from < 0 || p.good > p.goodThen || p.still == 0 {
		p.still = s.now
	}
	w.still = max(w.still, s.now-p.still)
	if p.goodThen = p.good; s.now-p.still > stillMost {
		w.breach("member %d has %d of %d parts and got nothing for %v; %d has some that it lacks",
			p.n, p.core.Stats().Have, p.core.Parts(), s.now-p.still, from)
		p.still = s.now
	}
}

// couldSend reports whether a member could send another one something that it lacks.
func (w *watch) couldSend(q, p *player) bool {
	meet := q.met[p.id] && !p.hidden || p.met[q.id] && !q.hidden || p.end(q) != nil
	if q == p || !q.honest() || !q.fit() || !meet || !w.s.clear(p, q) {
		return false
	}
	for part := range q.stored {
		if q.core.Has(part) && !q.rotten[part] && !p.core.Has(part) {
			return true
		}
	}
	return false
}

// end is a member's end of its link to another one; nil: there is none.
func (p *player) end(to *player) *end {
	for _, e := range p.ends {
		if e != nil && e.open && e.far.me == to && e.far.open {
			return e
		}
	}
	return nil
}

// believes checks that a member knows what its peers have, if nothing is on the way from them.
func (w *watch) believes(p *player) {
	s := w.s
	for _, l := range p.core.Linked(true) {
		e := p.ends[l.Peer]
		if e == nil || !e.open || !e.far.open {
			continue
		}
		q := e.far.me
		since := s.now - tellMost
		if !q.honest() || !q.fit() || q.suspect || l.Since > since ||
			e.far.socket+e.far.flying > 0 ||
			!s.clear(p, q) {
			continue
		}
		for part := range uint32(p.core.Parts()) {
			has := l.Have == p.core.Parts() || l.Bits != nil && l.Bits[part>>3]&(0x80>>(part&7)) != 0
			switch at, gone := q.stored[part], q.lost[part]; {
			case !has && at > 0 && at < since && q.core.Has(part):
				w.breach("member %d does not know that %d has part %d", p.n, q.n, part)
				return
			case has && gone > 0 && gone < since:
				w.breach("member %d does not know that %d lost part %d", p.n, q.n, part)
				return
			}
		}
	}
}
