package conduct

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"orchestra/proto"
)

// A stranger announces itself over HTTP as often as it likes, from where and of what it likes.
type stranger func(n int) (id [20]byte, from netip.Addr)

func idN(n int) (id [20]byte) {
	id[0] = 'x'
	binary.BigEndian.PutUint64(id[12:], uint64(n))
	return id
}

var strangers = map[string]stranger{
	"one address, one composition": func(int) ([20]byte, netip.Addr) {
		return testID, addr("203.0.113.1")
	},
	"one address, many compositions": func(n int) ([20]byte, netip.Addr) {
		return idN(n), addr("203.0.113.1")
	},
	"64 addresses, one composition": func(n int) ([20]byte, netip.Addr) {
		return testID, netip.AddrFrom4([4]byte{203, 0, byte(n % 64), 1})
	},
	"64 addresses, many compositions": func(n int) ([20]byte, netip.Addr) {
		return idN(n), netip.AddrFrom4([4]byte{203, 0, byte(n % 64), 1})
	},
	"a /24, one composition": func(n int) ([20]byte, netip.Addr) {
		return testID, netip.AddrFrom4([4]byte{203, 0, 113, byte(n)})
	},
	"an IPv6 /48, one composition":      func(n int) ([20]byte, netip.Addr) { return testID, net48(n) },
	"an IPv6 /48, many compositions":    func(n int) ([20]byte, netip.Addr) { return idN(n), net48(n) },
	"an IPv6 /48, a thousand of either": func(n int) ([20]byte, netip.Addr) { return idN(n % 1000), net48(n % 1000) },
}

// net48 is an address in a /64 of its own, of one /48.
func net48(n int) netip.Addr {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 1}
	binary.BigEndian.PutUint16(a[6:], uint16(n))
	return netip.AddrFrom16(a)
}

// visits announces a guest with a peer id of its own, complete or not, and
// reports whether it is listed.
func (s *script) visits(
	id [20]byte, peer int, from netip.Addr, have uint32,
) (listed bool, out []effect) {
	v := webGuest{
		arrival: arrival{
			id:   id,
			peer: proto.PeerID{'-', 'X', 'X'},
			seat: newSeat(netip.AddrPortFrom(from, 40000), addrAt("10.0.0.1:9999")),
		},
	}
	binary.BigEndian.PutUint64(v.peer[12:], uint64(peer))
	v.ann = proto.Announce{Key: [16]byte{byte(peer)}, Port: 6881, Parts: 1, Have: have, Want: 50}
	a, out := s.reg.receive(s.now, v, nil, nil)
	return a.refused == "", s.did(out)
}

// However many guests strangers list: members are listed, other guests are and
// stay so, nobody is deceived about who is complete, and what that costs
// members is bounded.
func TestStrangersTakeNobodysPlace(t *testing.T) {
	const rounds = 6000
	lim := testLimits
	lim.members, lim.perSource = 1600, 400 // 400 guests, 100 of one composition and of one source
	for name, where := range strangers {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, lim, 1)
			first := s.parted(1, 10)
			waits := s.parted(2, 0)
			s.did(s.reg.await(s.now, waits, 2, nil))
			late := 1000 // members and honest guests that come meanwhile
			for n := range 5 {
				if ok, _ := s.visits(testID, 1<<30+n, farAddr(256*n+900), 0); !ok {
					t.Fatal("an honest guest is refused before anybody else came")
				}
			}
			told := 0
			for n := range rounds {
				id, from := where(n)
				_, out := s.visits(id, n, from, 1)
				told += count(out, func(tell) bool { return true })
				if got := copiesTold(out, waits); got != nil {
					t.Fatalf("who waits for 2 copies is told of %v", got)
				}
				if n%10 == 0 {
					s.now = s.now.Add(20 * time.Millisecond) // 500 a second
				}
				if n%1000 == 999 {
					late++
					s.parted(late, 0)
					if ok, _ := s.visits(testID, 1<<30+late, farAddr(late*256), 0); !ok {
						t.Errorf("after %d strangers an honest guest is refused", n)
					}
				}
			}
			s.check()
			honest := 0
			for _, e := range s.reg.guests.list {
				if binary.BigEndian.Uint64(e.peer[12:]) >= 1<<30 {
					honest++
				}
			}
			if honest != 5+rounds/1000 {
				t.Errorf("%d of %d honest guests are still listed", honest, 5+rounds/1000)
			}
			seconds := rounds / 500
			if most := (guestBurst + seconds + 1 + rounds/1000) * 50 * 3; told > most {
				t.Errorf(
					"members were sent %d messages on behalf of strangers, at most %d are in order",
					told, most,
				)
			}
			members := 2 + rounds/1000
			got := s.wantCounts(1, members, members-1)
			for i := range members {
				if got.rows[i].Parts != 10 {
					t.Errorf("row %d of %d members is a stranger", i, members)
				}
			}
			if out := s.has(waits, 10); len(copiesTold(out, waits)) != 1 {
				t.Error("who waits for 2 copies is not told of the second")
			}
			all := s.reg.survey(s.now, [20]byte{})
			if all[0].ID != testID {
				t.Errorf("of %d compositions that with the members is not the first", len(all))
			}
			s.leave(first)
		})
	}
}

