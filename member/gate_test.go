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

// A host that opens connections and says nothing has as many as there is room for, and keeps nobody
// out; of many hosts, the one with most gives way, and the oldest of its connections.
func TestGate(t *testing.T) {
	from := func(host int) netip.AddrPort {
		a := netip.AddrFrom4([4]byte{10, 0, byte(host >> 8), byte(host)})
		return netip.AddrPortFrom(a, 1000)
	}
	var g gate
	enter := func(host int) *quiet {
		c := &quiet{}
		g.enter(c, from(host))
		return c
	}
	friend := enter(1)
	var many []*quiet
	for range 3 * greetingMost {
		many = append(many, enter(2))
	}
	for i, c := range many {
		if old := i < len(many)-(greetingMost-1); c.closed != old {
			t.Fatalf("connection %d of %d of one host: closed %v, want %v", i, len(many), c.closed, old)
		}
	}
	for host := range greetingMost - 2 {
		enter(host + 3)
	}
	if friend.closed {
		t.Error("one host keeps another out")
	}
	for i, c := range many[:len(many)-1] {
		if !c.closed {
			t.Errorf("connection %d of %d of one host stays where others have one", i, len(many))
		}
	}
	if many[len(many)-1].closed {
		t.Error("who has as many connections as others is sent away first")
	}
	enter(5000)
	if !friend.closed {
		t.Error("of many who have one each, another goes than who was silent for longest")
	}
	if n := len(g.waiting); n != greetingMost || len(g.of) != greetingMost {
		t.Errorf("%d are let in, of %d hosts, want %d", n, len(g.of), greetingMost)
	}
	for len(g.waiting) > 0 {
		g.leave(g.waiting[0].conn)
	}
	g.leave(friend)
	if len(g.of) > 0 {
		t.Errorf("%d hosts are counted after all have left", len(g.of))
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
