package swarm

import (
	"slices"
	"time"
)

// Grants that are out. A peer may ask for much and take nothing: its host is suspended, its disk
// hangs, or it means to hold up the others. So a grant counts as long as it moves. While it
// rests somebody else may have its slot, since it does not use the line; if it rests for long it
// is taken back: what was not sent waits again, and the peer gets its next grant after a while.
//
// The link tells of what goes out a few times a second ([Sent]), also while it waits for the
// upload limit, which is not the peer's doing.

// grants are what peers are sent, and what they wait for.
type grants struct {
	s       *Swarm
	given   []uint16 // by part: how often it was granted
	care    care     // peers that were granted something, or are not to be for now
	asking  care     // peers that want something
	active  int      // grants that are out and move
	onTrial *peer    // who was granted something last of those that let a grant lie before
	served  int64    // for the order of service: grows with every grant

	idling idling
}

// tend takes back what does not move, and hands out more.
func (gs *grants) tend() {
	gs.watchGrants()
	gs.serve()
	gs.tellIdle()
}

// due is when tend has something to do if nothing happens.
func (gs *grants) due() time.Duration { return min(gs.nextGrant(), gs.nextIdle()) }

// grant is one that is out.
type grant struct {
	bytes int64
	parts []uint32
	begun time.Duration // when it was the first of its peer
}

const (
	// restAfter is how long a grant may not move until its slot is given to somebody else: two
	// reports of a link. A slow line takes longer to move movedLeast (see Swarm.restAfter).
	restAfter = 400 * time.Millisecond
	// takesAfter is how long a peer may take nothing until its grants are taken back; less if it
	// let one lie before.
	takesAfter   = 3 * time.Second
	takesOnTrial = time.Second
	// movedLeast is how many bytes are some progress. A peer that takes or sends a few bytes now
	// and then is as good as one that is silent.
	movedLeast = 8 << 10
	// grantsMost is how many grants a peer has at a time: the next one is out before the last
	// one ends, so that its link never waits for the loop. More would be the others' slots, if
	// it takes nothing.
	grantsMost = 2

	// A grant to a peer whose line is slow uses little of this member's: somebody else may have its
	// slot. It is slow until a grant to it ends in time.
	slowFactor = 6
	slowGrace  = 50 * time.Millisecond
	slowLeast  = 256 << 10 // bytes a second that a line carries at least

	takesFirst = 2 * time.Second
	takesMost  = 2 * time.Minute
	// takesIdle is how long after that a peer may be granted something again if nobody else is: it
	// costs nobody anything, and it may have been cut off.
	takesIdle = 5 * time.Second
)

// restAfter is how long a grant may not move: longer where so little goes over the line that all
// that are out need longer to move.
func (gs *grants) restAfter() time.Duration {
	if rate := gs.s.lines.upRate(); rate > 0 {
		return max(restAfter, timeFor(4*movedLeast*float64(gs.s.plan.slots()), rate))
	}
	return restAfter
}

// mayTake reports whether a peer may be granted something.
func (gs *grants) mayTake(p *peer) bool {
	switch {
	case len(p.wants) == 0 || len(p.grants) >= grantsMost || p.resting || !p.takes.over(gs.s.now):
		return false
	case p.takes.onTrial():
		return gs.onTrial == nil || gs.onTrial.gone || len(gs.onTrial.grants) == 0
	}
	return true
}

// idlest is who is put off and may be granted something all the same, since nobody else is.
func (gs *grants) idlest() (best *peer) {
	if gs.busy() {
		return nil
	}
	for _, p := range gs.wanting() {
		if !p.takes.over(gs.s.now) && gs.s.now >= p.takes.failed+takesIdle &&
			(best == nil || p.lastGrant < best.lastGrant) {
			best = p
		}
	}
	return best
}

// busy reports whether a grant is out.
func (gs *grants) busy() bool {
	return slices.ContainsFunc(gs.care.list, func(p *peer) bool { return len(p.grants) > 0 })
}

// sent takes in that some of what a peer was granted went out.
func (gs *grants) sent(ev Sent) {
	p := gs.s.links.peer(ev.Peer)
	if p == nil {
		return
	}
	p.took += ev.Bytes
	if ev.Bytes > 0 && p.took < movedLeast {
		return
	}
	if ev.Bytes > 0 && len(p.grants) == 0 && !p.takes.over(gs.s.now) {
		p.takes.until = gs.s.now // it takes after all, slowly
	}
	gs.takesOn(p)
}

