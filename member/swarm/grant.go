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
	// slot.
	slowFactor = 6
	slowGrace  = 50 * time.Millisecond
	slowLeast  = 256 << 10 // bytes a second that a line carries at least

	takesFirst = 2 * time.Second
	takesMost  = 2 * time.Minute
)

// restAfter is how long a grant may not move: longer where so little goes over the line that all
// that are out need longer to move.
func (s *Swarm) restAfter() time.Duration {
	if rate := s.lineUp.bytesPerSecond(); rate > 0 {
		return max(restAfter, time.Duration(4*movedLeast*float64(s.slots())/rate*float64(time.Second)))
	}
	return restAfter
}

// mayTake reports whether a peer may be granted something.
func (s *Swarm) mayTake(p *peer) bool {
	switch {
	case len(p.wants) == 0 || len(p.grants) >= grantsMost || p.resting || !p.takes.over(s.now):
		return false
	case p.takes.onTrial():
		return s.onTrial == nil || s.peer(s.onTrial.index) != s.onTrial || len(s.onTrial.grants) == 0
	}
	return true
}

// sent takes in that some of what a peer was granted went out.
func (s *Swarm) sent(ev Sent) {
	p := s.peer(ev.Peer)
	if p == nil {
		return
	}
	p.took += ev.Bytes
	if ev.Bytes > 0 && p.took < movedLeast {
		return
	}
	if ev.Bytes > 0 && len(p.grants) == 0 && !p.takes.over(s.now) {
		p.takes.until = s.now // it takes after all, slowly
	}
	s.takesOn(p)
}

// takesOn notes that a peer does not hold up its grants now.
func (s *Swarm) takesOn(p *peer) {
	p.took, p.tookAt, p.usedAt = 0, s.now, s.now
	s.rest(p, false)
}

// rest makes the grants of a peer ones that use no slots, or that do again.
func (s *Swarm) rest(p *peer, on bool) {
	p.resting = on
	s.holdSlots(p)
}

// holdSlots counts the slots that the grants of a peer hold: none if they use little of the line.
func (s *Swarm) holdSlots(p *peer) {
	n := len(p.grants)
	if p.resting || p.slow {
		n = 0
	}
	s.active += n - p.slots
	p.slots = n
}

// grantTime is how long a grant may be out until it is one to a slow peer: slowFactor times what
// this member's line takes for it while it is shared by all that may be out.
func (s *Swarm) grantTime(g grant) time.Duration {
	rate := max(s.lineUp.bytesPerSecond(), slowLeast)
	return slowGrace + time.Duration(slowFactor*float64(g.bytes)*float64(s.slots())/rate*float64(time.Second))
}

// revoke takes the grants of a peer back; what it asked for waits again.
func (s *Swarm) revoke(p *peer) {
	s.rest(p, true)
	for _, g := range p.grants {
		for _, part := range g.parts {
			relayed := takeOut(&p.relayed, part)
			if (relayed || s.Has(part)) && !p.hasPart(part) {
				s.want(p, part)
			}
		}
	}
	p.grants = nil
	p.resting, p.slow = false, false
	s.holdSlots(p)
	p.takes.fail(s.now, takesFirst, takesMost)
	s.remembered.note(s.now, p)
	s.emit(Revoke{p.index})
}

// watchGrants looks after grants that do not move.
func (s *Swarm) watchGrants() {
	for _, p := range s.peers {
		if p == nil || len(p.grants) == 0 {
			continue
		}
		if s.waitsForContent(p) {
			p.grants[0].begun = s.now
			s.takesOn(p)
			continue
		}
		if slow := s.now >= p.grants[0].begun+s.grantTime(p.grants[0]); slow != p.slow {
			p.slow = slow
			s.holdSlots(p)
		}
		if s.now >= p.tookAt+s.restAfter() {
			s.rest(p, true)
		}
		if s.now >= p.tookAt+s.takesAfter(p) {
			s.revoke(p)
		}
	}
}

// waitsForContent reports whether what a peer is sent next is not here in full.
func (s *Swarm) waitsForContent(p *peer) bool {
	return slices.ContainsFunc(p.grants[0].parts, func(part uint32) bool { return slices.Contains(p.relayed, part) })
}

func (s *Swarm) takesAfter(p *peer) time.Duration {
	if p.takes.onTrial() {
		return max(takesOnTrial, s.restAfter())
	}
	return max(takesAfter, 2*s.restAfter())
}

// nextGrant is when watchGrants and serve have something to do.
func (s *Swarm) nextGrant() time.Duration {
	at := never
	for _, p := range s.peers {
		switch {
		case p == nil:
		case len(p.grants) > 0 && !s.waitsForContent(p):
			if !p.slow {
				at = min(at, p.grants[0].begun+s.grantTime(p.grants[0]))
			}
			if !p.resting {
				at = min(at, p.tookAt+s.restAfter())
			}
			at = min(at, p.tookAt+s.takesAfter(p))
		case len(p.wants) > 0 && !p.takes.over(s.now):
			at = min(at, p.takes.until)
		}
	}
	return at
}
