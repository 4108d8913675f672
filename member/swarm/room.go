package swarm

import "time"

// A link takes a place that somebody else may be in need of. Where all are taken, a link over
// which nothing goes makes room for a new one: first those to peers that nobody lists, which may
// be anybody. Who had to go does not come back at the cost of another one, so that places are
// not passed round.
const (
	// idleLink is how long nothing may go over a link while others wait for one.
	idleLink = 15 * time.Second
	// idleStranger is the same for a peer that nobody lists, where who waits is listed.
	idleStranger = 3 * time.Second
)

// idle reports whether a link has been of no use since a time: nothing went over it, this member
// asks the peer for nothing, and the peer does not wait for its turn.
func (l *links) idle(p *peer, since time.Duration) bool {
	return p.usedAt <= since && len(p.fetches) == 0 && (len(p.wants) == 0 || p.takes.onTrial())
}

// makeRoom ends the link that was idle for longest, if there is one that may go for the sake of
// a new peer, and reports whether it did.
func (l *links) makeRoom(p *peer) bool {
	if l.remembered.wasIdle(l.s.now, p) {
		return false
	}
	var worst *peer
	for _, q := range l.list {
		if q == p || q.leaving || q.origin {
			continue
		}
		wait := idleLink
		if q.member == nil && p.member != nil {
			wait = idleStranger
		}
		if l.idle(q, l.s.now-wait) && (worst == nil || l.goesBefore(q, worst)) {
			worst = q
		}
	}
	if worst == nil {
		return false
	}
	l.remembered.noteIdle(l.s.now, worst)
	l.drop(worst, "others are in need of the place, and nothing goes over the link")
	return true
}

func (l *links) goesBefore(a, b *peer) bool {
	if (a.member == nil) != (b.member == nil) {
		return a.member == nil
	}
	return a.usedAt < b.usedAt
}

// giveUp ends the link that is of least use, for the sake of other members of this process: one
// that nothing goes over, if there is one.
func (l *links) giveUp() {
	var worst *peer
	for _, q := range l.list {
		if !q.leaving && !q.origin && (worst == nil || l.givenUpBefore(q, worst)) {
			worst = q
		}
	}
	if worst != nil {
		l.remembered.noteIdle(l.s.now, worst)
		l.drop(worst, "this process has as many links as it may, and others have fewer")
	}
}

func (l *links) givenUpBefore(a, b *peer) bool {
	if x, y := l.idle(a, l.s.now), l.idle(b, l.s.now); x != y {
		return x
	}
	return l.goesBefore(a, b)
}
