package swarm

import (
	"net/netip"
	"slices"

	"orchestra/proto"
)

// What the simulator looks at. It drives member/link, which imports this package, so its tests are
// outside of it.

// Constants that tests of whole swarms reckon with.
const (
	BadLeast  = badLeast
	BadParts  = badParts
	MenuBytes = menuBytes
	MenuRuns  = menuRuns
	CallAfter = callAfter
)

func (s *Swarm) Parts() int                { return s.parts }
func (s *Swarm) PartLen(part uint32) int64 { return s.partLen(part) }
func (s *Swarm) Finished() bool            { return s.finished }

// Upstream is who sends to this member, if it is in a chain.
func (s *Swarm) Upstream() (id proto.PeerID, ok bool) {
	if up := s.plan.chain.up; up != nil && !s.plan.chain.broken {
		return up.id, true
	}
	return id, false
}

// Downstream is whom this member sends to.
func (s *Swarm) Downstream() (id proto.PeerID, ok bool) {
	if down := s.plan.chain.down; down != nil {
		return down.id, true
	}
	return id, false
}

// Broken reports whether this member has given the chain up.
func (s *Swarm) Broken() bool { return s.plan.chain.broken }

// GiveUp has this member give the chain up, as it does when somebody waits for long.
func (s *Swarm) GiveUp() { s.plan.giveUp(nil) }

// CutOff is whose links this member refuses.
func (s *Swarm) CutOff() (hosts []netip.Addr) {
	for c, r := range s.trust.records {
		if r.until > 0 {
			hosts = append(hosts, c.host)
		}
	}
	slices.SortFunc(hosts, netip.Addr.Compare)
	return hosts
}

// Blamed is whom this member holds bad parts against.
func (s *Swarm) Blamed() (hosts []netip.Addr) {
	for c, r := range s.trust.records {
		if len(r.bad) > 0 || r.until > 0 {
			hosts = append(hosts, c.host)
		}
	}
	slices.SortFunc(hosts, netip.Addr.Compare)
	return hosts
}

// Pulls reports whether this member asks an origin.
func (s *Swarm) Pulls() bool {
	return slices.ContainsFunc(s.origins.list, func(p *peer) bool { return p.on })
}
