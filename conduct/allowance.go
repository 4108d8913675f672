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
	if a.used == 0 {
		a.at = now
	} else if n := int(now.Sub(a.at) / every); n > 0 {
		a.used = max(a.used-n, 0)
		a.at = a.at.Add(time.Duration(n) * every)
	}
	if a.used >= burst {
		return false
	}
	a.used++
	return true
}
