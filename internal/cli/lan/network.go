package lan

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// A network is an interface of this machine that leads to a private network.
type network struct {
	ifi   net.Interface
	addrs []netip.Prefix // this machine's there, with their networks; private ones alone
}

// networks are those that this machine is on now.
func networks() ([]network, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []network
	for _, ifi := range all {
		const needed = net.FlagUp | net.FlagMulticast
		if ifi.Flags&needed != needed || ifi.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
			continue
		}
		n := network{ifi: ifi}
		for _, p := range addressesOf(ifi) {
			if isPrivate(p.Addr()) {
				n.addrs = append(n.addrs, p)
			}
		}
		if len(n.addrs) > 0 {
			out = append(out, n)
		}
	}
	return out, nil
}

// addressesOf are the addresses of an interface; none if they cannot be told.
func addressesOf(ifi net.Interface) []netip.Prefix {
	addrs, err := ifi.Addrs()
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()))
		}
	}
	return out
}

// isPrivate reports whether an address means something only on a private network.
func isPrivate(a netip.Addr) bool { return a.IsPrivate() || a.IsLinkLocalUnicast() }

// contains reports whether an address is one of this network, as far as its form tells.
func (n *network) contains(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range n.addrs {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// has tells whether there is an address of a kind.
func (n *network) has(is func(netip.Addr) bool) bool {
	return slices.ContainsFunc(n.addrs, func(p netip.Prefix) bool { return is(p.Addr()) })
}

// key tells networks apart, also those of one interface whose addresses changed.
func (n *network) key() string {
	var b strings.Builder
	b.WriteString(n.ifi.Name)
	for _, p := range n.addrs {
		b.WriteString(" " + p.String())
	}
	return b.String()
}

// virtual are the beginnings of the names of interfaces that lead to containers and virtual
// machines of this very machine.
var virtual = []string{
	"docker", "br-", "veth", "virbr", "cni", "flannel", "cali", "lxc", "lxdbr", "podman", "vmnet",
	"vboxnet", "kube", "weave", "nerdctl", "vEthernet", "bridge1",
}

// Addresses returns the addresses under which others may reach this machine, the likeliest first:
// the one from which it would speak to the rest of the world; then private, public and IPv6 ones.
// Those of networks within this machine come only if there is no other, and loopback only if there
// is nothing else.
func Addresses() []netip.Addr {
	all, err := net.Interfaces()
	if err != nil {
		all = nil
	}
	var found []candidate
	for _, ifi := range all {
		if ifi.Flags&net.FlagUp == 0 {
			continue
		}
		for _, p := range addressesOf(ifi) {
			found = append(found, candidate{p.Addr(), ifi.Name, ifi.Flags})
		}
	}
	return ranked(found, preferred())
}

// A candidate is an address of this machine.
type candidate struct {
	addr  netip.Addr
	name  string // of its interface
	flags net.Flags
}

// The ranks of candidates. One that is not nearby hides what comes from nearby on.
const (
	preferredRank = iota
	private4
	public4
	global6
	private6
	tunnel
	nearby   // rather within this machine
	loopback // only for this machine
	never
)

func (c *candidate) rank(preferred []netip.Addr) int {
	inside := slices.ContainsFunc(virtual, func(s string) bool { return strings.HasPrefix(c.name, s) })
	switch {
	case c.addr.IsLoopback():
		return loopback
	case c.addr.Is6() && c.addr.IsLinkLocalUnicast():
		return never // it needs the name of an interface at the other end
	case !c.addr.IsGlobalUnicast() && !c.addr.IsLinkLocalUnicast():
		return never
	case inside || c.addr.IsLinkLocalUnicast():
		return nearby
	case slices.Contains(preferred, c.addr) && c.addr.Is4():
		return preferredRank
	case c.flags&net.FlagPointToPoint != 0:
		return tunnel
	case c.addr.Is4() && c.addr.IsPrivate():
		return private4
	case c.addr.Is4():
		return public4
	case c.addr.IsPrivate():
		return private6
	}
	return global6
}

// mostAddresses bounds what is told of this machine; of IPv6, where hosts give themselves a new
// address each day, those of one interface and kind are one.
const mostAddresses = 8

func ranked(found []candidate, preferred []netip.Addr) []netip.Addr {
	rank := func(c candidate) int { return c.rank(preferred) }
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(preference(preferred, a.addr), preference(preferred, b.addr)),
		)
	})
	var out []netip.Addr
	best := never
	told := make(map[string]bool) // interface and rank of IPv6 addresses
	for _, c := range found {
		is := rank(c)
		hidden := best < nearby && is >= nearby || best < loopback && is >= loopback
		if is == never || hidden || len(out) == mostAddresses {
			break
		}
		if kind := c.name + " " + string(rune('0'+is)); c.addr.Is6() {
			if told[kind] {
				continue
			}
			told[kind] = true
		}
		if !slices.Contains(out, c.addr) {
			out = append(out, c.addr)
		}
		best = min(best, is)
	}
	return out
}

func preference(preferred []netip.Addr, a netip.Addr) int {
	if slices.Contains(preferred, a) {
		return 0
	}
	return 1
}

// preferred are the addresses from which the system would speak to others far away. Nothing is
// sent: a datagram socket only looks for the way.
func preferred() []netip.Addr {
	var out []netip.Addr
	for _, far := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		nc, err := net.Dial("udp", far)
		if err != nil {
			continue // there is no way
		}
		if a, ok := nc.LocalAddr().(*net.UDPAddr); ok {
			out = append(out, a.AddrPort().Addr().Unmap())
		}
		nc.Close()
	}
	return out
}
