package swarm

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// A Linked is what is known of a peer, for people to look at.
type Linked struct {
	Peer  int
	ID    proto.PeerID
	Addr  netip.AddrPort
	Since time.Duration // when the link came up
	Have  int           // parts
	// of these; nil if it has nothing or everything, or if they were not asked for
	Bits []byte
	Good int64 // bytes of parts that it sent and that verified
}

// Linked returns what is known of the peers that are linked, with which parts they have or without.
func (s *Swarm) Linked(bits bool) []Linked {
	all := make([]Linked, 0, s.links.up)
	for _, p := range s.links.list {
		if p.leaving || p.origin {
			continue
		}
		l := Linked{Peer: p.index, ID: p.id, Addr: p.addr, Since: p.since, Have: p.hasN, Good: p.good}
		if p.all {
			l.Have = s.parts
		} else if bits && p.has != nil {
			l.Bits = slices.Clone(p.has)
		}
		all = append(all, l)
	}
	return all
}

// HasAll reports whether a peer has everything.
func (s *Swarm) HasAll(peer int) bool {
	p := s.links.peer(peer)
	return p != nil && s.complete(p)
}

// Bits returns which parts are stored, the first one as the highest bit of the first byte.
func (s *Swarm) Bits() []byte { return slices.Clone(s.have) }
