package swarm

import (
	"hash/fnv"
	"math"
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// found remembers a member.
func (l *links) found(ev Found) {
	if ev.ID == (proto.PeerID{}) {
		ev.Addrs = l.s.book.own.others(ev.Addrs)
	}
	if ev.ID == l.s.cfg.ID || len(ev.Addrs) == 0 {
		return
	}
	linked := false
	for _, p := range l.list {
		linked = linked || ev.ID == p.id
	}
	moved := l.s.book.found(l.s.now, ev, linked)
	for _, p := range l.list {
		if p.member == nil && p.id == ev.ID { // it came before anybody told of it
			p.member = l.s.book.of(ev.ID, nil)
		}
		if moved != nil && p.member == moved && !moved.isAt(p.addr.Addr()) {
			l.s.emit(Doubt{p.index})
		}
	}
}

// isAt reports whether one of the member's addresses is of that host.
func (m *member) isAt(host netip.Addr) bool {
	return slices.ContainsFunc(m.addrs, func(a netip.AddrPort) bool { return a.Addr() == host })
}

// tend opens links while there are too few.
func (l *links) tend() {
	l.s.book.expire(l.s.now)
	l.s.book.hurries(l.wanting())
	l.s.lull.doubt()
	l.dial()
	l.dialHint()
}

// wanting reports whether something is missing here that nobody linked to has and sends.
func (l *links) wanting() bool {
	return l.s.missing > 0 && !slices.ContainsFunc(l.list, func(p *peer) bool {
		return !p.origin && p.useful > 0 && !p.leaving && !p.choked && !p.sends.onTrial()
	})
}

// dial opens links while this member has opened too few of them, or has too few. Those that are of
// no use do not count, and give their places up.
func (l *links) dial() {
	b := &l.s.book
	few, at := l.s.plan.fewLinks()
	vain, opened := l.vains()
	for l.opened-opened+b.pending < l.s.cfg.Dials ||
		(l.s.now >= at && l.up-vain+b.pending < few) {
		if l.up+b.pending >= l.s.plan.mostLinks()+vain {
			return
		}
		m := b.next(l.s.now)
		if m == nil {
			return
		}
		if l.up+b.pending >= l.s.plan.mostLinks() {
			if !l.dropVain() {
				return
			}
			vain, opened = l.vains()
		}
		addrs := b.dials(l.s.now, m)
		id := m.id
		if m.name != "" {
			id = proto.PeerID{} // whoever is there now
		}
		l.s.emit(Dial{id, addrs})
	}
}

// shed ends links that only a chain has a use for, about as many as leave keptLinks. Both ends of a
// link choose alike, by their peer ids, so that what stays is a random graph.
func (l *links) shed() {
	if l.up <= l.s.plan.mostLinks() {
		return
	}
	keep := uint32(min(math.MaxUint32/uint64(l.up)*keptLinks, math.MaxUint32))
	for _, p := range l.list {
		if !p.origin && p.begun == 0 && len(p.grants) == 0 && l.lot(p) > keep {
			l.drop(p, "fewer links are enough without a chain")
		}
	}
}

// lot is a number that both ends of a link to a peer draw alike.
func (l *links) lot(p *peer) uint32 {
	h := fnv.New32a()
	for i := range p.id {
		h.Write([]byte{p.id[i] ^ l.s.cfg.ID[i]})
	}
	return h.Sum32()
}

const keptLinks = 16

// due is when tend has something to do if nothing happens.
func (l *links) due() time.Duration {
	few, mayAt := l.s.plan.fewLinks()
	if l.up >= few {
		mayAt = l.s.now
	}
	return min(l.s.book.nextDial(l.s.now, mayAt), l.s.lull.due(), l.hintDue())
}
