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

// member is somebody whom this member was told of.
type member struct {
	id      proto.PeerID // zero where only an address is known
	addrs   []netip.AddrPort
	pending bool // a dial is out
	link    bool // a link is up
	seed    bool // had everything when the link ended because both had
	fails   int
	after   time.Duration // not to be dialled before
}

const (
	redialFirst = 2 * time.Second
	redialMost  = 2 * time.Minute
	// knownMost bounds what is remembered of members; the conductor hands out few, so only a flood comes near it.
	knownMost = 1000
)

// found remembers a member. What was learned of one before stays.
func (s *Swarm) found(ev Found) {
	if ev.ID == s.cfg.ID || len(ev.Addrs) == 0 {
		return
	}
	for _, m := range s.known {
		if (ev.ID != proto.PeerID{} && m.id == ev.ID) || (ev.ID == proto.PeerID{} && slices.Contains(m.addrs, ev.Addrs[0])) {
			if !slices.Equal(m.addrs, ev.Addrs) {
				m.addrs, m.fails, m.after = ev.Addrs, 0, s.now
			}
			m.seed = false
			return
		}
	}
	if len(s.known) >= knownMost {
		return
	}
	m := &member{id: ev.ID, addrs: ev.Addrs}
	for _, p := range s.peers {
		m.link = m.link || (p != nil && m.id == p.id)
	}
	s.known = append(s.known, m)
	s.foundAt = min(s.foundAt, s.now)
}

func (s *Swarm) gone(id proto.PeerID) {
	s.known = slices.DeleteFunc(s.known, func(m *member) bool { return m.id == id && !m.pending })
}

// Others dial as well, so most members have more links than they opened. Who has few of them after a while opens more: it would be helped by few.
const (
	fewLinks = 12
	fewAfter = 2 * time.Second // since it was told of the first member
	// orphanAfter is the same for who is in want of an upstream, or of a downstream: it may be somebody that it has no link to.
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
	for _, m := range s.known {
		if m.pending {
			opened++
			pending++
		}
	}
	few, at := s.few()
	for s.links+pending < s.maxLinks() && (opened < s.cfg.Dials || (s.now >= at && s.links+pending < few)) {
		m := s.nextMember()
		if m == nil {
			return
		}
		m.pending = true
		opened++
		pending++
		s.emit(Dial{m.id, m.addrs})
	}
}

// few tells how many links are few, and from when on.
func (s *Swarm) few() (int, time.Duration) {
	if s.chained() && (s.orphan() || s.chain.down == nil) {
		return s.maxLinks(), s.foundAt + orphanAfter
	}
	return fewLinks, s.foundAt + fewAfter
}

// maxLinks is how many links there may be: more in a chain, since little is said over most of them.
func (s *Swarm) maxLinks() int {
	if s.chained() {
		return s.chainLinks()
	}
	return cmp.Or(s.cfg.MaxPeers, meshPeers)
}

// chainLinks is how many links there may be in a chain. It has no more members than that, since whoever is without an upstream must find its end.
func (s *Swarm) chainLinks() int { return cmp.Or(s.cfg.MaxPeers, chainPeers) }

const (
	meshPeers  = 20
	chainPeers = 100
)

// shed ends links that only a chain has a use for, about as many as leave keptLinks. Both ends of a link choose alike, by their peer ids, so that what
// stays is a random graph.
func (s *Swarm) shed() {
	if s.links <= s.maxLinks() {
		return
	}
	keep := math.MaxUint32 / uint32(s.links) * keptLinks
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

// nextMember chooses by chance among the members that may be dialled now.
func (s *Swarm) nextMember() *member {
	var chosen *member
	n := 0
	for _, m := range s.known {
		if m.dialable() && m.after <= s.now {
			if n++; s.rng.IntN(n) == 0 {
				chosen = m
			}
		}
	}
	return chosen
}

func (m *member) dialable() bool { return !m.pending && !m.link && !m.seed }

func (s *Swarm) nextDial() time.Duration {
	at := never
	few, fewAt := s.few()
	for _, m := range s.known {
		switch {
		case !m.dialable():
		case m.after > s.now:
			at = min(at, m.after)
		case s.links < few && fewAt > s.now:
			at = min(at, fewAt)
		}
	}
	return at
}

func (s *Swarm) dialFailed(d Dial) {
	if m := s.memberOf(d.ID, d.Addrs); m != nil {
		m.pending = false
		s.later(m)
	}
}

// later puts off the next dial of a member, longer each time.
func (s *Swarm) later(m *member) {
	wait := min(redialFirst<<min(m.fails, 10), redialMost)
	m.fails++
	m.after = max(m.after, s.now+wait/2+time.Duration(s.rng.Int64N(int64(wait)))) // it may be cut off until later
}

func (s *Swarm) memberOf(id proto.PeerID, addrs []netip.AddrPort) *member {
	for _, m := range s.known {
		if id != (proto.PeerID{}) && m.id == id {
			return m
		}
	}
	for _, m := range s.known {
		for _, a := range addrs {
			if slices.Contains(m.addrs, a) {
				return m
			}
		}
	}
	return nil
}

// admit decides whether a new link stays; the answer is why not. Of two links to one member both ends keep the one opened by the
// smaller peer id, so that they choose the same; with a foreign client, which does not know the rule, the older one.
func (s *Swarm) admit(p *peer) string {
	if m := s.memberOf(p.id, []netip.AddrPort{p.addr}); m != nil && (p.dialled || m.id == p.id) {
		if p.dialled {
			m.pending = false
		}
		if m.id == (proto.PeerID{}) {
			m.id = p.id
		}
		m.link, m.fails = true, 0
		p.member = m
	}
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
		if p.foreign() || q.foreign() || p.dialled == q.dialled || s.opener(p) > 0 {
			return "a second link to the same member"
		}
		s.drop(q, "a second link to the same member")
		return ""
	}
	if s.links >= s.maxLinks() && !s.makeRoom(p) {
		return "too many links"
	}
	return ""
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
	m.link = false
	m.seed = s.complete(p) && s.missing == 0
	s.later(m)
}

// forget drops a member for good.
func (s *Swarm) forget(id proto.PeerID) {
	s.known = slices.DeleteFunc(s.known, func(m *member) bool { return m.id == id })
}
