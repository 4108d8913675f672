package swarm

import "slices"

// slots is how many grants are out at a time. One would do for the spread; the second one keeps the line busy while the
// first one's last bytes leave.
const slots = 2

// grantBytes is how much one grant lets a link send at least, if so much is asked for: with small parts, several of them.
const grantBytes = 256 << 10

// interest serves every peer that wants something: whose turn it is is decided grant by grant.
func (s *Swarm) interest(ev Interest) {
	p := s.peer(ev.Peer)
	if p == nil {
		return
	}
	p.interested = ev.On
	if ev.On && p.choking {
		p.choking = false
		s.emit(SetChoke{p.index, false})
	}
}

func (s *Swarm) wanted(ev Wanted) {
	p := s.peer(ev.Peer)
	if p == nil || p.choking {
		return
	}
	for _, part := range ev.Parts {
		if s.Has(part) {
			p.wants = append(p.wants, part)
		}
	}
}

func (s *Swarm) unwanted(ev Unwanted) {
	if p := s.peer(ev.Peer); p != nil {
		s.unwant(p, ev.Part)
	}
}

func (s *Swarm) unwant(p *peer, part uint32) {
	if i := slices.Index(p.wants, part); i >= 0 {
		p.wants = slices.Delete(p.wants, i, i+1)
	}
}

func (s *Swarm) servedPeer(ev Served) {
	p := s.peer(ev.Peer)
	if p == nil || p.grants == 0 {
		return
	}
	p.grants--
	s.active--
}

// serve hands grants out while there are slots: each for the part that is rarest around this member and was sent least by it, so that
// the first sharer sends everything once before it sends anything twice, and to the peer that waited longest.
func (s *Swarm) serve() {
	for s.active < slots {
		p := s.neediest()
		if p == nil {
			return
		}
		s.grant(p)
	}
}

// neediest chooses the peer that is granted something next. One that has no grant out comes first; where only one peer wants anything,
// its next grant is out before the last one ends, so that its link never waits for the loop.
func (s *Swarm) neediest() *peer {
	var best *peer
	var least int
	for _, p := range s.peers {
		if p == nil || len(p.wants) == 0 {
			continue
		}
		spread := s.spread(p.wants[s.rarestWant(p)])
		if best == nil || p.grants < best.grants || (p.grants == best.grants &&
			(spread < least || (spread == least && p.lastGrant < best.lastGrant))) {
			best, least = p, spread
		}
	}
	return best
}

// spread is how far a part has come in the neighbourhood: the more of its peers have it or got it from here, the less it helps to send it.
func (s *Swarm) spread(part uint32) int { return int(max(s.rare.count[part], s.sent[part])) }

// rarestWant is the place in a peer's wants of the part that is spread least, the oldest of them.
func (s *Swarm) rarestWant(p *peer) int {
	best := 0
	for i, part := range p.wants {
		if s.spread(part) < s.spread(p.wants[best]) {
			best = i
		}
	}
	return best
}

func (s *Swarm) grant(p *peer) {
	var parts []uint32
	for n := int64(0); n < grantBytes && len(p.wants) > 0; {
		i := s.rarestWant(p)
		part := p.wants[i]
		p.wants = slices.Delete(p.wants, i, i+1)
		parts = append(parts, part)
		n += s.partLen(part)
		if s.sent[part] < 1<<16-1 {
			s.sent[part]++
		}
	}
	s.served++
	p.grants++
	p.lastGrant = s.served
	s.active++
	s.emit(Grant{p.index, parts})
}
