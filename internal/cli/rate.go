package cli

import (
	"math"
	"time"
)

// A meter is a wall-clock average of a growing count of bytes: what came in the last seconds weighs
// most, and what came rateSpan ago weighs a third of it.
type meter struct {
	last    time.Time
	total   int64
	sum     float64 // bytes a second, decayed
	weight  float64 // how much of sum is there yet: from 0 towards 1
	arrived time.Time
}

const (
	rateSpan    = 5 * time.Second
	stalledFrom = 10 * time.Second // without a byte
	leftMost    = 100 * 24 * time.Hour
)

// observe takes the count at now. Counts do not fall; the first one is where counting starts.
func (m *meter) observe(now time.Time, total int64) {
	if m.last.IsZero() {
		m.last, m.total, m.arrived = now, total, now
		return
	}
	span := now.Sub(m.last)
	if span <= 0 {
		return
	}
	keep := math.Exp(-span.Seconds() / rateSpan.Seconds())
	came := max(total-m.total, 0)
	if came > 0 {
		m.arrived = now
	}
	m.sum = m.sum*keep + float64(came)/span.Seconds()*(1-keep)
	m.weight = m.weight*keep + 1 - keep
	m.last, m.total = now, max(total, m.total)
}

// rate is in bytes a second; 0 once nothing has come for a while.
func (m *meter) rate() float64 {
	if m.weight == 0 || m.stalled() {
		return 0
	}
	return m.sum / m.weight
}

// stalled reports whether nothing has come for a while.
func (m *meter) stalled() bool { return m.last.Sub(m.arrived) >= stalledFrom }

// left is how long the missing bytes take at the present rate; false if that is unknown.
func (m *meter) left(missing int64) (time.Duration, bool) {
	rate := m.rate()
	if rate < 1 {
		return 0, false
	}
	seconds := float64(missing) / rate
	if seconds >= leftMost.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}
