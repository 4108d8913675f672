package conduct

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"orchestra/proto"
)

// Under which addresses a receiver finds a member, by where both are seen.
func TestAddressesHandedOut(t *testing.T) {
	const (
		unchecked = iota
		reached
		failed
	)
	lan := []string{"192.168.7.5:10001", "[2001:db8:7::5]:10001"}
	for _, c := range []struct {
		name       string
		from, here string // the member's source, the conductor's end of it
		own        []string
		advertise  string
		check      int // outcome of all dial backs
		to, local  string
		want       []string
	}{
		{"elsewhere, at once", "198.51.100.1:4000", "203.0.113.9", nil, "", unchecked, "198.51.100.2:5000", "203.0.113.9", []string{"198.51.100.1:10001"}},
		{"its own addresses go to nobody elsewhere", "198.51.100.1:4000", "203.0.113.9", lan, "", reached, "198.51.100.2:5000", "203.0.113.9", []string{"198.51.100.1:10001"}},
		{"one NAT: inside first", "198.51.100.1:4000", "203.0.113.9", lan, "", unchecked, "198.51.100.1:5000", "203.0.113.9", []string{"192.168.7.5:10001", "[2001:db8:7::5]:10001", "198.51.100.1:10001"}},
		{"one machine: observed first", "192.168.7.5:4000", "192.168.7.1", lan, "", unchecked, "192.168.7.5:5000", "192.168.7.1", []string{"192.168.7.5:10001", "[2001:db8:7::5]:10001"}},
		{"unreachable from here", "198.51.100.1:4000", "203.0.113.9", lan, "", failed, "198.51.100.2:5000", "203.0.113.9", nil},
		{"unreachable from here, but near", "198.51.100.1:4000", "203.0.113.9", nil, "", failed, "198.51.100.1:5000", "203.0.113.9", []string{"198.51.100.1:10001"}},
		{"advertised, not yet reached", "198.51.100.1:4000", "203.0.113.9", nil, "203.0.113.50:7000", unchecked, "198.51.100.2:5000", "203.0.113.9", []string{"198.51.100.1:10001"}},
		{"advertised and reached", "198.51.100.1:4000", "203.0.113.9", nil, "203.0.113.50:7000", reached, "198.51.100.2:5000", "203.0.113.9", []string{"203.0.113.50:7000", "198.51.100.1:10001"}},
		{"advertised by name", "198.51.100.1:4000", "203.0.113.9", nil, "lab.example:7000", reached, "198.51.100.2:5000", "203.0.113.9", []string{"203.0.113.99:7000", "198.51.100.1:10001"}},
		{"conductor's machine to elsewhere", "127.0.0.1:4000", "127.0.0.1", lan, "", unchecked, "192.168.7.6:5000", "192.168.7.1", []string{"192.168.7.1:10001"}},
		{"conductor's machine to elsewhere, IPv6", "127.0.0.1:4000", "127.0.0.1", nil, "", unchecked, "[2001:db8::6]:5000", "2001:db8::1", []string{"[2001:db8::1]:10001"}},
		{"conductor's machine to itself by its other address", "127.0.0.1:4000", "127.0.0.1", nil, "", unchecked, "192.168.7.1:5000", "192.168.7.1", []string{"192.168.7.1:10001"}},
		{"conductor's machine, dead port", "127.0.0.1:4000", "127.0.0.1", nil, "", failed, "192.168.7.6:5000", "192.168.7.1", nil},
		{"loopback to loopback", "127.0.0.1:4000", "127.0.0.1", nil, "", unchecked, "127.0.0.1:5000", "127.0.0.1", []string{"127.0.0.1:10001"}},
		{"loopback of two families", "[::1]:4000", "::1", nil, "", unchecked, "127.0.0.1:5000", "127.0.0.1", []string{"[::1]:10001"}},
		{"loopback, named by itself", "127.0.0.1:4000", "127.0.0.1", []string{"192.168.7.1:10001", "127.0.0.1:10001", "0.0.0.0:1", "224.0.0.1:1", "192.168.7.1:0"}, "", unchecked, "127.0.0.1:5000", "127.0.0.1", []string{"127.0.0.1:10001", "192.168.7.1:10001"}},
		{"elsewhere to the conductor's machine", "192.168.7.6:4000", "192.168.7.1", nil, "", unchecked, "127.0.0.1:5000", "127.0.0.1", []string{"192.168.7.6:10001"}},
		{"an advertised loopback stays at home", "127.0.0.1:4000", "127.0.0.1", nil, "127.0.0.1:7000", reached, "192.168.7.6:5000", "192.168.7.1", []string{"192.168.7.1:10001"}},
		{"mapped IPv4", "[::ffff:198.51.100.1]:4000", "::ffff:203.0.113.9", []string{"[::ffff:192.168.7.5]:10001"}, "", unchecked, "198.51.100.1:5000", "203.0.113.9", []string{"192.168.7.5:10001", "198.51.100.1:10001"}},
		{"link-local on one link", "[fe80::1%eth0]:4000", "fe80::9%eth0", nil, "", unchecked, "[fe80::2%eth0]:5000", "fe80::9%eth0", []string{"[fe80::1]:10001"}},
		{"link-local on two links", "[fe80::1%eth0]:4000", "fe80::9%eth0", nil, "", unchecked, "[fe80::2%eth1]:5000", "fe80::9%eth1", nil},
		{"link-local to elsewhere", "[fe80::1%eth0]:4000", "fe80::9%eth0", nil, "", unchecked, "198.51.100.2:5000", "203.0.113.9", nil},
		{"at most four", "198.51.100.1:4000", "203.0.113.9", []string{"192.168.0.1:1", "192.168.0.2:1", "192.168.0.3:1", "192.168.0.4:1"}, "203.0.113.50:7000", reached, "198.51.100.1:5000", "203.0.113.9", []string{"192.168.0.1:1", "192.168.0.2:1", "192.168.0.3:1", "198.51.100.1:10001"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript(t, testLimits, 1)
			ann := plain(1)
			ann.Advertise = c.advertise
			for _, a := range c.own {
				ann.Addrs = append(ann.Addrs, addrAt(a))
			}
			_, out := s.join(peerN(1), seatAt(c.from, c.here), ann)
			if c.check != unchecked {
				s.answer(out, c.check == reached)
			}
			l, _ := s.join(peerN(2), seatAt(c.to, c.local), plain(2))
			if got := s.knows(l, peerN(1)); !slices.Equal(got, c.want) {
				t.Errorf("handed out under %v, want %v", got, c.want)
			}
		})
	}
}

