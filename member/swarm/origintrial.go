package swarm

import (
	"time"
)

// Trials. One member may fill less of an origin's line than there is, because its own is slower,
// and all behind it in the chain get no more. So those that come next in the order try how fast the
// origin sends to them. If that is much faster than what comes here, the chain is given up.
const (
	// originTrial is how much later than the one before it each of the first originTrialMembers
	// tries the origin. Each of them does so again after a while, longer each time.
	originTrial        = 2 * time.Second
	originTrialMembers = 4
	// originTrialShare is the part of the content that is asked for then, which comes twice. It is
	// more than what lies ready on the way; of content with less nobody tries.
	originTrialShare = 64
	originTrialLeast = 1 << 20
	originTrialMost  = 4 << 20
	// originFaster is how much faster the origin must send than what came in an originSpan of late.
	// Each span that is no better has the best one fade.
	originFaster = 1.5
	originSpan   = time.Second
	originFades  = 0.9
)

// trialAt is when an origin is tried next.
func (o *origins) trialAt(p *peer) time.Duration {
	c := &o.s.plan.chain
	place := o.place(p)
	if p.on || o.s.size/originTrialShare < originTrialLeast || c.up == nil || c.up.origin ||
		!o.s.plan.chained() || o.s.links.seeds > 0 || place >= originTrialMembers ||
		o.s.plan.timeLeft() < trialWorth {
		return never
	}
	return max(p.tries.until, c.from+time.Duration(place+1)*originTrial)
}

// trialBytes is how much is asked for in a trial.
func (o *origins) trialBytes() int64 { return min(o.s.size/originTrialShare, originTrialMost) }

// try asks an origin for a few runs, to see how fast they come.
func (o *origins) try(p *peer) {
	p.tries.fail(o.s.now, 2*originTrial, trialMost)
	part, ok := o.anywhere(p)
	most := o.trialBytes()
	for bytes := int64(0); ok && bytes < most; {
		w := o.s.requests.begin(part)
		for n := 0; n < len(w.runs) && bytes < most; n++ {
			o.s.requests.ask(p, w, n)
			bytes += int64(o.s.runOf(w, n).Length)
		}
		part++
		ok = int64(part) < int64(o.s.parts) && o.s.rare.isFree(part) && o.may(p, part)
	}
	p.trying = len(p.fetches) > 0
}

// judge ends a trial when all came that was asked for.
func (o *origins) judge(p *peer) {
	if !p.trying || len(p.fetches) > 0 {
		return
	}
	p.trying = false
	if o.s.plan.chained() && p.pace > originFaster*o.best {
		o.s.plan.giveUp(nil)
	}
}
