package swarm

import "slices"

// How many grants are out at a time. Each part should arrive soon, to be passed on: that asks
// for few. But one flow alone does not fill a line while it speeds up, or while its receiver's
// line is shared by others. A member that has everything grants fewer: of what it alone has,
// each copy should soon be whole.
const (
	slots     = 5
	seedSlots = 4
	// farSlots are for a long path: one flow fills little of it while it speeds up, or where
	// packets are lost on the way.
	farSlots = 12
)

// A slow line is shared by fewer grants, one for each slotRate bytes a second that it carries and
// one more: what waits in front of it is a queue of the peers' making, each of whom lets so much be
// in flight, and what this member acknowledges and asks for stands in that queue too. Its rate is
// believed after slotSpans, when the beginning, in which it has little to send, is over.
const (
	leastSlots = 2
	slotRate   = 1 << 20
	slotSpans  = 2
)

// slots is how many grants may be out now.
func (s *Swarm) slots() int {
	if s.chained() {
		return chainSlots
	}
	if s.chain.far*2 > s.links {
		return farSlots
	}
	most := slots
	if s.haveN == s.parts {
		most = seedSlots
	}
	if s.lineUp.spans >= slotSpans {
		most = min(most, max(leastSlots, 1+int(s.lineUp.bytesPerSecond()/slotRate)))
	}
	return most
}

// grantBytes is how much one grant lets a link send at least, if so much is asked for: with small
// parts, several of them.
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
	var refused []uint32
	for _, part := range ev.Parts {
		switch {
		case s.Has(part):
			s.want(p, part)
		case s.awaits(part) && s.relays(p):
			p.awaits = append(p.awaits, part)
			if s.begun(part) {
				s.flowsOn(part)
			}
		default:
			refused = append(refused, part)
		}
	}
	if len(refused) > 0 {
		s.emit(Refuse{p.index, refused})
	}
}

// want makes a part one that the peer may be granted.
func (s *Swarm) want(p *peer, part uint32) {
	if len(p.wants) == 0 {
		p.asked = s.now
	}
	if !slices.Contains(p.wants, part) {
		p.wants = append(p.wants, part)
	}
}

func (s *Swarm) unwanted(ev Unwanted) {
	if p := s.peer(ev.Peer); p != nil {
		s.unwant(p, ev.Part)
		takeOut(&p.awaits, ev.Part)
	}
}

func (s *Swarm) unwant(p *peer, part uint32) { takeOut(&p.wants, part) }

// takeOut takes a part out of a list, once, and tells whether it was there.
func takeOut(list *[]uint32, part uint32) bool {
	i := slices.Index(*list, part)
	if i < 0 {
		return false
	}
	*list = slices.Delete(*list, i, i+1)
	return true
}

func (s *Swarm) servedPeer(ev Served) {
	p := s.peer(ev.Peer)
	if p == nil || len(p.grants) == 0 {
		return
	}
	s.takesOn(p)
	s.lineUp.add(s.now, p.grants[0].bytes)
	if p.grants = p.grants[1:]; len(p.grants) > 0 {
		p.grants[0].begun = s.now
	}
	p.slow = false
	s.holdSlots(p)
	if p.takes.onTrial() {
		p.takes = backoff{}
		s.remembered.note(s.now, p)
	}
	s.chain.downAt = s.now
}

// serve hands grants out while there are slots.
func (s *Swarm) serve() {
	for most := s.slots(); s.active < most; {
		p := s.downstream()
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
	done  int  // how far the peer is, negative if who is ahead is to be helped; 0: that does not count
}

// A turn is for who is furthest behind, for who is far ahead, or for who waited longest. If all
// were for who waited longest, who came late would be late at the end too. If all were for who is
// behind, everybody would send to the same peer at once, whose line carries no more for that, while
// other lines are idle. And who came first lacks only what came last: whoever has some of that has
// other things to send to everybody else.
const (
	turns     = 4
	aheadTurn = 1 // of these turns; those that are even are for who is behind
)

// neediest chooses the peer that is granted something next: one that has no grant out, before one
// that has; where only one peer wants anything, its next grant is out before the last one ends, so
// that its link never waits for the loop. Among them who wants what nobody has comes first, so that
// the first sharer sends everything once before it sends anything twice; then who is not sent to by
// many others already; then whose turn it is. What nobody has goes to who is far ahead: nothing
// else is left for that one, and for the others there is.
func (s *Swarm) neediest() *peer {
	var best prospect
	turn, mean := s.served%turns, s.meanDone()
	for _, p := range s.peers {
		if p == nil || !s.mayTake(p) {
			continue
		}
		next := prospect{peer: p, fresh: s.spread(p.wants[s.rarestWant(p)]) == 0}
		switch {
		case next.fresh || turn == aheadTurn:
			next.done = -max(0, p.hasN-mean) * aheadSteps / s.parts
		case turn%2 == 0:
			next.done = p.hasN * behindSteps / s.parts
		}
		if best.peer == nil || next.before(best) {
			best = next
		}
	}
	return best.peer
}

// How finely peers are told apart by how far they are, and by how far they are ahead of the others
// on average. Some are always a little ahead, because they have more links or a faster line up, and
// that is no reason to help them; those that came earlier are far ahead.
const (
	behindSteps = 32
	aheadSteps  = 16
)

// meanDone is how many parts the peers that lack any have on average.
func (s *Swarm) meanDone() int {
	sum, n := 0, 0
	for _, p := range s.peers {
		if p != nil && !s.complete(p) {
			sum, n = sum+p.hasN, n+1
		}
	}
	return sum / max(n, 1)
}

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

// spread is how far a part has come in the neighbourhood: the more of its peers have it or got it
// from here, the less it helps to send it.
func (s *Swarm) spread(part uint32) int { return int(max(s.rare.count[part], s.given[part])) }

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
		if !s.Has(part) {
			p.relayed = append(p.relayed, part)
		}
		n += s.partLen(part)
		if s.given[part] < 1<<16-1 {
			s.given[part]++
		}
	}
	s.served++
	p.asked = s.now
	if len(p.grants) == 0 {
		s.takesOn(p)
	}
	if p.takes.onTrial() {
		s.onTrial = p
	}
	p.grants = append(p.grants, grant{n, parts, s.now})
	p.lastGrant = s.served
	s.holdSlots(p)
	s.emit(Grant{p.index, parts})
}
