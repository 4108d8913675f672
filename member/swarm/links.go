package swarm

import "slices"

// links are the connections to peers that are up, and what was said of who is to send.
type links struct {
	s      *Swarm
	peers  []*peer // by Peer; nil: no such link
	list   []*peer // those that there are, in this order
	up     int     // that were not dropped
	opened int     // links that this member opened
	seeds  int     // peers that have every part
	ever   bool    // somebody was linked to, ever

	remembered memory // who made this member wait
	hints      hints  // where peers say that others are
}

// drop ends a link. Its place is free from now on; it is gone when the shell says so.
func (l *links) drop(p *peer, why string) { l.ends(p, Drop{Peer: p.index, Why: why}) }

// part ends a link to a peer that has everything, as this member has: it is to know that, so that
// it does not come back for nothing.
func (l *links) part(p *peer) {
	l.ends(p, Drop{Peer: p.index, Why: "both have everything", Said: true})
}

func (l *links) ends(p *peer, drop Drop) {
	if !p.leaving {
		p.leaving = true
		if !p.origin {
			l.up--
		}
	}
	l.s.emit(drop)
}

// seat makes a peer one of those that there are.
func (l *links) seat(p *peer) {
	for len(l.peers) <= p.index {
		l.peers = append(l.peers, nil)
	}
	l.peers[p.index] = p
	byIndex := func(q *peer, i int) int { return q.index - i }
	at, _ := slices.BinarySearchFunc(l.list, p.index, byIndex)
	l.list = slices.Insert(l.list, at, p)
}

func (l *links) joined(ev Joined) {
	p := &peer{
		index: ev.Peer, id: ev.ID, addr: ev.Addr, port: ev.Port, dialled: ev.Dialled,
		maxRun: ev.MaxRun, maxQueue: ev.MaxQueue, roundTrip: ev.RoundTrip, hears: ev.Hears,
		heard: l.s.now, since: l.s.now, usedAt: l.s.now,
		menu: menu{choked: true}, service: service{choking: true},
	}
	l.seat(p)
	if p.dialled {
		l.opened++
	}
	l.remembered.recall(l.s.now, p)
	l.s.requests.linked(p)
	if p.dialled {
		l.hints.ended(p.addr)
	}
	why := l.admit(p)
	l.up++
	l.s.plan.linked(p)
	if !ev.Dialled {
		l.s.stats.Incoming++
	}
	if why != "" {
		l.drop(p, why)
		return
	}
	l.ever = true
	offer := Offer{Peer: p.index, All: l.s.haveN == l.s.parts}
	if !offer.All && l.s.haveN > 0 {
		offer.Bits = slices.Clone(l.s.have)
	}
	l.s.emit(offer)
	l.s.grants.greet(p)
	l.s.plan.greet(p)
}

// left forgets a link: what was asked of the peer is free for others again.
func (l *links) left(i int) {
	p := l.peer(i)
	if p == nil {
		return
	}
	l.peers[i], p.gone = nil, true
	at := slices.Index(l.list, p)
	l.list = slices.Delete(l.list, at, at+1)
	if p.origin {
		l.s.origins.left(p)
		l.s.trust.forgetPeer(p)
		l.s.requests.freeAll(p)
		l.s.requests.fillOthers(nil)
		return
	}
	if p.dialled {
		l.opened--
	}
	l.s.lull.misses(p)
	if !p.leaving {
		l.up--
	}
	l.s.plan.unlinked(p)
	l.s.origins.memberLeft(p)
	l.unlink(p)
	l.s.trust.forgetPeer(p)
	l.s.trust.walksOut(p)
	l.s.requests.freeAll(p)
	l.s.grants.unlinked(p)
	switch {
	case p.all:
		l.seeds--
	case p.has != nil:
		p.has.each(l.s.rare.dec)
	}
	l.s.requests.fillOthers(nil)
}

// showInterest tells a peer whether it should send. It should if it has something that this member
// lacks, unless so many members are sending that the line has no room for one more: each of them
// chooses for itself whom to help, and this keeps them apart. Who is not needed is not asked to
// send, and serves this member last.
func (l *links) showInterest(p *peer) {
	if p.origin {
		return
	}
	useful := p.useful > 0 || len(p.coming) > 0 ||
		(p.interesting && l.s.missing > 0 && !p.foreign())
	needed := !l.s.lines.swamped && l.s.plan.needs(p)
	if on := useful && (needed || p.foreign()) && !l.s.setbacks.full; on != p.interesting {
		p.interesting = on
		l.s.emit(SetInterest{p.index, on})
	}
}

// gained takes in that this member has a part now, and lost that it lacks one again.
func (l *links) gained(part uint32) { l.useful(part, -1) }

func (l *links) lost(part uint32) { l.useful(part, 1) }

func (l *links) useful(part uint32, n int) {
	for _, p := range l.list {
		if p.hasPart(part) {
			p.useful += n
			l.showInterest(p)
		}
	}
}

// showInterests tells each peer anew whether it should send.
func (l *links) showInterests() {
	for _, p := range l.list {
		l.showInterest(p)
	}
}

// dropSeeds ends the links that nothing can come of: this member has everything, and so has the
// peer.
func (l *links) dropSeeds() {
	for _, p := range l.list {
		if l.s.complete(p) && !p.origin {
			l.part(p)
		}
	}
}

// unlink lets a member be dialled again after its link ended, unless another link to it is up.
func (l *links) unlink(p *peer) {
	last := parting{all: l.s.complete(p), whole: l.s.missing == 0, used: p.usedAt > p.since}
	if !last.whole && l.s.now-p.since >= idleLink {
		last.used = true // it would have been, if there had been something to send
	}
	m := p.member
	if m == nil {
		l.s.book.strangerLeft(l.s.now, p.place(), last)
		return
	}
	for _, q := range l.list {
		if q.member == m {
			return
		}
	}
	l.s.book.unlinked(l.s.now, m, last)
}

// peer returns the far end of a link; nil: there is no such link.
func (l *links) peer(i int) *peer {
	if i < 0 || i >= len(l.peers) {
		return nil
	}
	return l.peers[i]
}
