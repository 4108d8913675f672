package swarm

import (
	"bytes"
	"time"
)

// admit decides whether a new link stays; the answer is why not.
func (l *links) admit(p *peer) string {
	if p.id == l.s.cfg.ID {
		if p.dialled {
			l.s.book.itself(l.s.now, p.addr)
		}
		return "connected to itself"
	}
	p.member = l.s.book.linked(l.s.now, p.id, p.addr, p.dialled)
	if l.s.trust.cut(p) {
		return "sent bad data again and again"
	}
	for _, q := range l.list {
		if q == p || q.id != p.id {
			continue
		}
		if q.member == nil { // it came from somebody who is known by its address alone
			q.member = p.member
		}
		if !l.replaces(p, q) {
			if !l.race(p, q) {
				l.s.emit(Doubt{q.index})
			}
			return second
		}
		l.drop(q, second)
		return ""
	}
	if l.up >= l.s.plan.mostLinks() && !l.makeRoom(p) {
		return "too many links"
	}
	return ""
}

const second = "a second link to the same member"

// raceMost is how far apart two links come up that two members opened at the same time.
const raceMost = 5 * time.Second

// replaces reports whether a new link to the member that q is the link to is the one that stays.
//
// Two members may dial each other at the same time. Both ends keep the link opened by the smaller
// peer id then, so that they choose the same; with a foreign client, which does not know the rule,
// the older one. But nobody opens a second link who knows of the first: where that one owes
// something and is silent, the far end has lost it, with its address for instance. Anybody may say
// that he is this member, so a link that does not owe anything stays, in doubt: if it is dead
// that shows, and the far end tries again.
func (l *links) replaces(p, q *peer) bool {
	if q.begun > 0 && l.s.now-q.heard >= stalled {
		return true
	}
	return l.race(p, q) && !p.foreign() && !q.foreign() && l.opener(p) < 0
}

// race reports whether both ends opened a link to each other at the same time.
func (l *links) race(p, q *peer) bool {
	return p.dialled != q.dialled && l.s.now-q.since < raceMost
}

// opener compares the peer id of the end that opened the link with that of the other end.
func (l *links) opener(p *peer) int {
	if p.dialled {
		return bytes.Compare(l.s.cfg.ID[:], p.id[:])
	}
	return bytes.Compare(p.id[:], l.s.cfg.ID[:])
}
