package swarm

import (
	"math"
	"time"
)

// rateSpan is how far back a rate looks: what moved earlier counts for less than 1/e.
const rateSpan = 2 * time.Second

// rate is a decaying average of bytes a second.
type rate struct {
	value float64
	since time.Duration // when it began
	last  time.Duration
}

func (r *rate) add(now time.Duration, n int64) {
	r.value = r.at(now) + float64(n)/rateSpan.Seconds()
}

// at is the rate now. What it lost by starting from nothing is made up for, so that it is right from the first second.
func (r *rate) at(now time.Duration) float64 {
	if r.value == 0 {
		r.since, r.last = now, now
		return 0
	}
	r.value *= math.Exp(-(now - r.last).Seconds() / rateSpan.Seconds())
	r.last = now
	return r.value
}

// bytesPerSecond is the rate now, in bytes a second.
func (r *rate) bytesPerSecond(now time.Duration) float64 {
	v := r.at(now)
	if age := (now - r.since).Seconds() / rateSpan.Seconds(); age < 5 {
		v /= 1 - math.Exp(-max(age, 0.05))
	}
	return v
}

// What a line carried is looked at for lineSpan at a time, and believed for lineAge at least.
const (
	lineSpan = time.Second
	lineAge  = 10 * time.Second
)

// capacity is what this member's line carries in one direction, as far as it was seen to: the most that moved in a span. A line that is used less
// does not seem slower for some time; one that became slower does after that.
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
	span := now - c.begun
	if span < lineSpan && (c.first == 0 || c.spans > 0 || span < c.first) {
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
