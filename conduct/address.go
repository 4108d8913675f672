package conduct

import (
	"net/netip"
	"slices"

	"orchestra/proto"
)

// A seat says where a connection stands: under which address the conductor
// sees the member, and under which address the member sees the conductor.
// IPv4 addresses mapped into IPv6 are unmapped in both.
type seat struct {
	from  netip.AddrPort // the member's end
	local netip.Addr     // the conductor's end
}

func newSeat(from, local netip.AddrPort) seat {
	return seat{
		from:  netip.AddrPortFrom(from.Addr().Unmap(), from.Port()),
		local: local.Addr().Unmap(),
	}
}

// near reports whether two members are seen from one source address: they
// are on one machine or behind one NAT. All of loopback is one machine.
func (s seat) near(o seat) bool {
	a, b := s.from.Addr(), o.from.Addr()
	return a == b || a.IsLoopback() && b.IsLoopback()
}

// source returns what the limits and the complaints count by: the IPv4
// address, the IPv6 /64 (one host has all of it), or one value for loopback.
func source(a netip.Addr) netip.Addr {
	a = a.Unmap()
	switch {
	case a.IsLoopback():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case a.Is6():
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// routable reports whether an address can mean the same host to others than
// the one that named it: not loopback, link-local, multicast or unspecified.
func routable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() &&
		!a.IsLinkLocalUnicast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// ownAddrs keeps of the addresses that a member named itself those that
// members beside it could dial.
func ownAddrs(named []netip.AddrPort) []netip.AddrPort {
	var own []netip.AddrPort
	for _, a := range named {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if a.Port() != 0 && routable(a.Addr()) && !slices.Contains(own, a) && len(own) < proto.MaxAddrs {
			own = append(own, a)
		}
	}
	return own
}

// mainFor returns the address at which a receiver finds the member under its
// observed source address and announced port, and false if there is none:
// a member seen from the conductor's loopback is on the conductor's machine,
// which a receiver elsewhere knows by the local address of its own
// connection; a link-local address means something on one link only.
func (e *entry) mainFor(to *seat) (netip.AddrPort, bool) {
	a := e.seat.from.Addr()
	switch {
	case a.IsLoopback() && to.from.Addr().IsLoopback():
	case a.IsLoopback():
		a = to.local
		if !a.IsValid() || a.IsLoopback() || a.IsUnspecified() {
			return netip.AddrPort{}, false
		}
	case a.IsLinkLocalUnicast():
		if to.from.Addr().Zone() != a.Zone() || !to.from.Addr().IsLinkLocalUnicast() {
			return netip.AddrPort{}, false
		}
	}
	return netip.AddrPortFrom(a.WithZone(""), e.port), true
}

// observedFor returns the address of mainFor if that is handed out to a receiver: see addrsFor.
func (e *entry) observedFor(to *seat) (netip.AddrPort, bool) {
	if e.main.state == claimBad && !e.seat.near(*to) {
		return netip.AddrPort{}, false
	}
	return e.mainFor(to)
}

// hasOneAddr reports whether addrsFor is observedFor, whoever the receiver is. Guests tell of no
// addresses.
func (e *entry) hasOneAddr() bool {
	return len(e.own) == 0 && (e.guest || e.advertised.state != claimGood)
}

// addrsFor appends to buf the addresses under which the member is handed out
// to a receiver, the likeliest first, at most proto.MaxAddrs; none if the receiver
// cannot be given any. The policy is documented in docs/architecture.md:
//
//   - a member that announced port 0 accepts no connections and has none;
//   - the advertised address goes out once a dial back reached it;
//   - the observed address goes out at once (a small swarm cannot wait for a
//     dial back) and, after a failed dial back, only to members near it;
//   - addresses that the member named itself go only to members near it.
func (e *entry) addrsFor(to seat, buf []netip.AddrPort) []netip.AddrPort {
	if e.port == 0 {
		return buf
	}
	start := len(buf)
	add := func(a netip.AddrPort) {
		if got := buf[start:]; len(got) < proto.MaxAddrs && !slices.Contains(got, a) {
			buf = append(buf, a)
		}
	}
	advertised := e.advertised.state == claimGood &&
		(!e.advertised.addr.Addr().IsLoopback() || to.from.Addr().IsLoopback())
	near := e.seat.near(to)
	main, ok := e.observedFor(&to)
	if !near {
		if advertised {
			add(e.advertised.addr)
		}
		if ok {
			add(main)
		}
		return buf
	}
	// Behind a NAT the addresses on the inside are likelier to answer than
	// the NAT's own; on one machine the observed address is.
	own := e.own
	if natted := !e.seat.from.Addr().IsLoopback() && len(own) > 0 && !slices.ContainsFunc(own, func(a netip.AddrPort) bool {
		return a.Addr() == e.seat.from.Addr().WithZone("")
	}); natted {
		own = own[:min(len(own), proto.MaxAddrs-1)]
		for _, a := range own {
			add(a)
		}
	}
	if ok {
		add(main)
	}
	for _, a := range own {
		add(a)
	}
	if advertised {
		add(e.advertised.addr)
	}
	return buf
}

// memberFor returns the member as it is handed out to a receiver, and false
// if it is not: see addrsFor, and complain.go for members in disrepute.
func (e *entry) memberFor(to seat) (proto.Member, bool) {
	if !e.isHandedOut() {
		return proto.Member{}, false
	}
	addrs := e.addrsFor(to, nil)
	return proto.Member{PeerID: e.peer, Addrs: addrs}, len(addrs) > 0
}
