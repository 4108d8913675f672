package lan

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A socket speaks to one network, over IPv4 or IPv6.
type socket struct {
	network network
	group   netip.AddrPort
	conn    *net.UDPConn
	read    func(b []byte) (n, ifi int, from net.Addr, err error) // ifi is 0 where it is not told
	write   func(b []byte, to net.Addr) error
}

// hops is the hop limit that mDNS asks for.
const hops = 255

// listen opens the socket on which all hear all: that of the group. Others on this machine have it
// too.
func listen(n network, group netip.AddrPort) (*socket, error) {
	family := "udp4"
	if group.Addr().Is6() {
		family = "udp6"
	}
	conn, err := net.ListenMulticastUDP(family, &n.ifi, net.UDPAddrFromAddrPort(group))
	if err != nil {
		return nil, err
	}
	return wrap(n, group, conn)
}

// call opens a socket of one's own, to which others answer alone.
func call(n network, group netip.AddrPort) (*socket, error) {
	family, any := "udp4", netip.IPv4Unspecified()
	if group.Addr().Is6() {
		family, any = "udp6", netip.IPv6Unspecified()
	}
	conn, err := net.ListenUDP(family, net.UDPAddrFromAddrPort(netip.AddrPortFrom(any, 0)))
	if err != nil {
		return nil, err
	}
	return wrap(n, group, conn)
}

func wrap(n network, group netip.AddrPort, conn *net.UDPConn) (*socket, error) {
	s := &socket{network: n, group: group, conn: conn}
	var err error
	if group.Addr().Is4() {
		p := ipv4.NewPacketConn(conn)
		err = speak(s, p, p.SetMulticastTTL, ipv4.FlagInterface,
			func(m *ipv4.ControlMessage) *int { return &m.IfIndex })
	} else {
		p := ipv6.NewPacketConn(conn)
		err = speak(s, p, p.SetMulticastHopLimit, ipv6.FlagInterface,
			func(m *ipv6.ControlMessage) *int { return &m.IfIndex })
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// packets are what a connection of either family does. Beside each message, M tells by which
// interface it comes or goes, if flags F were set.
type packets[M, F any] interface {
	SetMulticastInterface(*net.Interface) error
	SetMulticastLoopback(bool) error
	SetControlMessage(F, bool) error
	ReadFrom([]byte) (int, *M, net.Addr, error)
	WriteTo([]byte, *M, net.Addr) (int, error)
}

// speak has a socket read and write packets of the interface that leads to its network; ifi is
// where a message has its number.
func speak[M, F any](
	s *socket, p packets[M, F], setHops func(int) error, flag F, ifi func(*M) *int,
) error {
	own := s.network.ifi
	told := p.SetControlMessage(flag, true) == nil // not everywhere
	if err := errors.Join(
		p.SetMulticastInterface(&own), p.SetMulticastLoopback(true), setHops(hops),
	); err != nil {
		return err
	}
	s.read = func(b []byte) (int, int, net.Addr, error) {
		n, m, from, err := p.ReadFrom(b)
		if m == nil {
			return n, 0, from, err
		}
		return n, *ifi(m), from, err
	}
	s.write = func(b []byte, to net.Addr) error {
		var m *M
		if told {
			m = new(M)
			*ifi(m) = own.Index
		}
		_, err := p.WriteTo(b, m, to)
		return err
	}
	return nil
}

// receive returns the next message that came over this network from an address of it. A socket of
// the group hears what comes over other interfaces too, and what an address of another network says
// here is nobody's business.
func (s *socket) receive(b []byte) (message []byte, from netip.AddrPort, err error) {
	for {
		n, ifi, addr, err := s.read(b)
		if err != nil {
			return nil, netip.AddrPort{}, err
		}
		udp, ok := addr.(*net.UDPAddr)
		if !ok {
			return nil, netip.AddrPort{}, fmt.Errorf("a message from %v", addr)
		}
		from := udp.AddrPort()
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if s.isHere(ifi, from.Addr()) {
			return b[:n], from, nil
		}
	}
}

// isHere reports whether a message came over this network, from an address of it; ifi is 0 where
// the system does not tell the interface.
func (s *socket) isHere(ifi int, from netip.Addr) bool {
	own := s.network.ifi
	zone := from.Zone()
	return (ifi == 0 || ifi == own.Index) &&
		(zone == "" || zone == own.Name || zone == strconv.Itoa(own.Index)) && s.network.contains(from)
}

// sendAll sends to everybody on the network.
func (s *socket) sendAll(b []byte) error {
	to := s.group
	if to.Addr().Is6() {
		to = netip.AddrPortFrom(to.Addr().WithZone(s.network.ifi.Name), to.Port())
	}
	return s.send(b, to)
}

func (s *socket) send(b []byte, to netip.AddrPort) error {
	s.conn.SetWriteDeadline(time.Now().Add(time.Second))
	return s.write(b, net.UDPAddrFromAddrPort(to))
}

// groups are those that a network is spoken to in: of each family of which it has an address.
func groups(n *network) []netip.AddrPort {
	var out []netip.AddrPort
	if n.has(netip.Addr.Is4) {
		out = append(out, group4)
	}
	if n.has(netip.Addr.Is6) {
		out = append(out, group6)
	}
	return out
}
