package swarm

import (
	"slices"
	"time"
)

// HaveDelay is how long a peer may hear later of a part that this member has now, so that it hears
// of several at once. Who lacks it and may ask this member for it hears at once. In a chain that is
// the downstream, and while there is none, everybody, for some time.
func (s *Swarm) HaveDelay(peer int, part uint32) time.Duration {
	return s.plan.haveDelay(s.links.peer(peer), part)
}

func (pl *plan) haveDelay(p *peer, part uint32) time.Duration {
	lacks := p != nil && !p.hasPart(part)
	switch {
	case !pl.chained():
		if lacks {
			return 0
		}
	case lacks && slices.Contains(p.relayed, part): // what it is told next takes this along
		return settledDelay
	case lacks && pl.mayFollow(p):
		return 0
	case pl.settled():
		return settledDelay
	}
	return haveDelay
}

const (
	haveDelay    = 200 * time.Millisecond
	settledDelay = time.Second
	settledAfter = time.Second
	// settledParts are enough to know for sure who is behind.
	settledParts = 36
)

// How long a part that is written may wait for others to be verified with, in general and in a
// chain once it is known who is behind: nobody has to hear of it at once.
const (
	verifyWait  = 20 * time.Millisecond
	settledWait = 500 * time.Millisecond
)

// mayFollow tells whether a peer may ask this member next: it is the downstream, or there is none
// and the peer may be looking for an upstream.
func (pl *plan) mayFollow(p *peer) bool {
	c := &pl.chain
	return c.down == p || c.down == nil && (p.hasN == 0 || !pl.settled())
}

// settled tells whether nobody seems to be looking for an upstream. Where the upstream is a new one
// the chain may be another, and others may have none.
func (pl *plan) settled() bool {
	c := &pl.chain
	return pl.s.haveN >= settledParts &&
		(c.down != nil || pl.s.now >= max(c.downAt, c.from)+settledAfter)
}
