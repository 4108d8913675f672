package conduct

import (
	"math"
	"time"

	"orchestra/proto"
)

// A pace is how fast a member gets parts, from what it reports every few
// seconds.
type pace struct {
	at   time.Time // when it was last seen to have more
	have uint32    // parts, then
	rate float64   // parts a second; 0: not known
}

const (
	paceLeast = time.Second // between two reports that are compared
	// without a further part: nothing is known any more, unless parts take longer
	paceStale = 20 * time.Second
)

// saw takes a report. The latest counts half, so that a burst at the start, of
// content that was there and checked, is soon forgotten.
func (p *pace) saw(now time.Time, have uint32) {
	switch span := now.Sub(p.at); {
	case p.at.IsZero() || have < p.have:
		*p = pace{at: now, have: have}
	case have > p.have && span >= paceLeast:
		rate := float64(have-p.have) / span.Seconds()
		if p.rate > 0 {
			rate = (rate + p.rate) / 2
		}
		*p = pace{at: now, have: have, rate: rate}
	}
}

// left is how many seconds a member needs for the parts that it lacks, 1 at
// least; proto.LeftUnknown if it reports no further ones.
func (e *entry) left(now time.Time) uint32 {
	if e.complete() {
		return 0
	}
	if e.pace.rate == 0 {
		return proto.LeftUnknown
	}
	since := now.Sub(e.pace.at).Seconds()
	if since > max(paceStale.Seconds(), 3/e.pace.rate) {
		return proto.LeftUnknown
	}
	left := float64(e.parts-min(e.pace.have, e.parts))/e.pace.rate - since
	return uint32(max(1, min(math.Ceil(left), proto.LeftUnknown-1)))
}
