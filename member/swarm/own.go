package swarm

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// Trackers and peers tell a member of itself, too. Where it has found itself it dials nobody,
// unless somebody else is said to be there by its peer id, or is found there.

// ownPlaces is where this member found itself.
type ownPlaces struct{ list []netip.AddrPort }

// ownMost is how many are remembered.
const ownMost = 64

func (o *ownPlaces) has(addr netip.AddrPort) bool { return slices.Contains(o.list, addr) }

func (o *ownPlaces) add(addr netip.AddrPort) {
	if o.has(addr) {
		return
	}
	if len(o.list) == ownMost {
		o.list = slices.Delete(o.list, 0, 1)
	}
	o.list = append(o.list, addr)
}

// forget takes in that somebody else was found at an address.
func (o *ownPlaces) forget(addr netip.AddrPort) {
	o.list = slices.DeleteFunc(o.list, func(a netip.AddrPort) bool { return a == addr })
}

// others returns those of some addresses at which this member did not find itself.
func (o *ownPlaces) others(addrs []netip.AddrPort) []netip.AddrPort {
	if !slices.ContainsFunc(addrs, o.has) {
		return addrs
	}
	return slices.DeleteFunc(slices.Clone(addrs), o.has)
}

// itself takes in that this member answered at an address that it dialled. Who is known by that
// address alone is no member.
func (b *book) itself(now time.Duration, addr netip.AddrPort) {
	b.targets.reached(now, addr, b.self)
	b.own.add(addr)
	b.changed()
	for _, m := range slices.Clone(b.known) {
		switch {
		case !slices.Contains(m.addrs, addr):
			continue
		case m.pending:
			b.pend(m, false)
			b.later(now, m)
		}
		if m.id != (proto.PeerID{}) {
			continue
		}
		if m.addrs = b.own.others(m.addrs); len(m.addrs) == 0 {
			b.drop(m)
		}
	}
}
