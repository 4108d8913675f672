package member

import (
	"net"
	"net/netip"
	"testing"
)

// quiet is a stranger that says nothing.
type quiet struct {
	net.Conn
	closed bool
}

func (c *quiet) Close() error { c.closed = true; return nil }

func TestGate(t *testing.T) {
	from := func(host int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(host)}), 1000)
	}
	var g gate
	enter := func(host int) *quiet {
		c := &quiet{}
		g.enter(c, from(host))
		return c
	}
	friend := enter(1)
	var many []*quiet
	for range 3 * greeting {
		many = append(many, enter(2))
	}
	if friend.closed {
		t.Error("one host keeps another out")
	}
	for i, c := range many {
		if old := i < len(many)-greetingEach; c.closed != old {
			t.Fatalf("connection %d of %d of one host: closed %v, want %v", i, len(many), c.closed, old)
		}
	}
	g.leave(friend)
	for host := range greeting {
		enter(host + 3)
	}
	if n := len(g.waiting); n != greeting {
		t.Errorf("%d are let in, want %d", n, greeting)
	}
	for i, c := range many {
		if !c.closed {
			t.Errorf("connection %d has been silent for longer than the last %d, and stays", i, greeting)
		}
	}
	if last := g.waiting[greeting-1].from; last != from(greeting+2).Addr() {
		t.Errorf("the last one that was let in is %v", last)
	}
}

func TestNetworkOfAnAddress(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7",
		"2001:db8::1:2:3:4":    "2001:db8::",
		"2001:db8:0:1:9:9:9:9": "2001:db8:0:1::",
	} {
		if got := network(netip.MustParseAddr(a)); got != netip.MustParseAddr(want) {
			t.Errorf("%s is of %v, want %s", a, got, want)
		}
	}
}
