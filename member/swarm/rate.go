package swarm

import (
	"math"
	"time"
)

// rateSpan is how far back a rate looks: what moved earlier counts for less than 1/e.
const rateSpan = 2 * time.Second

// timeFor is how long so many bytes take at so many a second.
func timeFor(bytes, rate float64) time.Duration {
	return time.Duration(bytes / rate * float64(time.Second))
}

// rate is a decaying average of bytes a second.
type rate struct {
	value float64
	since time.Duration // when it began
	last  time.Duration
}

func (r *rate) add(now time.Duration, n int64) {
	r.value = r.at(now) + float64(n)/rateSpan.Seconds()
}

// at is the rate now. What it lost by starting from nothing is made up for, so that it is right
// from the first second.
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
