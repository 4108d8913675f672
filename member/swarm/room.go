package swarm

import (
	"net/netip"
	"slices"
	"time"
)

// A link takes a place that somebody else may be in need of. Where all are taken, a link over
// which nothing goes makes room for a new one: first those to peers that nobody lists, which may
// be anybody. Who had to go does not come back at the cost of another one, so that places are
// not passed round.
const (
	// idleLink is how long nothing may go over a link while others wait for one.
	idleLink = 15 * time.Second
	// idleStranger is the same for a peer that nobody lists, where who waits is listed.
	idleStranger = 3 * time.Second
	// vainAgain is how long a member is not dialled after its link was of no use.
	vainAgain = 10 * time.Second
)

// idle reports whether a link has been of no use since a time: nothing went over it, this member
// asks the peer for nothing, and the peer does not wait for its turn.
func (l *links) idle(p *peer, since time.Duration) bool {
	return l.vain(p) || p.usedAt <= since && len(p.fetches) == 0 &&
		(len(p.wants) == 0 || p.takes.onTrial())
}

// vain reports whether a link is of no use so far: the peer sent nothing of what it was asked
// for, and takes nothing.
func (l *links) vain(p *peer) bool {
	return !p.origin && p.sends.onTrial() && !p.sent && p.begun == 0 && p.usedAt <= p.since &&
		(len(p.wants) == 0 || p.takes.onTrial())
}

// vains counts such links, and those of them that this member opened.
func (l *links) vains() (n, opened int) {
	for _, p := range l.list {
		if !p.leaving && l.vain(p) {
			if n++; p.dialled {
				opened++
			}
		}
	}
	return n, opened
}

// dropVain ends a link that is of no use, for the sake of who may be dialled, and reports whether
// there was one.
func (l *links) dropVain() bool {
	i := slices.IndexFunc(l.list, func(p *peer) bool { return !p.leaving && l.vain(p) })
	if i < 0 {
		return false
	}
	p := l.list[i]
	l.remembered.noteIdle(l.s.now, p)
	l.s.book.cutOff(p.id, hostOf(p.addr.Addr()), l.s.now+vainAgain)
	l.drop(p, "it sends nothing of what it is asked for, and others may")
	return true
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
		return l.share(p)
	}
	l.remembered.noteIdle(l.s.now, worst)
	l.drop(worst, "others are in need of the place, and nothing goes over the link")
	return true
}

// share ends a link to the host that has most, for the sake of a peer whose host has fewer even
// with its new link, and reports whether it did. So nobody takes all places by keeping his links
// just busy enough, and who shares an address with others has as many as there is room for.
func (l *links) share(p *peer) bool {
	of := map[netip.Addr]int{}
	for _, q := range l.list {
		if !q.leaving && !q.origin {
			of[hostOf(q.addr.Addr())]++
		}
	}
	own := of[hostOf(p.addr.Addr())] // p among them
	var worst *peer
	most := own
	for _, q := range l.list {
		if q == p || q.leaving || q.origin {
			continue
		}
		n := of[hostOf(q.addr.Addr())]
		if n > most || (worst != nil && n == most && l.givenUpBefore(q, worst)) {
			worst, most = q, n
		}
	}
	if worst == nil {
		return false
	}
	l.drop(worst, "others are in need of the place, and its host has more of them")
	return true
}

func (l *links) goesBefore(a, b *peer) bool {
	if x, y := l.vain(a), l.vain(b); x != y {
		return x
	}
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
