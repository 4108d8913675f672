package swarm

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"math"
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// found remembers a member.
func (s *Swarm) found(ev Found) {
	if ev.ID == s.cfg.ID || len(ev.Addrs) == 0 {
		return
	}
	linked := false
	for _, p := range s.peers {
		linked = linked || (p != nil && ev.ID == p.id)
	}
	moved := s.book.found(s.now, ev, linked)
	for _, p := range s.peers {
		if p != nil && moved != nil && p.member == moved && !moved.isAt(p.addr.Addr()) {
			s.emit(Doubt{p.index})
		}
	}
}

// isAt reports whether one of the member's addresses is of that host.
func (m *member) isAt(host netip.Addr) bool {
	return slices.ContainsFunc(m.addrs, func(a netip.AddrPort) bool { return a.Addr() == host })
}

// Others dial as well, so most members have more links than they opened. Who has few of them after
// a while opens more: it would be helped by few.
const (
	fewLinks = 12
	fewAfter = 2 * time.Second // since it was told of the first member
	// orphanAfter is the same for who is in want of an upstream, or of a downstream: it may be
	// somebody that it has no link to.
	orphanAfter = 200 * time.Millisecond
)

// dial opens links while this member has opened too few of them, or has too few.
func (s *Swarm) dial() {
	opened, pending := 0, 0
	for _, p := range s.peers {
		if p != nil && p.dialled {
			opened++
		}
	}
	for _, m := range s.book.known {
		if m.pending {
			opened++
			pending++
		}
	}
	few, at := s.few()
	for s.links+pending < s.maxLinks() && (opened < s.cfg.Dials || (s.now >= at && s.links+pending < few)) {
		m := s.book.next(s.now)
		if m == nil {
			return
		}
		m.pending, m.dialled = true, s.now
		opened++
		pending++
		id := m.id
		if m.name != "" {
			id = proto.PeerID{} // whoever is there now
		}
		s.emit(Dial{id, m.addrs})
	}
}

// few tells how many links are few, and from when on.
func (s *Swarm) few() (int, time.Duration) {
	if s.chained() && (s.orphan() || s.chain.down == nil) {
		return s.maxLinks(), s.book.foundAt + orphanAfter
	}
	return fewLinks, s.book.foundAt + fewAfter
}

// maxLinks is how many links there may be: more in a chain, since little is said over most of them.
func (s *Swarm) maxLinks() int {
	if s.chained() {
		return s.chainLinks()
	}
	return cmp.Or(s.cfg.MaxPeers, meshPeers)
}

// chainLinks is how many links there may be in a chain. It has no more members than that, since
// whoever is without an upstream must find its end.
func (s *Swarm) chainLinks() int { return cmp.Or(s.cfg.MaxPeers, chainPeers) }

const (
	meshPeers  = proto.MeshPeers
	chainPeers = proto.ChainPeers
)

// shed ends links that only a chain has a use for, about as many as leave keptLinks. Both ends of a
// link choose alike, by their peer ids, so that what stays is a random graph.
func (s *Swarm) shed() {
	if s.links <= s.maxLinks() {
		return
	}
	keep := uint32(min(math.MaxUint32/uint64(s.links)*keptLinks, math.MaxUint32))
	for _, p := range s.peers {
		if p != nil && p.begun == 0 && len(p.grants) == 0 && s.lot(p) > keep {
			s.drop(p, "fewer links are enough without a chain")
		}
	}
}

// lot is a number that both ends of a link to a peer draw alike.
func (s *Swarm) lot(p *peer) uint32 {
	h := fnv.New32a()
	for i := range p.id {
		h.Write([]byte{p.id[i] ^ s.cfg.ID[i]})
	}
	return h.Sum32()
}

const keptLinks = 16

func (s *Swarm) nextDial() time.Duration {
	few, mayAt := s.few()
	if s.links >= few {
		mayAt = s.now
	}
	return s.book.nextDial(s.now, mayAt)
}

// admit decides whether a new link stays; the answer is why not.
func (s *Swarm) admit(p *peer) string {
	p.member = s.book.linked(p.id, p.addr, p.dialled)
	switch {
	case p.id == s.cfg.ID:
		s.forget(p.id)
		return "connected to itself"
	case s.cut(p):
		return "sent bad data again and again"
	}
	for _, q := range s.peers {
		if q == nil || q == p || q.id != p.id {
			continue
		}
		if !s.replaces(p, q) {
			if !s.race(p, q) {
				s.emit(Doubt{q.index})
			}
			return second
		}
		s.drop(q, second)
		return ""
	}
	if s.links >= s.maxLinks() && !s.makeRoom(p) {
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
func (s *Swarm) replaces(p, q *peer) bool {
	if q.begun > 0 && s.now-q.heard >= stalled {
		return true
	}
	return s.race(p, q) && !p.foreign() && !q.foreign() && s.opener(p) < 0
}

// race reports whether both ends opened a link to each other at the same time.
func (s *Swarm) race(p, q *peer) bool {
	return p.dialled != q.dialled && s.now-q.since < raceMost
}

// opener compares the peer id of the end that opened the link with that of the other end.
func (s *Swarm) opener(p *peer) int {
	if p.dialled {
		return bytes.Compare(s.cfg.ID[:], p.id[:])
	}
	return bytes.Compare(p.id[:], s.cfg.ID[:])
}

// unlink lets a member be dialled again after its link ended, unless another link to it is up.
func (s *Swarm) unlink(p *peer) {
	m := p.member
	if m == nil {
		return
	}
	for _, q := range s.peers {
		if q != nil && q.member == m {
			return
		}
	}
	m.seed, m.all = s.complete(p) && s.missing == 0, s.complete(p)
	s.book.unlinked(s.now, m)
}

// forget drops a member for good.
func (s *Swarm) forget(id proto.PeerID) {
	s.book.forget(id)
}
