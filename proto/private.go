package proto

import "net/netip"

// shared are networks that are no more public than those that netip calls private: carriers' own,
// this host, tests, and what stands for an IPv4 address in IPv6.
var shared = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

// IsPrivate reports whether an address is one that the open Internet must not choose for a member
// to ask at: of a private network, of this host or its links, or of nobody.
func IsPrivate(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() ||
		a.IsMulticast() {
		return true
	}
	for _, p := range shared {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
