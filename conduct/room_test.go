package conduct

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"orchestra/proto"
)

// comes joins a member, for which another one may have to go, and reports whether it is listed.
func (s *script) comes(n int, at seat, ann proto.Announce) (link, bool) {
	s.t.Helper()
	s.last++
	s.arrives(arrival{link: s.last, id: testID, peer: peerN(n), seat: at, ann: ann})
	return s.last, s.ended[s.last] == ""
}

// crowd joins members of strangers until all places are taken: from so many
// networks, as many from each as its share is.
func (s *script) crowd(networks int) {
	s.t.Helper()
	for n := 0; len(s.reg.expiry) < s.reg.lim.members; n++ {
		at := newSeat(netip.AddrPortFrom(farAddr(256*(n%networks)+9), 40000), addrAt("10.0.0.1:9999"))
		ann := plain(n)
		ann.Parts, ann.Have = 1, 1 // they say whatever helps them
		if _, ok := s.comes(1000+n, at, ann); !ok {
			s.t.Fatalf("stranger %d is refused", n)
		}
	}
}

// Who has taken all places, under many addresses and with a connection for each,
// gives way to all others as long as these have fewer.
func TestRoomIsMadeForOthers(t *testing.T) {
	lim := testLimits
	lim.members, lim.perSource = 640, 10
	s := newScript(t, lim, 1)
	first := []link{}
	for n := range 5 {
		l, _ := s.join(peerN(n), seatAt(fmt.Sprintf("192.0.%d.1:1", n), "10.0.0.1"), plain(n))
		first = append(first, l)
	}
	s.crowd(64)
	for n := range 64 {
		at := seatAt(fmt.Sprintf("198.51.%d.1:1", n), "10.0.0.1")
		if l, ok := s.comes(100+n, at, plain(n)); !ok {
			t.Fatalf("honest member %d is refused: %s", n, s.ended[l])
		}
	}
	s.crowd(64)
	for n := range 2000 { // they try to come back
		at := newSeat(netip.AddrPortFrom(farAddr(256*(n%64)+10+n%100), 40000), addrAt("10.0.0.1:9999"))
		s.comes(5000+n, at, plain(n))
	}
	for _, l := range first {
		if s.ended[l] != "" {
			t.Error("a member that was there before had to go")
		}
	}
	honest := 0
	for _, e := range s.reg.expiry {
		if a := e.seat.from.Addr().As4(); a[0] != 10 {
			honest++
		}
	}
	if honest != 5+64 {
		t.Errorf("%d of %d honest members are listed", honest, 5+64)
	}
	s.check()
}

// Of one network those go first that neither gave nor took.
func TestIdleMembersMakeRoomFirst(t *testing.T) {
	lim := testLimits
	lim.members = 8
	s := newScript(t, lim, 1)
	at := func(n int) seat { return seatAt(fmt.Sprint("203.0.113.5:", n+1), "10.0.0.1") }
	part := func(n int, have uint32) proto.Announce {
		ann := plain(n)
		ann.Parts, ann.Have = 10, have
		return ann
	}
	var links []link
	for n := range 8 {
		l, _ := s.join(peerN(n), at(n), part(n, map[int]uint32{0: 10}[n])) // the first has it all
		links = append(links, l)
	}
	s.now = s.now.Add(idleAfter / 2)
	for _, n := range []int{1, 2} { // they get something
		s.did(s.reg.progress(s.now, links[n], proto.Progress{Have: 1, Downloaded: 1 << 20}, nil))
	}
	// and one gives
	s.did(s.reg.progress(s.now, links[1], proto.Progress{Have: 2, Uploaded: 1 << 20}, nil))
	s.now = s.now.Add(idleAfter / 2)
	for n := range 4 {
		at := seatAt(fmt.Sprintf("198.51.%d.1:1", n), "10.0.0.1")
		if l, ok := s.comes(100+n, at, part(n, 0)); !ok {
			t.Fatalf("newcomer %d: %s", n, s.ended[l])
		}
	}
	for n, l := range links[:3] {
		if s.ended[l] != "" {
			t.Errorf("member %d, which is of use, had to go: %s", n, s.ended[l])
		}
	}
	gone := 0
	for _, l := range links {
		if s.ended[l] != "" {
			gone++
		}
	}
	if gone != 4 {
		t.Errorf("%d had to go, want 4", gone)
	}
	s.check()
}

// An even share is nobody's to take: who is refused is refused again, and nobody
// comes and goes in turns.
func TestRoomComesToRest(t *testing.T) {
	lim := testLimits
	lim.members = 12
	s := newScript(t, lim, 1)
	for n := range 12 {
		s.join(peerN(n), seatAt(fmt.Sprintf("198.51.%d.1:1", n%3), "10.0.0.1"), plain(n))
	}
	changes := 0
	for n := range 200 {
		s.now = s.now.Add(time.Second)
		at := seatAt(fmt.Sprintf("198.51.%d.1:1", n%4), "10.0.0.1")
		if _, ok := s.comes(100+n, at, plain(n)); ok {
			changes++
		}
		for _, l := range s.links() {
			s.did(s.reg.ping(s.now, l, nil))
		}
	}
	if changes > 6 {
		t.Errorf("%d members made room in turns", changes)
	}
	s.check()
}

func (s *script) links() (all []link) {
	for l := range s.reg.links {
		all = append(all, l)
	}
	return all
}