// Members take the places of guests, and are refused only where there are none.
func TestGuestsGiveWayToMembers(t *testing.T) {
	lim := testLimits
	lim.members = 16 // 4 guests, one of a composition
	s := newScript(t, lim, 1)
	for n := range 4 {
		if ok, _ := s.visits(idN(n), n, farAddr(n), 0); !ok {
			t.Fatalf("guest %d is refused", n)
		}
	}
	for n := range 16 {
		if _, out := s.join(peerN(n), farSeat(n), plain(n)); refusal(out) != "" {
			t.Errorf("member %d: %s", n, refusal(out))
		}
		s.check()
	}
	if _, out := s.join(peerN(16), farSeat(16), plain(16)); refusal(out) != refusedFull {
		t.Errorf("the 17th member of 16: %q", refusal(out))
	}
	if ok, _ := s.visits(testID, 9, farAddr(900), 0); ok {
		t.Error("a guest is listed where all places are members'")
	}
}

// Of guests from one network the one that was silent for longest goes.
func TestIdleGuestsGoFirst(t *testing.T) {
	lim := testLimits
	lim.members = 64 // 16 guests, 4 of a composition
	s := newScript(t, lim, 1)
	for n := range 4 {
		s.visits(testID, n, farAddr(n), 0)
		s.now = s.now.Add(time.Second)
	}
	s.visits(testID, 0, farAddr(0), 0)
	s.visits(testID, 9, farAddr(9), 0)
	for peer, want := range map[int]bool{0: true, 1: false, 2: true, 3: true, 9: true} {
		var id proto.PeerID
		copy(id[:], "-XX")
		binary.BigEndian.PutUint64(id[12:], uint64(peer))
		if _, e := s.reg.find(testID, id); (e != nil) != want {
			t.Errorf("guest %d is listed: %v, want %v", peer, e != nil, want)
		}
	}
}

// A guest that announces itself again and again, elsewhere each time, is
// answered, and moves nobody.
func TestGuestFloodsNobody(t *testing.T) {
	s := newScript(t, testLimits, 1)
	for n := range 50 {
		s.join(peerN(n), farSeat(n), plain(n))
	}
	told := 0
	for n := range 1000 {
		a, out := s.reg.receive(s.now, webGuest{arrival: arrival{
			id: testID, peer: proto.PeerID{'g'}, seat: farSeat(100), ann: proto.Announce{Port: uint16(n + 1), Want: 50},
		}}, nil, nil)
		if s.did(out); a.refused != "" || len(a.found) != 50 {
			t.Fatalf("announcement %d is answered with %d members, %q", n, len(a.found), a.refused)
		}
		told += count(out, func(tell) bool { return true })
	}
	if most := 50 * (1 + announceBurst) * 2; told > most {
		t.Errorf("%d messages to members, want %d at most", told, most)
	}
}

