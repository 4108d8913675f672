package swarm

import (
	"math"
	"time"
)

// What a line carried is looked at for lineSpan at a time, and believed for lineAge at least.
const (
	lineSpan = time.Second
	lineAge  = 10 * time.Second
)

// capacity is what this member's line carries in one direction, as far as it was seen to: the most
// that moved in a span. A line that is used less does not seem slower for some time; one that
// became slower does after that.
type capacity struct {
	first         time.Duration // how long the first span is, if it is shorter
	begun, turned time.Duration // of the span and of the age; 0: not yet
	moved         int64         // bytes in this span
	spans         int           // that ended, ever
	best          [2]float64    // bytes a second, in this age and in the one before
}

// add counts bytes that moved since the last call.
func (c *capacity) add(now time.Duration, n int64) {
	if c.begun == 0 {
		c.begun, c.turned = now, now
		return // these moved before
	}
	c.moved += n
	span, least := now-c.begun, lineSpan
	if c.spans == 0 && c.first > 0 {
		least = c.first
	}
	if span < least {
		c.best[0] = max(c.best[0], float64(c.moved)/lineSpan.Seconds()) // even if nothing more moves in this span
		return
	}
	if now-c.turned >= lineAge {
		c.turned = now
		c.best = [2]float64{0, c.best[0]}
	}
	c.best[0] = max(c.best[0], float64(c.moved)/span.Seconds())
	c.spans++
	c.rest(now)
}

// rest begins a span anew: in this one the line was not used as much as it could be.
func (c *capacity) rest(now time.Duration) { c.begun, c.moved = now, 0 }

// bytesPerSecond is the line's rate; 0: unknown.
func (c *capacity) bytesPerSecond() float64 { return max(c.best[0], c.best[1]) }

// tellShare tells when the share of the line down that is each peer's became a good deal larger, or
// smaller.
func (s *Swarm) tellShare() {
	if s.chained() {
		return
	}
	share := max(s.lineDown.bytesPerSecond(), lineLeast) / float64(max(s.flows, 1))
	if s.lineDown.spans > 0 && math.Abs(share-s.share) > s.share/8 {
		s.share = share
		s.emit(Share{int64(share)})
	}
}

// lineLeast is what a line is taken to carry at least, in bytes a second: one that seems slower may
// be one over which little came.
const lineLeast = 4 << 20
