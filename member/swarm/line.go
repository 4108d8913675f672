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
		// It is so much even if nothing more moves in this span.
		c.best[0] = max(c.best[0], float64(c.moved)/lineSpan.Seconds())
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

// lines are what goes over this member's own lines.
type lines struct {
	s       *Swarm
	up      capacity // while all grants that may be out are
	down    capacity
	flows   int     // peers that are sending something
	swamped bool    // so many that members are told not to
	share   float64 // of the line down in bytes a second, for each, that the shell was told
}

func newLines(s *Swarm) lines {
	return lines{s: s, down: capacity{first: 150 * time.Millisecond}}
}

// flowsMore counts peers that began to send, or ceased to.
func (l *lines) flowsMore(n int) { l.flows += n }

// cameDown counts what came.
func (l *lines) cameDown(n int64) {
	l.down.add(l.s.now, n)
	l.tellShare()
}

// wentUp counts what went out while all grants that may be out were.
func (l *lines) wentUp(n int64) { l.up.add(l.s.now, n) }

// upRests tells that there is less to send than might be.
func (l *lines) upRests() { l.up.rest(l.s.now) }

// upRate is what the line up carries, in bytes a second; 0: unknown.
func (l *lines) upRate() float64 { return l.up.bytesPerSecond() }

// tellShare tells when the share of the line down that is each peer's became a good deal larger, or
// smaller.
func (l *lines) tellShare() {
	if !l.s.plan.sharesLine() {
		return
	}
	share := max(l.down.bytesPerSecond(), lineLeast) / float64(max(l.flows, 1))
	if l.down.spans > 0 && math.Abs(share-l.share) > l.share/8 {
		l.share = share
		l.s.emit(Share{int64(share)})
	}
}

// lineLeast is what a line is taken to carry at least, in bytes a second: one that seems slower may
// be one over which little came.
const lineLeast = 4 << 20

// From swampedAt peers that are sending on this member is swamped, until there are no more than
// roomAt.
const (
	swampedAt = slots + 1
	roomAt    = slots - 1
)

// tend tells the members when this one becomes swamped, and when it no longer is.
func (l *lines) tend() {
	switch {
	case l.flows >= swampedAt && !l.swamped:
	case l.flows <= roomAt && l.swamped:
	default:
		return
	}
	l.swamped = !l.swamped
	for _, p := range l.s.links.list {
		l.s.links.showInterest(p)
	}
}
