package swarm

import (
	"fmt"
	"slices"
)

// What is true of a core between any two events, whatever happens, and what a core may ask for.
// Random events are held against it here, and simulated swarms with faults outside of this package.

// Holds returns what is wrong with this member's state, if anything is: a count is not what it
// counts, somebody is not looked after, or something grows without bound. A part that is kept was
// lost and stays as it is.
func (s *Swarm) Holds(kept func(part uint32) bool) error {
	for _, check := range []func() error{s.menusHold, s.caresHold, s.rolesHold, s.boundsHold} {
		if err := check(); err != nil {
			return err
		}
	}
	return s.partsHold(kept)
}

// menusHold checks what is asked for at whom.
func (s *Swarm) menusHold() error {
	promised := map[*peer]int{}
	for _, p := range s.links.list {
		begun, recalled := 0, 0
		for _, f := range p.fetches {
			if f.started != 0 {
				begun++
			}
			if f.recalled {
				recalled++
			}
			if f.taker != nil {
				promised[f.taker]++
			}
			if s.requests.works[f.work.part] != f.work {
				return fmt.Errorf("part %d is asked for and not on its way", f.work.part)
			}
		}
		if p.begun != begun || p.recalled != recalled {
			return fmt.Errorf("peer %d: begun %d recalled %d, counted %d and %d", p.index, begun,
				recalled, p.begun, p.recalled)
		}
	}
	for _, p := range s.links.list {
		if p.promised != promised[p] {
			return fmt.Errorf("peer %d is promised %d runs, counted %d", p.index, promised[p],
				p.promised)
		}
	}
	return nil
}

// caresHold checks that those are looked after of whom something is to be seen.
func (s *Swarm) caresHold() error {
	for _, p := range s.links.list {
		for _, c := range []struct {
			what  string
			needs bool
			care  care
		}{
			{"requests", p.off || p.recalled > 0 || p.begun > 0, s.requests.care},
			{"grants", len(p.grants) > 0 || len(p.wants) > 0 && !p.takes.over(s.now), s.grants.care},
			{"grants", len(p.wants) > 0, s.grants.asking},
			{"the plan", p.spare || p.probed > 0, s.plan.feed.spare},
		} {
			if c.needs && !slices.Contains(c.care.list, p) {
				return fmt.Errorf("%s does not look after peer %d", c.what, p.index)
			}
		}
	}
	return nil
}

// rolesHold checks what each peer is to this member, and the sums of that.
func (s *Swarm) rolesHold() error {
	active, flows, seeds, opened, up := 0, 0, 0, 0, 0
	counts := make([]uint16, s.parts)
	for _, p := range s.links.list {
		if !p.resting && !p.slow {
			active += len(p.grants)
		}
		if len(p.grants) > grantsMost {
			return fmt.Errorf("peer %d has %d grants", p.index, len(p.grants))
		}
		if p.begun > 0 && !p.lame {
			flows++
		}
		if p.all {
			seeds++
		}
		if p.dialled {
			opened++
		}
		if !p.leaving {
			up++
		}
		if p.lame && p.begun == 0 || p.resting && len(p.grants) == 0 {
			return fmt.Errorf("peer %d stops in the middle of nothing", p.index)
		}
		for _, part := range slices.Concat(p.awaits, p.relayed) {
			if s.Has(part) || s.requests.works[part] == nil {
				return fmt.Errorf("peer %d awaits part %d, which is here or does not come", p.index,
					part)
			}
		}
		useful := 0
		for part := range uint32(s.parts) {
			if p.hasPart(part) && s.lacks(part) {
				useful++
			}
			if !p.all && p.hasPart(part) {
				counts[part]++
			}
		}
		if useful != p.useful {
			return fmt.Errorf("peer %d has %d useful parts, counted %d", p.index, useful, p.useful)
		}
	}
	if active != s.grants.active || flows != s.lines.flows {
		return fmt.Errorf("%d grants and %d flows move, counted %d and %d", active, flows,
			s.grants.active, s.lines.flows)
	}
	l := &s.links
	if seeds != l.seeds || opened != l.opened || up != l.up {
		return fmt.Errorf("%d links, %d opened, %d to those that have everything; counted %d, %d, %d",
			up, opened, seeds, l.up, l.opened, l.seeds)
	}
	if !slices.Equal(counts, s.rare.count) {
		return fmt.Errorf("parts are at %d peers, counted %d", counts, s.rare.count)
	}
	return nil
}