// A dial back is told to the member; whoever knows it learns of a new address.
func TestOutcomeOfDialBackIsTold(t *testing.T) {
	s := newScript(t, testLimits, 1)
	ann := plain(1)
	ann.Advertise = "203.0.113.50:7000"
	_, checks := s.join(peerN(1), farSeat(1), ann)
	b, _ := s.join(peerN(2), farSeat(2), plain(2))
	var told []proto.Reachable
	for _, eff := range checks {
		d, ok := eff.(dialBack)
		if !ok {
			continue
		}
		if d.peer != peerN(1) || d.id != testID {
			t.Errorf("the dial back expects %v of %x", d.peer, d.id)
		}
		good := d.host == ann.Advertise
		for _, eff := range s.did(s.reg.checked(s.now, d.ticket, addrAt(d.host), whether(good), nil)) {
			if m, ok := eff.(tell).msg.(proto.Reachable); ok {
				told = append(told, m)
			}
		}
	}
	want := []proto.Reachable{{OK: false, Addr: addrAt("10.1.0.1:10001")}, {OK: true, Addr: addrAt("203.0.113.50:7000")}}
	if !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if got, want := s.knows(b, peerN(1)), []string{"203.0.113.50:7000"}; !slices.Equal(got, want) {
		t.Errorf("the other knows it under %v, want %v", got, want)
	}
	s.check()
}

// An address that failed is dialled again after a while, when the member
// pings, and is handed out from then on.
func TestFailedDialBackIsTriedAgain(t *testing.T) {
	s := newScript(t, testLimits, 1)
	a, out := s.join(peerN(1), farSeat(1), plain(1))
	s.answer(out, false)
	b, _ := s.join(peerN(2), farSeat(2), plain(2))
	if len(s.known[b]) != 0 {
		t.Fatal("an unreachable member was handed out")
	}
	isDial := func(dialBack) bool { return true }
	waits := []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute}
	for i, wait := range waits {
		if out := s.did(s.reg.ping(s.now.Add(wait-time.Second), a, nil)); count(out, isDial) != 0 {
			t.Fatalf("dialled again before %v", wait)
		}
		s.now = s.now.Add(wait)
		out := s.did(s.reg.ping(s.now, a, nil))
		if count(out, isDial) != 1 {
			t.Fatalf("not dialled again after %v", wait)
		}
		s.answer(out, i == len(waits)-1)
	}
	if len(s.known[b]) != 1 {
		t.Error("a member that became reachable was not pushed")
	}
	s.check()
}

func TestDialBackAllows(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"198.51.100.1", "203.0.113.50", true},
		{"198.51.100.1", "192.168.1.1", true},
		{"198.51.100.1", "127.0.0.1", false},
		{"198.51.100.1", "::1", false},
		{"198.51.100.1", "169.254.169.254", false},
		{"198.51.100.1", "0.0.0.0", false},
		{"198.51.100.1", "224.0.0.1", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", true},
		{"127.0.0.1", "169.254.169.254", false},
		{"fe80::1%eth0", "fe80::1%eth0", true},
		{"fe80::1%eth0", "fe80::2%eth0", false},
	} {
		if got := (dialBack{from: addr(c.from)}).allows(addr(c.to)); got != c.want {
			t.Errorf("a member at %s may have %s dialled: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// The line of dial backs does not grow by members that come and go.
func TestLineOfDialBacksIsBounded(t *testing.T) {
	lim := testLimits
	lim.dials = 2
	s := newScript(t, lim, 1)
	for i := range 5000 {
		ann := plain(i)
		ann.Advertise = netip.AddrPortFrom(farAddr(i), 7).String()
		l, _ := s.join(peerN(i), farSeat(i), ann)
		s.leave(l)
		if len(s.reg.line) > 100 || len(s.reg.running) > 2 {
			t.Fatalf("%d wait and %d run after %d members came and went", len(s.reg.line), len(s.reg.running), i+1)
		}
	}
}
