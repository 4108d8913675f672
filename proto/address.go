package proto

import (
	"encoding/binary"
	"net/netip"
)

const (
	familyNone = 0
	family4    = 4
	family6    = 6
)

// appendAddr appends an address; the zero one and others that are not valid
// as no address. The zone means nothing to others and is left out.
func appendAddr(b []byte, a netip.AddrPort) []byte {
	host := a.Addr().Unmap()
	switch {
	case host.Is4():
		v4 := host.As4()
		b = append(append(b, family4), v4[:]...)
	case host.Is6():
		v6 := host.As16()
		b = append(append(b, family6), v6[:]...)
	default:
		return append(b, familyNone)
	}
	return binary.BigEndian.AppendUint16(b, a.Port())
}

// appendAddrs appends a list of the valid ones of addrs, MaxAddrs at most.
func appendAddrs(b []byte, addrs []netip.AddrPort) []byte {
	count := len(b)
	b = append(b, 0)
	for _, a := range addrs {
		if a.IsValid() && b[count] < MaxAddrs {
			b = appendAddr(b, a)
			b[count]++
		}
	}
	return b
}

// appendText appends a text. One that is too long is left out, since a part of
// a host name would name another host.
func appendText(b []byte, s string) []byte {
	if len(s) > MaxText {
		s = ""
	}
	return append(append(b, byte(len(s))), s...)
}

// addr reads an address.
func (d *decoder) addr() netip.AddrPort {
	var host netip.Addr
	switch family := d.uint8("address family"); family {
	case familyNone:
		return netip.AddrPort{}
	case family4:
		host = netip.AddrFrom4([4]byte(d.bytes(4, "IPv4 address")))
	case family6:
		host = netip.AddrFrom16([16]byte(d.bytes(16, "IPv6 address")))
		if d.err == nil && host.Is4In6() {
			d.fail("an IPv4 address mapped into IPv6, expected it as family 4")
		}
	default:
		d.fail("address family %d, expected 4 or 6", family)
	}
	return netip.AddrPortFrom(host, d.uint16("port"))
}

// addrs reads a list of least to MaxAddrs addresses.
func (d *decoder) addrs(least int) []netip.AddrPort {
	n := d.count(MaxAddrs, 1+4+2, "addresses")
	if n < least {
		d.fail("a member without an address")
	}
	if n == 0 || d.err != nil {
		return nil
	}
	list := make([]netip.AddrPort, n)
	for i := range list {
		if list[i] = d.addr(); d.err == nil && !list[i].IsValid() {
			d.fail("no address within a list of addresses")
		}
	}
	return list
}
