package hosts

import (
	"fmt"
	"slices"
	"testing"
)

// A Star is hosts with a router between them, on which faults are made. Each host
// is a network of its own, by IPv4 and IPv6.
type Star struct {
	*Lab
	hosts []string
}

// Router is the router's name among the hosts.
const Router = "router"

// NewStar makes hosts with these names, and a router.
func NewStar(t testing.TB, names ...string) *Star {
	t.Helper()
	s := &Star{NewLab(t, append(slices.Clone(names), Router)...), names}
	s.Do("ip netns exec @router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
	for i, name := range names {
		s.Do(fmt.Sprintf(`
ip -n @%[1]s link add eth0 type veth peer name port%[2]d netns @router
ip -n @router addr add 10.99.%[2]d.1/24 dev port%[2]d
ip -n @router addr add fd99:%[2]d::1/64 dev port%[2]d nodad noprefixroute
ip -n @router link set port%[2]d up
ip -n @router -6 route add fd99:%[2]d::/64 dev port%[2]d
ip -n @%[1]s addr add 10.99.%[2]d.2/24 dev eth0
ip -n @%[1]s addr add fd99:%[2]d::2/64 dev eth0 nodad
ip -n @%[1]s link set eth0 up
ip -n @%[1]s route add default via 10.99.%[2]d.1
ip -n @%[1]s -6 route add default via fd99:%[2]d::1`, name, i+1))
	}
	return s
}

// Address returns the IPv4 address of a host.
func (s *Star) Address(name string) string {
	return fmt.Sprintf("10.99.%d.2", s.number(name))
}

// Address6 returns the IPv6 address of a host.
func (s *Star) Address6(name string) string {
	return fmt.Sprintf("fd99:%d::2", s.number(name))
}

func (s *Star) number(name string) int {
	s.t.Helper()
	i := slices.Index(s.hosts, name)
	if i < 0 {
		s.t.Fatalf("no host %s in the star", name)
	}
	return i + 1
}

// Unplug takes a host's cable out: both ends see it.
func (s *Star) Unplug(name string) { s.plug(name, "down") }

// Plug puts a host's cable back.
func (s *Star) Plug(name string) { s.plug(name, "up") }

func (s *Star) plug(name, how string) {
	s.Do(fmt.Sprintf("ip -n @router link set port%d %s", s.number(name), how))
}

// Lose lets all packets from one host to another vanish, and nobody see why.
func (s *Star) Lose(from, to string) { s.lose("-I", from, to) }

// Find lets packets from one host to another through again.
func (s *Star) Find(from, to string) { s.lose("-D", from, to) }

func (s *Star) lose(what, from, to string) {
	for _, tables := range []string{"iptables", "ip6tables"} {
		s.Do(fmt.Sprintf("ip netns exec @router %s -w %s FORWARD -i port%d -o port%d -j DROP",
			tables, what, s.number(from), s.number(to)))
	}
}

// RefuseDials lets a host refuse all connections that another one opens by TCP.
func (s *Star) RefuseDials(from, to string) { s.refuse(from, to, "--syn") }

// RefuseText ends a connection by TCP over which one host says something to
// another that has this text in it, in one packet and as it is.
func (s *Star) RefuseText(from, to, text string) {
	s.refuse(from, to, fmt.Sprintf("-m string --algo bm --string '%s'", text))
}

func (s *Star) refuse(from, to, what string) {
	for _, tables := range []string{"iptables", "ip6tables"} {
		s.Do(fmt.Sprintf("ip netns exec @router %s -w -I FORWARD -i port%d -o port%d -p tcp %s "+
			"-j REJECT --reject-with tcp-reset", tables, s.number(from), s.number(to), what))
	}
}

// Cut loses all packets between a host and all others; Mend ends that.
func (s *Star) Cut(name string) { s.cut("-I", name) }

// Mend ends a Cut.
func (s *Star) Mend(name string) { s.cut("-D", name) }

func (s *Star) cut(what, name string) {
	for _, tables := range []string{"iptables", "ip6tables"} {
		s.Do(fmt.Sprintf(`ip netns exec @router %[1]s -w %[2]s FORWARD -i port%[3]d -j DROP
ip netns exec @router %[1]s -w %[2]s FORWARD -o port%[3]d -j DROP`, tables, what, s.number(name)))
	}
}

// Narrow lets no packet through to any host that is larger than so many bytes,
// and has nobody told: an MTU hole. Packets of IPv4 that may be fragmented are.
func (s *Star) Narrow(mtu int) {
	for i := range s.hosts {
		s.Do(fmt.Sprintf(`
ip -n @router route replace 10.99.%[1]d.0/24 dev port%[1]d src 10.99.%[1]d.1 mtu lock %[2]d
ip -n @router -6 route replace fd99:%[1]d::/64 dev port%[1]d mtu lock %[2]d`, i+1, mtu))
	}
	s.Do(`
ip netns exec @router iptables -w -I OUTPUT -p icmp -j DROP
ip netns exec @router ip6tables -w -I OUTPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP`)
}
