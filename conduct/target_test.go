package conduct

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/proto"
)

// However many members claim a victim's address, in whatever spelling and at
// whatever ports, it is dialled a few times and ever less often.
func TestVictimIsSpared(t *testing.T) {
	for _, c := range []struct {
		name  string
		claim func(n int) string
		found finding
		most  int // dial backs in ten minutes
	}{
		{"one port, nobody there", func(int) string { return "203.0.113.50:7000" }, foundNobody, dialsOfTarget + 5},
		{"one port, in other spellings", func(n int) string {
			return []string{"203.0.113.50:7000", "203.0.113.50:07000", "[::ffff:203.0.113.50]:7000", "[::ffff:cb00:7132%9]:7000"}[n%4]
		}, foundNobody, dialsOfTarget + 5},
		{"one port, somebody else there", func(int) string { return "203.0.113.50:80" }, foundOther, missesBurst + 10*60/15 + 1},
		{"all ports", func(n int) string { return fmt.Sprint("203.0.113.50:", n+1) }, foundNobody, 16 + 10*60/5 + 1},
		{"a network of its own", func(n int) string { return fmt.Sprintf("[2001:db8::%x]:80", n+1) }, foundNobody, 16 + 10*60/5 + 1},
		{"a name", func(int) string { return "Victim.example:80" }, foundNobody, dialsOfTarget + 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript(t, testLimits, 1)
			dials := 0
			var follow func([]effect)
			follow = func(out []effect) {
				for _, eff := range out {
					d, ok := eff.(dialBack)
					if !ok {
						continue
					}
					found := c.found
					if a, err := netip.ParseAddrPort(d.host); err == nil && a.Port() == 10001 {
						found = foundMember // they listen
					} else {
						dials++
					}
					at, _ := netip.ParseAddrPort(d.host)
					follow(s.did(s.reg.checked(s.now, d.ticket, at, found, nil)))
				}
			}
			claims := 0
			var links []link
			for second := range 600 {
				s.now = s.now.Add(time.Second)
				ann := plain(second)
				ann.Advertise = c.claim(claims)
				claims++
				l, out := s.join(peerN(second), farSeat(second), ann)
				links = append(links, l)
				follow(out)
				for i := range 10 { // those that are there claim something else, or ping
					ann.Key, ann.Advertise = [16]byte{}, c.claim(claims)
					claims++
					l := links[(10*second+i)%len(links)]
					follow(s.did(s.reg.announce(s.now, l, ann, nil)))
					follow(s.did(s.reg.ping(s.now, l, nil)))
				}
			}
			s.check()
			if dials > c.most || dials == 0 {
				t.Errorf("%d dial backs for %d claims in ten minutes, %d are in order", dials, claims, c.most)
			}
			if len(s.reg.targets.by) > 5000 {
				t.Errorf("%d targets are remembered", len(s.reg.targets.by))
			}
		})
	}
}

// Names that strangers choose may all lead to one victim, so they are bounded by
// who claims them.
func TestNamesAreBoundedBySource(t *testing.T) {
	s := newScript(t, testLimits, 1)
	dials := 0
	for n := range 100 {
		ann := plain(n)
		ann.Port, ann.Advertise = 10001, fmt.Sprintf("n%d.example:80", n)
		_, out := s.join(peerN(n), seatAt("203.0.113.9:1", "10.0.0.1"), ann)
		dials += count(out, func(d dialBack) bool { return d.host == ann.Advertise })
		s.answer(out, false)
	}
	if dials != 4 {
		t.Errorf("names of one source were dialled %d times, want 4", dials)
	}
}

// Where members answer, any number of them may claim one address.
func TestManyMembersAtOneAddress(t *testing.T) {
	s := newScript(t, testLimits, 1)
	for n := range 500 {
		s.last++
		out := s.arrives(arrival{link: s.last, id: idN(n), peer: peerN(n), seat: farSeat(1), ann: plain(n)})
		s.answer(out, true)
	}
	for _, e := range s.reg.expiry {
		if e.main.state != claimGood {
			t.Fatalf("%v is not known to be reachable", e.peer)
		}
	}
	s.check()
}

// What nobody answered at is not handed out for the next who claims it.
func TestBadTargetIsNotHandedOut(t *testing.T) {
	s := newScript(t, testLimits, 1)
	behind := func(n int) seat { return seatAt(fmt.Sprint("198.51.100.7:", 1000+n), "10.0.0.1") }
	a, _ := s.join(peerN(1), farSeat(1), plain(1))
	_, out := s.join(peerN(2), behind(2), plain(2))
	s.answer(out, false)
	known := len(s.known[a])
	_, out = s.join(peerN(3), behind(3), plain(3))
	if n := count(out, func(dialBack) bool { return true }); n != 0 || len(s.known[a]) != known {
		t.Errorf("%d dial backs, and a stranger knows %d instead of %d members", n, len(s.known[a]), known)
	}
	s.check()
}

// An address that several members name for themselves goes out for two of them.
func TestOneAddressForMany(t *testing.T) {
	s := newScript(t, testLimits, 1)
	victim := addrAt("192.168.1.77:22")
	seat := func(n int) seat { return seatAt(fmt.Sprint("198.51.100.7:", 1000+n), "10.0.0.1") }
	var links []link
	for n := range 20 {
		ann := plain(n)
		ann.Port, ann.Addrs = uint16(20000+n), []netip.AddrPort{victim}
		l, _ := s.join(peerN(n), seat(n), ann)
		links = append(links, l)
	}
	honest, _ := s.join(peerN(99), seat(99), plain(99))
	told := func() (n int) {
		for _, addrs := range s.known[honest] {
			for _, a := range addrs {
				if a == victim {
					n++
				}
			}
		}
		return n
	}
	if n := told(); n != namedBy {
		t.Errorf("the address goes out for %d members, want %d", n, namedBy)
	}
	for _, l := range links {
		s.leave(l)
	}
	if n := len(s.reg.comps[testID].named); n != 0 {
		t.Errorf("%d addresses are remembered of members that left", n)
	}
	s.check()
}

// Members of a real conductor that name a victim have it dialled a few times.
func TestVictimOfConnections(t *testing.T) {
	c := serving(t, Config{})
	var dials atomic.Int64
	victim := accepting(t, "127.0.0.1:0", func(net.Conn) { dials.Add(1) }).String()
	for n := range 60 {
		g := visit(t, c, n)
		g.send(proto.Announce{Port: 1, Advertise: victim, Want: 50})
		next[proto.Welcome](g)
		g.send(proto.Announce{Port: 1, Advertise: "localhost:1", Want: 50})
		g.send(proto.Announce{Port: 1, Advertise: victim, Want: 50})
		g.send(proto.KeepAlive{})
		next[proto.KeepAlive](g)
		if n%2 == 0 {
			g.nc.Close()
		}
	}
	if n := dials.Load(); n == 0 || n > 2*missesBurst {
		t.Errorf("the victim was dialled %d times, want %d at most", n, 2*missesBurst)
	}
}