// partsHold checks that each part is in one place, and how far those are that are on their way.
func (s *Swarm) partsHold(kept func(part uint32) bool) error {
	asked := map[Run]int{}
	for _, p := range s.links.list {
		for _, f := range p.fetches {
			asked[s.runOf(f.work, f.n)]++
		}
	}
	missing := 0
	for part := range uint32(s.parts) {
		w := s.requests.works[part]
		if s.lacks(part) {
			missing++
		}
		unchecked := s.checked != nil && !s.checked.has(part)
		ways := 0
		for _, is := range []bool{s.Has(part), s.rare.isFree(part), w != nil, kept(part) || unchecked, s.setbacks.aside[part]} {
			if is {
				ways++
			}
		}
		if ways != 1 {
			return fmt.Errorf("part %d: here %v, free %v, on its way %v, kept %v, to be checked %v, put aside %v",
				part, s.Has(part), s.rare.isFree(part), w != nil, kept(part), unchecked, s.setbacks.aside[part])
		}
		if w == nil {
			continue
		}
		idle, left := 0, 0
		for n, r := range w.runs {
			if r.asked != asked[s.runOf(w, n)] {
				return fmt.Errorf("run %v is asked of %d, counted %d", s.runOf(w, n),
					asked[s.runOf(w, n)], r.asked)
			}
			if !r.here {
				left++
				if r.asked == 0 {
					idle++
				}
			}
		}
		if idle != w.idle || left != w.left {
			return fmt.Errorf("part %d: idle %d left %d, counted %d and %d", part, idle, left, w.idle,
				w.left)
		}
	}
	if missing != s.missing {
		return fmt.Errorf("%d parts are missing, counted %d", missing, s.missing)
	}
	return nil
}

// boundsHold checks that what is remembered is bounded.
func (s *Swarm) boundsHold() error {
	for _, b := range []struct {
		what    string
		n, most int
	}{
		{"members known", len(s.book.known), knownMost},
		{"hints", len(s.links.hints.list), hintsMost},
		{"hints dialled", s.links.hints.pending, hintsPending},
		{"culprits", len(s.trust.records), culpritsMost},
		{"suspects", len(s.trust.suspect), suspectsMost},
		{"parts in turns", len(s.trust.turns), suspectsMost},
		{"own addresses", len(s.book.own.list), ownMost},
		{"parts held", len(s.trust.held), s.parts * len(s.links.list)},
		{"parts alone", len(s.trust.alone), s.parts},
		{"bad parts", len(s.trust.bad), s.parts},
		{"addresses remembered", len(s.links.remembered), memoryMost},
		{"peers that left", len(s.lull.absent), absentMost},
		{"parts on their way", len(s.requests.works), s.parts},
		{"parts begun", len(s.requests.open), len(s.requests.works)},
	} {
		if b.n > b.most {
			return fmt.Errorf("%s: %d, at most %d", b.what, b.n, b.most)
		}
	}
	for _, p := range s.links.list {
		lists := max(len(p.wants), len(p.awaits), len(p.relayed), len(p.coming))
		if lists > s.parts || len(p.allowed) > allowedMost || len(p.fetches) > menuMost+s.parts {
			return fmt.Errorf("peer %d: a list of %d of %d parts, %d asked for", p.index, lists,
				s.parts, len(p.fetches))
		}
	}
	return nil
}

// A Contract is what a core was told and asked for, as the shell sees it. It knows what may be
// asked for next.
type Contract struct {
	s     *Swarm
	peers map[int]*dealings
}

// dealings are what one peer and the core have asked of each other.
type dealings struct {
	runs    []Run
	wants   map[uint32]bool
	grants  [][]uint32
	leaving bool
}

// NewContract begins with a core that was told nothing.
func NewContract(s *Swarm) *Contract { return &Contract{s, map[int]*dealings{}} }

// Asked are the runs that a peer is asked for.
func (c *Contract) Asked(peer int) []Run { return c.peers[peer].runs }

