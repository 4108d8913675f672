package cli

import (
	"runtime"
	"time"

	"orchestra/member"
)

// cores keeps the program to one core while little moves, and gives it all of them otherwise. Go
// wakes another core whenever something comes over a link, to see whether there is more to do; on a
// slow line the first one has done it by then.
type cores struct {
	all   int // as many as it may use
	used  int
	since time.Time
	moved int64 // bytes both ways, since the start, at that time
}

// What one core carries with ease, in bytes a second, and how long it is looked at.
const (
	oneCoreRate = 16 << 20
	coresSpan   = time.Second
)

func newCores() *cores {
	all := runtime.GOMAXPROCS(0)
	return &cores{all: all, used: all}
}

// fit sets how many cores are used, by what moved and what there is to do.
func (c *cores) fit(now time.Time, p member.Progress) {
	moved := p.Downloaded + p.Uploaded
	switch span := now.Sub(c.since); {
	case p.Checking:
		c.use(c.all)
	case c.since.IsZero():
	case span < coresSpan:
		return
	case float64(moved-c.moved) < oneCoreRate*span.Seconds():
		c.use(1)
	default:
		c.use(c.all)
	}
	c.since, c.moved = now, moved
}

// end gives the program all of them again.
func (c *cores) end() { c.use(c.all) }

func (c *cores) use(n int) {
	if n != c.used {
		runtime.GOMAXPROCS(n)
		c.used = n
	}
}