// Dial backs of guests do not make members wait for theirs.
func TestMembersAreDialledBackFirst(t *testing.T) {
	lim := testLimits
	lim.dials = 4
	s := newScript(t, lim, 1)
	for n := range 100 {
		s.visits(idN(n), n, farAddr(n), 0)
	}
	if got := len(s.reg.running); got != 2 {
		t.Errorf("%d dial backs of guests run, want half of 4", got)
	}
	for n := range 2 {
		_, out := s.join(peerN(n), farSeat(n), plain(n))
		if count(out, func(d dialBack) bool { return d.peer == peerN(n) }) != 1 {
			t.Errorf("member %d has to wait behind guests", n)
		}
	}
	s.check()
}

// One source, and one composition, cannot use up the copies that are remembered.
func TestCopiesAreSharedFairly(t *testing.T) {
	lim := testLimits
	lim.members, lim.perSource = 64, 4 // 256 copies, 64 of a composition, 16 of a source
	for name, liar := range map[string]stranger{
		"one source, many compositions": func(n int) ([20]byte, netip.Addr) { return idN(n), addr("203.0.113.1") },
		"one source, one composition":   func(int) ([20]byte, netip.Addr) { return idN(0), addr("203.0.113.1") },
		"many sources, one composition": func(n int) ([20]byte, netip.Addr) { return idN(0), farAddr(n + 1000) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, lim, 1)
			s.parted(1, 10)
			waits := s.parted(2, 0)
			s.did(s.reg.await(s.now, waits, 2, nil))
			s.last++ // somebody stays, so that nothing is forgotten
			ann := proto.Announce{Key: [16]byte{1}, Parts: 1, Have: 1}
			for n := range 2000 {
				if n > 0 {
					s.did(s.reg.leave(s.now, s.last, nil))
				}
				id, from := liar(n)
				s.last++
				seat := newSeat(netip.AddrPortFrom(from, 1), addrAt("10.0.0.1:9999"))
				s.arrives(arrival{
					link: s.last, id: id, peer: peerN(5000 + n), seat: seat, ann: ann,
					name: proto.Named{Place: [8]byte{9, byte(n >> 8), byte(n)}},
				})
			}
			s.check()
			if s.reg.copies > lim.maxCopiesOfOne()+2 {
				t.Errorf("%d copies are remembered", s.reg.copies)
			}
			if out := s.has(waits, 10); len(copiesTold(out, waits)) != 1 {
				t.Error("who waits for 2 copies is not told of the second")
			}
		})
	}
}

// What a guest costs does not depend on how many there are, nor on whether there is room.
func BenchmarkGuests(b *testing.B) {
	for _, c := range []struct {
		name    string
		members int
		where   stranger
	}{
		{"room", 1 << 20, strangers["64 addresses, many compositions"]},
		{"full", 1600, strangers["64 addresses, many compositions"]},
		{"one composition full", 1600, strangers["64 addresses, one composition"]},
	} {
		b.Run(c.name, func(b *testing.B) {
			lim := testLimits
			lim.members, lim.perSource = c.members, c.members
			s := newScript(b, lim, 1)
			for n := range 100 {
				s.join(peerN(n), farSeat(n), plain(n))
			}
			b.ReportAllocs()
			told := 0
			for n := 0; b.Loop(); n++ {
				id, from := c.where(n)
				_, out := s.visits(id, n, from, 1)
				told += len(out)
				s.now = s.now.Add(2 * time.Millisecond)
				s.reg.expire(s.now, nil)
				if n%10_000 == 0 {
					for l := range link(100) {
						s.reg.ping(s.now, l+1, nil)
					}
				}
			}
			b.ReportMetric(float64(told)/float64(b.N), "effects/op")
		})
	}
}

func BenchmarkSurvey(b *testing.B) {
	for _, n := range []int{100, 10_000, 65_536} {
		b.Run(fmt.Sprint("members=", n), func(b *testing.B) {
			s := newScript(b, testLimits, 1)
			for n := range n {
				ann := plain(n)
				ann.Parts, ann.Have, ann.Port = 1000, uint32(n%1000), 0
				s.last++
				name := proto.Named{Label: "lab"}
				binary.BigEndian.PutUint64(name.Place[:], uint64(n+1))
				s.reg.arrive(
					s.now,
					arrival{s.last, testID, peerN(n), farSeat(n), ann, name, "image.iso"}, nil,
				)
			}
			for b.Loop() {
				s.now = s.now.Add(surveyEvery)
				s.reg.survey(s.now, testID)
			}
		})
	}
}
