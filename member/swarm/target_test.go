package swarm

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// claims lists n members that are said to be at the ports of a host, all at one if ports is 1.
func (s *shelf) claims(first, n, ports int) {
	for i := range n {
		at := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1000+i%ports))
		s.found(s.now, Found{ID: id(first + i), Addrs: []netip.AddrPort{at}}, false)
	}
}

// dialsAll dials whoever may be dialled within a span, as others claim to be there again and again.
func (s *shelf) dialsAll(span time.Duration, ports int) (dials int) {
	first := 1
	for end := s.now + span; s.now < end; s.now += time.Second {
		s.claims(first, 20, ports)
		for m := s.next(s.now); m != nil; m = s.next(s.now) {
			addrs := s.dials(s.now, m)
			dials += len(addrs)
			s.unreached(s.now, DialFailed{Dial: Dial{ID: m.id, Addrs: addrs}, Fault: NoAnswer})
		}
		for i := range 20 {
			s.gone(Gone{ID: id(first + i)})
		}
		first += 20
	}
	return dials
}

// However many claim to be at somebody's address, or at ports of his host, he is dialled a few
// times.
func TestClaimsOfOneAddressAreBounded(t *testing.T) {
	for _, test := range []struct {
		ports, most int
	}{{1, 8}, {1000, hostFree + 8}} {
		s := newShelf(t)
		if n := s.dialsAll(45*time.Second, test.ports); n > test.most || n < 4 {
			t.Errorf("%d dials to a host of which %d ports are named, want %d at most", n, test.ports,
				test.most)
		}
		if n := s.dialsAll(time.Hour, test.ports); n < 20 || n > 200 {
			t.Errorf("%d dials in an hour, want some, and not many", n)
		}
		s.hurries(true)
		if n := s.dialsAll(time.Minute, test.ports); n > int(time.Minute/redialHurry)+1 || n < 4 {
			t.Errorf("%d dials in a minute by who is in a hurry", n)
		}
		if len(s.book.targets.addrs) > targetsMost {
			t.Errorf("%d addresses are remembered", len(s.book.targets.addrs))
		}
	}
}

// Who answered at an address is dialled there at once whatever others claim, and a host where
// somebody answers has free dials again.
func TestWhoAnsweredIsDialledAgain(t *testing.T) {
	s := newShelf(t)
	s.claims(1, 1, 1)
	m := s.next(s.now)
	addrs := s.dials(s.now, m)
	s.linked(s.now, m.id, addrs[0], true)
	s.claims(2, 100, 1)
	others := 0
	for range 30 {
		for m := s.next(s.now); m != nil; m = s.next(s.now) {
			addrs := s.dials(s.now, m)
			s.unreached(s.now, DialFailed{
				Dial: Dial{ID: m.id, Addrs: addrs}, Addr: addrs[0], Fault: Another, Is: id(1),
			})
			others++
		}
		s.now += time.Second
	}
	if others < 1 || others > 6 {
		t.Errorf("%d dials for others who claim to be there in 30 s, want a few", others)
	}
	m = s.of(id(1), nil)
	m.link, m.after = false, s.now
	s.changed()
	if at := s.when(s.now, m); at > s.now {
		t.Errorf("who answered there may be dialled in %v, want now", at-s.now)
	}
}

// Of a site behind one address all are tried when one answers, however many do not.
func TestSiteBehindOneAddress(t *testing.T) {
	s := newShelf(t)
	s.claims(1, 200, 200)
	dialled := map[*member]bool{}
	for end := s.now + time.Minute; s.now < end; s.now += time.Second {
		for m := s.next(s.now); m != nil; m = s.next(s.now) {
			addrs := s.dials(s.now, m)
			if dialled[m] = true; len(dialled)%10 == 0 { // every tenth answers
				s.linked(s.now, m.id, addrs[0], true)
				continue
			}
			s.unreached(s.now, DialFailed{Dial: Dial{ID: m.id, Addrs: addrs}, Fault: NobodyListens})
		}
	}
	if len(dialled) != 200 {
		t.Errorf("%d of 200 were tried in a minute", len(dialled))
	}
}

// A member whose one address is put off is dialled at the other; what the user named is never put
// off, nor what this process could not dial.
func TestOtherAddressesAreDialled(t *testing.T) {
	s := newShelf(t)
	s.claims(1, 20, 1)
	for s.next(s.now) != nil {
		s.dials(s.now, s.next(s.now))
	}
	taken, other := host(1)[0], host(2)[0]
	s.targets.dialled(s.now, []netip.AddrPort{taken})
	s.found(s.now, Found{ID: id(99), Addrs: []netip.AddrPort{taken, other}}, false)
	m := s.next(s.now)
	if m == nil || m.id != id(99) {
		t.Fatal("a member with a free address is not dialled")
	}
	if got := s.dials(s.now, m); len(got) != 1 || got[0] != other {
		t.Errorf("it is dialled at %v, want %v", got, other)
	}
	s.targets.dialled(s.now, host(3))
	s.names("friend", 3)
	if m := s.next(s.now); m == nil || m.name != "friend" {
		t.Error("who was named by the user is put off")
	}
	b := newBook(id(0), rand.New(rand.NewPCG(1, 1)))
	for range 100 {
		b.targets.dialled(0, host(1))
		b.targets.excuse(0, host(1))
	}
	if at := b.targets.when(host(1)[0], id(1), false); at > 0 {
		t.Errorf("an address to which this process made no dial may be dialled at %v", at)
	}
}

// Once a conductor is back, what was put off for long is dialled soon.
func TestTargetsAreEased(t *testing.T) {
	s := newShelf(t)
	for range 10 {
		s.targets.dialled(s.now, host(1))
	}
	at := host(1)[0]
	if s.targets.when(at, id(1), false) <= s.now+redialHurry {
		t.Fatal("it is not put off for long")
	}
	s.conducted(s.now, Conducted{On: true})
	if when := s.targets.when(at, id(1), false); when > s.now+redialHurry {
		t.Errorf("it is dialled in %v, want %v", when-s.now, redialHurry)
	}
}
