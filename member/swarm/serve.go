package swarm

import "slices"

// How many grants are out at a time. Each part should arrive soon, to be passed on: that asks for few. But one flow alone does not fill a line
// while it speeds up, or while its receiver's line is shared by others. A member that has everything grants more: what it does not send while its
// line rests, nobody else can.
const (
	slots     = 5
	seedSlots = 6
)

// A slow line is shared by fewer grants, one for each slotRate bytes a second that it carries and one more: what waits in front of it is a queue of
// the peers' making, each of whom lets so much be in flight, and what this member acknowledges and asks for stands in that queue too. Its rate is
// believed after slotSpans, when the beginning, in which it has little to send, is over.
const (
	leastSlots = 2
	slotRate   = 1 << 20
	slotSpans  = 2
)

// slots is how many grants may be out now.
func (s *Swarm) slots() int {
	most := slots
	if s.haveN == s.parts {
		most = seedSlots
	}
	if s.lineUp.spans >= slotSpans {
		most = min(most, max(leastSlots, 1+int(s.lineUp.bytesPerSecond()/slotRate)))
	}
	return most
}

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
	if p == nil || len(p.grants) == 0 {
		return
	}
	s.active--
	s.lineUp.add(s.now, p.grants[0])
	p.grants = p.grants[1:]
}

// serve hands grants out while there are slots.
func (s *Swarm) serve() {
	for most := s.slots(); s.active < most; {
		p := s.neediest()
		if p == nil {
			s.lineUp.rest(s.now)
			return
		}
		s.grant(p)
	}
}

// prospect is what a grant to a peer would be worth.
type prospect struct {
	peer  *peer
	fresh bool // it wants a part that nobody around this member has, and that was never sent
	done  int  // how far the peer is, where that counts
}

// laggardTurns is how often the peer that is furthest behind is helped, not whose turn it is: every so many grants. If it were always so,
// all would send to the same peer at once, whose line carries no more for that, and other lines would be idle meanwhile.
const laggardTurns = 2

// neediest chooses the peer that is granted something next: one that has no grant out, before one that has; where only one peer wants
// anything, its next grant is out before the last one ends, so that its link never waits for the loop. Among them who wants
// what nobody has comes first, so that the first sharer sends everything once before it sends anything twice; then who is not
// sent to by many others already; then, now and then, who is furthest behind; then who waited longest.
func (s *Swarm) neediest() *peer {
	var best prospect
	for _, p := range s.peers {
		if p == nil || len(p.wants) == 0 {
			continue
		}
		next := prospect{peer: p, fresh: s.spread(p.wants[s.rarestWant(p)]) == 0}
		if s.served%laggardTurns == 0 {
			next.done = p.hasN * doneSteps / s.parts
		}
		if best.peer == nil || next.before(best) {
			best = next
		}
	}
	return best.peer
}

// doneSteps is how finely peers are told apart by how far they are.
const doneSteps = 32

func (a prospect) before(b prospect) bool {
	switch {
	case len(a.peer.grants) != len(b.peer.grants):
		return len(a.peer.grants) < len(b.peer.grants)
	case a.fresh != b.fresh:
		return a.fresh
	case a.peer.interested != b.peer.interested:
		return a.peer.interested
	case a.done != b.done:
		return a.done < b.done
	}
	return a.peer.lastGrant < b.peer.lastGrant
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
	n := int64(0)
	for n < grantBytes && len(p.wants) > 0 {
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
	p.grants = append(p.grants, n)
	p.lastGrant = s.served
	s.active++
	s.emit(Grant{p.index, parts})
}