// takesOn notes that a peer does not hold up its grants now.
func (gs *grants) takesOn(p *peer) {
	p.took, p.tookAt = 0, gs.s.now
	p.used(gs.s.now)
	gs.rest(p, false)
}

// unlinked takes in that the link to a peer is down.
func (gs *grants) unlinked(p *peer) {
	p.grants = nil
	if planted != bugSlot {
		gs.holdSlots(p)
	}
}

// rest makes the grants of a peer ones that use no slots, or that do again.
func (gs *grants) rest(p *peer, on bool) {
	p.resting = on
	gs.holdSlots(p)
}

// holdSlots counts the slots that the grants of a peer hold: none if they use little of the line.
func (gs *grants) holdSlots(p *peer) {
	n := len(p.grants)
	if p.resting || p.slow {
		n = 0
	}
	gs.active += n - p.slots
	p.slots = n
}

// grantTime is how long a grant may be out until it is one to a slow peer: slowFactor times what
// this member's line takes for it while it is shared by all that may be out.
func (gs *grants) grantTime(g grant) time.Duration {
	rate := max(gs.s.lines.upRate(), slowLeast)
	return slowGrace + timeFor(slowFactor*float64(g.bytes)*float64(gs.s.plan.slots()), rate)
}

// revoke takes the grants of a peer back; what it asked for waits again.
func (gs *grants) revoke(p *peer) {
	gs.rest(p, true)
	for _, g := range p.grants {
		for _, part := range g.parts {
			relayed := takeOut(&p.relayed, part)
			if (relayed || gs.s.Has(part)) && !p.hasPart(part) {
				gs.want(p, part)
			}
		}
	}
	p.grants = nil
	p.resting, p.slow = false, false
	gs.holdSlots(p)
	p.takes.fail(gs.s.now, takesFirst, takesMost)
	gs.s.links.remembered.note(gs.s.now, p)
	gs.s.emit(Revoke{p.index})
}

// watchGrants looks after grants that do not move.
func (gs *grants) watchGrants() {
	gs.care.only(func(p *peer) bool {
		return len(p.grants) > 0 || (len(p.wants) > 0 && !p.takes.over(gs.s.now))
	})
	for i := 0; i < len(gs.care.list); i++ { // it may grow meanwhile
		p := gs.care.list[i]
		if len(p.grants) == 0 {
			continue
		}
		g := gs.goesOut(p)
		if g == nil {
			p.grants[0].begun = gs.s.now
			gs.takesOn(p)
			continue
		}
		if !p.slow && gs.s.now >= g.begun+gs.grantTime(*g) {
			p.slow = true
			gs.holdSlots(p)
		}
		if gs.s.now >= p.tookAt+gs.restAfter() {
			gs.rest(p, true)
		}
		if gs.s.now >= p.tookAt+gs.takesAfter(p) {
			gs.revoke(p)
		}
	}
}

// goesOut is what a peer is sent next of what it was granted: the first that is here in full; nil:
// what it is sent waits for content.
func (gs *grants) goesOut(p *peer) *grant {
	relayed := func(part uint32) bool { return slices.Contains(p.relayed, part) }
	for i := range p.grants {
		if !slices.ContainsFunc(p.grants[i].parts, relayed) {
			return &p.grants[i]
		}
	}
	return nil
}

func (gs *grants) takesAfter(p *peer) time.Duration {
	if p.takes.onTrial() {
		return max(takesOnTrial, gs.restAfter())
	}
	return max(takesAfter, 2*gs.restAfter())
}

// nextGrant is when watchGrants and serve have something to do.
func (gs *grants) nextGrant() time.Duration {
	at, busy := never, gs.busy()
	for _, p := range gs.care.list {
		g := gs.goesOut(p)
		switch {
		case g != nil:
			if !p.slow {
				at = min(at, g.begun+gs.grantTime(*g))
			}
			if !p.resting {
				at = min(at, p.tookAt+gs.restAfter())
			}
			at = min(at, p.tookAt+gs.takesAfter(p))
		case len(p.wants) > 0 && !p.takes.over(gs.s.now):
			at = min(at, p.takes.until)
			if !busy {
				at = min(at, p.takes.failed+takesIdle)
			}
		}
	}
	return at
}
