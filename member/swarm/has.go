package swarm

// What peers have: they say so, gain parts, and lose some.

// withdrawn takes in that a peer no longer has a part.
func (l *links) withdrawn(ev Withdrawn) {
	p := l.peer(ev.Peer)
	if p == nil || int64(ev.Part) >= int64(l.s.parts) {
		return
	}
	l.peerLoses(p, ev.Part)
	l.s.trust.ownsUp(p, ev.Part)
	l.s.requests.fillOthers(nil)
}

// peerLoses notes that a peer is not to be asked for a part, and frees what it was asked of it.
// From then on what the peer has is counted part by part, so that no message costs more than it
// says.
func (l *links) peerLoses(p *peer, part uint32) {
	l.s.plan.relaysNoMore(p, part)
	if !p.hasPart(part) {
		return
	}
	if p.all {
		if !p.origin {
			l.seeds--
		}
		p.all, p.counted, p.has = false, true, newBitmap(l.s.parts)
		for part := range uint32(l.s.parts) {
			p.has.set(part)
			l.counts(p, part, 1)
		}
	}
	p.has.clear(part)
	p.hasN--
	l.counts(p, part, -1)
	if l.s.lacks(part) {
		p.useful--
	}
	l.s.requests.takeBack(p, part)
	l.showInterest(p)
}

// counts counts a peer more, or less, that has a part; an origin is none.
func (l *links) counts(p *peer, part uint32, n int) {
	switch {
	case p.origin:
	case n > 0:
		l.s.rare.inc(part)
	default:
		l.s.rare.dec(part)
	}
}

func (l *links) peerHas(ev Has) {
	p := l.peer(ev.Peer)
	if p == nil || p.all || planted == bugHave && p.off {
		return
	}
	p.heard = l.s.now
	switch {
	case ev.All && !p.counted:
		l.becomesSeed(p)
	case ev.Bits != nil:
		bitmap(ev.Bits).each(func(part uint32) { l.peerGains(p, part) })
	default:
		for _, part := range ev.Parts {
			if l.peerGains(p, part) {
				l.s.plan.peerGained(p)
			}
		}
	}
	if !p.all && l.s.complete(p) && !p.counted {
		l.becomesSeed(p)
	}
	if l.s.complete(p) && l.s.finished {
		l.part(p)
		return
	}
	l.s.trust.doubt(p)
	l.showInterest(p)
	l.s.requests.fill(p)
}

// peerGains notes a part that a peer has, and reports whether that is new.
func (l *links) peerGains(p *peer, part uint32) bool {
	if int(part) >= l.s.parts || p.hasPart(part) {
		return false
	}
	if p.has == nil {
		p.has = newBitmap(l.s.parts)
	}
	l.s.origins.gains(p, part)
	p.has.set(part)
	p.hasN++
	l.counts(p, part, 1)
	if l.s.lacks(part) {
		p.useful++
	}
	l.s.grants.unwant(p, part)
	l.s.plan.relaysNoMore(p, part)
	return true
}

func (l *links) becomesSeed(p *peer) {
	if p.has != nil {
		p.has.each(l.s.rare.dec)
		p.has = nil
	}
	p.all, p.hasN = true, l.s.parts
	l.s.plan.relaysNothing(p)
	p.useful = l.s.missing
	l.seeds++
}
