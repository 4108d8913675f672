package conduct

import "time"

// An allowance is how often something may still happen: so many times at once,
// and once more each so often. The zero value has not been drawn on.
type allowance struct {
	used int
	at   time.Time // up to which what was used has been given back
}

// draw reports whether it may happen now, and takes note that it does.
func (a *allowance) draw(now time.Time, burst int, every time.Duration) bool {
	a.restore(now, every)
	if a.used >= burst {
		return false
	}
	a.used++
	return true
}

// restore gives back what the time since has.
func (a *allowance) restore(now time.Time, every time.Duration) {
	if a.used == 0 {
		a.at = now
	} else if n := int(now.Sub(a.at) / every); n > 0 {
		a.used = max(a.used-n, 0)
		a.at = a.at.Add(time.Duration(n) * every)
	}
}

// restored reports whether all that was used has been given back.
func (a *allowance) restored(now time.Time, every time.Duration) bool {
	a.restore(now, every)
	return a.used == 0
}

// giveBack takes back that it happened.
func (a *allowance) giveBack() { a.used = max(a.used-1, 0) }
