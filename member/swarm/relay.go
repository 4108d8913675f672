package swarm

import (
	"slices"
	"time"
)

// In a chain a member passes parts on while they come, so that the last member is later than the
// first by some packets for each member between them, and not by a part. It suggests (BEP 6) to its
// downstream what it asks its upstream for. What the downstream asks for waits until the first
// bytes of it are here; then it is granted, and goes out as it comes in.
//
// Nothing says that such a part is here before it verified. Who asks for it knows that it is
// hearsay, and blames nobody for it if it is bad; but who passed bad parts on a few times is asked
// only for what it has, for a while. So a liar costs those behind it that many parts each time, and
// what a member offers as its own is right as ever.

// relayPatience is how long a part that a peer is getting may wait before it is asked of who has
// it. The peer has several asked for as well.
const relayPatience = time.Second

// suggested takes in that a peer gets a part, and passes it on as it comes.
func (s *Swarm) suggested(ev Suggested) {
	p := s.peer(ev.Peer)
	if p == nil || p.foreign() || s.misleads(p) {
		return
	}
	for _, part := range ev.Parts {
		if int(part) < s.parts && !p.hasPart(part) && s.lacks(part) && len(p.coming) < menuMost && !slices.Contains(p.coming, part) {
			p.coming = append(p.coming, part)
		}
	}
	s.showInterest(p)
	s.fill(p)
	s.prefer(p)
}

// prefer takes what a peer passes on from others that were asked for it and did not begin: it is
// the end of the chain, and they have somebody to send to.
func (s *Swarm) prefer(p *peer) {
	if !s.orphan() || p.choked {
		return
	}
	for _, q := range s.peers {
		if q == nil || q == p {
			continue
		}
		for _, f := range q.fetches {
			if f.started == 0 && !f.recalled && f.work.runs[f.n].asked == 1 && slices.Contains(p.coming, f.work.part) {
				s.recallFor(p, q, f)
			}
		}
	}
}

// comingTo finds a part that the peer passes on as it comes, and that nobody is asked for.
func (s *Swarm) comingTo(p *peer) (uint32, bool) {
	if !s.chained() {
		return 0, false
	}
	for i, part := range p.coming {
		if s.rare.place[part] >= 0 {
			p.coming = slices.Delete(p.coming, i, i+1)
			return part, true
		}
	}
	return 0, false
}

// suggest tells a peer of parts that this member asked its upstream for, those it may want.
func (s *Swarm) suggest(p *peer, fetches []*fetch) {
	var parts []uint32
	for _, f := range fetches {
		if part := f.work.part; !p.hasPart(part) && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 {
		s.emit(Suggest{p.index, parts})
	}
}

// relays tells whether what the upstream sends is offered to a peer: the downstream, or, while
// there is none, whoever has nothing yet.
func (s *Swarm) relays(p *peer) bool {
	c := &s.chain
	return c.up != nil && c.up != p && !p.foreign() && s.chained() && (c.down == p || (c.down == nil && p.hasN == 0))
}

// passOn suggests the part that the upstream was asked for last, once.
func (s *Swarm) passOn(up *peer) {
	last := len(up.fetches) - 1
	if s.chain.up != up || (last > 0 && up.fetches[last-1].work == up.fetches[last].work) {
		return
	}
	for _, p := range s.peers {
		if p != nil && s.relays(p) {
			s.suggest(p, up.fetches[last:])
		}
	}
}

// offerRelay suggests all that the upstream is asked for to who may have it now.
func (s *Swarm) offerRelay(p *peer) {
	if s.relays(p) {
		s.suggest(p, s.chain.up.fetches)
	}
}

// awaits tells whether a part that a peer asks for comes from the upstream.
func (s *Swarm) awaits(part uint32) bool {
	return s.chain.up != nil && slices.ContainsFunc(s.chain.up.fetches, func(f *fetch) bool { return f.work.part == part })
}

// begun tells whether some of a part is here, or coming in.
func (s *Swarm) begun(part uint32) bool {
	w := s.works[part]
	if w == nil || s.chain.up == nil {
		return false
	}
	return w.left < len(w.runs) || slices.ContainsFunc(s.chain.up.fetches, func(f *fetch) bool { return f.work == w && f.started != 0 })
}

// flowsOn lets those who await a part have it now: its first bytes came.
func (s *Swarm) flowsOn(part uint32) {
	for _, p := range s.peers {
		if p != nil && takeOut(&p.awaits, part) {
			s.want(p, part)
		}
	}
}

// arrive makes a part that others asked for while it was on its way one like others.
func (s *Swarm) arrive(part uint32) {
	s.flowsOn(part)
	for _, p := range s.peers {
		if p != nil {
			n := len(p.relayed)
			if p.relayed = slices.DeleteFunc(p.relayed, func(r uint32) bool { return r == part }); len(p.relayed) < n {
				s.takesOn(p) // what it is sent is here only now
			}
		}
	}
}

// breakOff rejects what peers asked of a part that does not come now.
func (s *Swarm) breakOff(part uint32) {
	for _, p := range s.peers {
		if p == nil {
			continue
		}
		n := len(p.awaits) + len(p.wants) + len(p.relayed)
		for _, list := range []*[]uint32{&p.awaits, &p.wants, &p.relayed} {
			*list = slices.DeleteFunc(*list, func(r uint32) bool { return r == part })
		}
		if len(p.awaits)+len(p.wants)+len(p.relayed) < n {
			s.emit(Refuse{p.index, []uint32{part}})
		}
	}
}

// breakRelays rejects all that peers but one asked of parts that are not here, except what they
// were granted, so that they ask others.
func (s *Swarm) breakRelays(not *peer) {
	for _, p := range s.peers {
		if p == nil || p == not {
			continue
		}
		refused := p.awaits
		p.awaits = nil
		p.wants = slices.DeleteFunc(p.wants, func(part uint32) bool {
			if !s.Has(part) {
				refused = append(refused, part)
			}
			return !s.Has(part)
		})
		if len(refused) > 0 {
			s.emit(Refuse{p.index, refused})
		}
	}
}

// relaySoon tells whether a peer may still be expected to get a part, and pass it on.
func (s *Swarm) relaySoon(p *peer, f *fetch) bool {
	return s.chained() && !p.hasPart(f.work.part) && s.now < f.asked+relayPatience
}