// Tell takes an event in, before the core does.
func (c *Contract) Tell(ev Event) {
	ended := func(peer int, r Run) {
		if d := c.peers[peer]; d != nil {
			d.runs = slices.DeleteFunc(d.runs, func(q Run) bool { return q == r })
		}
	}
	switch ev := ev.(type) {
	case Joined:
		c.peers[ev.Peer] = &dealings{wants: map[uint32]bool{}}
	case Left:
		delete(c.peers, ev.Peer)
	case Received:
		ended(ev.Peer, ev.Run)
	case Rejected:
		ended(ev.Peer, ev.Run)
	case Choked:
		if d := c.peers[ev.Peer]; d != nil && ev.On {
			d.runs = nil
		}
	case Wanted:
		if d := c.peers[ev.Peer]; d != nil {
			for _, part := range ev.Parts {
				d.wants[part] = true
			}
		}
	case Unwanted:
		if d := c.peers[ev.Peer]; d != nil {
			delete(d.wants, ev.Part)
		}
	case Served:
		if d := c.peers[ev.Peer]; d != nil && ev.Grant < len(d.grants) {
			d.grants = slices.Delete(d.grants, ev.Grant, ev.Grant+1)
		}
	}
}

// Asks takes an effect in, and returns what is wrong with it, if anything is.
func (c *Contract) Asks(e Effect) error {
	switch e := e.(type) {
	case Fetch:
		return c.fetches(e)
	case Cancel:
		return c.takesBack(e.Peer, e.Run, true)
	case Recall:
		return c.takesBack(e.Peer, e.Run, false)
	case Grant:
		return c.granted(e)
	case Revoke:
		d := c.peers[e.Peer]
		if d == nil {
			return fmt.Errorf("takes grants back from peer %d, which is gone", e.Peer)
		}
		for _, parts := range d.grants {
			for _, part := range parts {
				d.wants[part] = true
			}
		}
		d.grants = nil
	case Refuse:
		if d := c.peers[e.Peer]; d != nil {
			for _, part := range e.Parts {
				delete(d.wants, part)
			}
		}
	case Withdraw:
		if d := c.peers[e.Peer]; d != nil {
			delete(d.wants, e.Part)
		}
	case Drop:
		d := c.peers[e.Peer]
		if d == nil {
			return fmt.Errorf("drops peer %d, which is gone: %s", e.Peer, e.Why)
		}
		d.leaving = true
	case Announce:
		if !c.s.Has(e.Part) {
			return fmt.Errorf("announces part %d, which is not here", e.Part)
		}
	case Verify:
		if c.s.Has(e.Part) {
			return fmt.Errorf("verifies part %d, which is here", e.Part)
		}
	}
	return nil
}

func (c *Contract) fetches(e Fetch) error {
	d := c.peers[e.Peer]
	if d == nil || d.leaving || slices.Contains(d.runs, e.Run) {
		return fmt.Errorf("asks peer %d for %v: no such peer, or asked before", e.Peer, e.Run)
	}
	if c.s.setbacks.full {
		return fmt.Errorf("asks for %v while the disk is full", e.Run)
	}
	if c.s.Has(e.Run.Part) {
		return fmt.Errorf("asks for part %d, which is here", e.Run.Part)
	}
	d.runs = append(d.runs, e.Run)
	return nil
}

func (c *Contract) takesBack(peer int, r Run, gone bool) error {
	d := c.peers[peer]
	if d == nil {
		return fmt.Errorf("takes %v back from peer %d, which is gone", r, peer)
	}
	i := slices.Index(d.runs, r)
	if i < 0 {
		return fmt.Errorf("takes %v back, which peer %d is not asked for", r, peer)
	}
	if gone {
		d.runs = slices.Delete(d.runs, i, i+1)
	}
	return nil
}

func (c *Contract) granted(e Grant) error {
	d := c.peers[e.Peer]
	if d == nil {
		return fmt.Errorf("grants %v to peer %d, which is gone", e.Parts, e.Peer)
	}
	for _, part := range e.Parts {
		if !d.wants[part] {
			return fmt.Errorf("grants peer %d part %d, which it does not ask for", e.Peer, part)
		}
		delete(d.wants, part)
	}
	if d.grants = append(d.grants, e.Parts); len(e.Parts) == 0 || len(d.grants) > grantsMost {
		return fmt.Errorf("grants %v to peer %d, which has %d grants", e.Parts, e.Peer,
			len(d.grants)-1)
	}
	return nil
}
