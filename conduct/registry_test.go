package conduct

import (
	"net/netip"
	"slices"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"orchestra/proto"
)

func TestNewcomerAndOthersAreTold(t *testing.T) {
	s := newScript(t, testLimits, 1)
	a, out := s.join(peerN(1), farSeat(1), plain(1))
	if w, ok := out[0].(tell).msg.(proto.Welcome); !ok || w.You != addrAt("10.1.0.1:40000") {
		t.Fatalf("first effect is %#v, want a welcome with the observed address", out[0])
	}
	b, _ := s.join(peerN(2), farSeat(2), plain(2))
	if got, want := s.knows(b, peerN(1)), []string{"10.1.0.1:10001"}; !slices.Equal(got, want) {
		t.Errorf("the newcomer knows the first under %v, want %v", got, want)
	}
	if got, want := s.knows(a, peerN(2)), []string{"10.1.0.2:10001"}; !slices.Equal(got, want) {
		t.Errorf("the first knows the newcomer under %v, want %v", got, want)
	}
	s.check()
	s.leave(a)
	if len(s.known[b]) != 0 {
		t.Errorf("after the first left, the other still knows %v", s.known[b])
	}
	s.check()
	s.leave(b)
	if len(s.reg.comps) != 0 || len(s.reg.sources) != 0 || !s.reg.next().IsZero() {
		t.Error("something is left of an empty registry")
	}
}

func TestCompositionsAreApart(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.join(peerN(1), farSeat(1), plain(1))
	out := s.reg.arrive(
		s.now, arrival{99, [20]byte{'o'}, peerN(2), farSeat(2), plain(2), proto.Named{}, ""}, nil,
	)
	s.did(out)
	if len(s.known[99]) != 0 || len(s.known[1]) != 0 {
		t.Error("members of two compositions were told of each other")
	}
}

func TestHandedOutAtMost(t *testing.T) {
	for _, c := range []struct {
		name        string
		peers, want int
		told        int
	}{
		{"all it wants", 50, 7, 7},
		{"the conductor's bound", 20, 50, 20},
		{"the wire's bound", 50, 255, 50},
		{"none wanted", 50, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			lim := testLimits
			lim.peers = c.peers
			s := newScript(t, lim, 1)
			for i := range 120 {
				s.join(peerN(i), farSeat(i), plain(i))
			}
			ann := plain(200)
			ann.Want = uint8(c.want)
			l, _ := s.join(peerN(200), farSeat(200), ann)
			if got := len(s.known[l]); got != c.told {
				t.Errorf("told of %d members, want %d", got, c.told)
			}
			s.check()
		})
	}
}

func TestPortZeroIsToldButNotHandedOut(t *testing.T) {
	s := newScript(t, testLimits, 1)
	a, _ := s.join(peerN(1), farSeat(1), plain(1))
	closed := plain(2)
	closed.Port, closed.Advertise = 0, "203.0.113.5:7000"
	b, out := s.join(peerN(2), farSeat(2), closed)
	s.answer(out, true)
	if len(s.known[b]) != 1 || len(s.known[a]) != 0 {
		t.Errorf("the closed member knows %d, is known to %d; want 1 and 0", len(s.known[b]), len(s.known[a]))
	}
}

func TestOnlyTheKeyReplaces(t *testing.T) {
	s := newScript(t, testLimits, 1)
	a, _ := s.join(peerN(1), farSeat(1), plain(1))
	b, _ := s.join(peerN(2), farSeat(2), plain(2))

	thief, out := s.join(peerN(1), farSeat(3), plain(3))
	if refusal(out) != refusedKey || s.ended[thief] == "" || s.ended[a] != "" {
		t.Fatalf("another key got %v", out)
	}
	s.leave(thief)

	again, out := s.join(peerN(1), farSeat(4), plain(1))
	if refusal(out) != "" || s.ended[a] == "" {
		t.Fatalf("the right key did not replace: %v", out)
	}
	if got, want := s.knows(b, peerN(1)), []string{"10.1.0.4:10001"}; !slices.Equal(got, want) {
		t.Errorf("after the member moved, the other knows it under %v, want %v", got, want)
	}
	if len(s.known[again]) != 1 {
		t.Errorf("the new connection was told of %d members, want 1", len(s.known[again]))
	}
	if out := s.leave(a); len(out) != 0 {
		t.Errorf("the end of the replaced connection had effects: %v", out)
	}
	s.check()
	if n := len(s.reg.expiry); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

func TestLimits(t *testing.T) {
	lim := testLimits
	lim.members, lim.perSource = 3, 2
	s := newScript(t, lim, 1)
	at := func(from string) seat { return seatAt(from, "10.0.0.1") }
	first, _ := s.join(peerN(1), at("10.1.0.1:1"), plain(1))
	s.join(peerN(2), at("10.1.0.1:2"), plain(2))
	if _, out := s.join(peerN(3), at("10.1.0.1:3"), plain(3)); refusal(out) != refusedAddress {
		t.Errorf("the third from one address: %q", refusal(out))
	}
	if _, out := s.join(peerN(1), at("10.1.0.1:4"), plain(1)); refusal(out) != "" {
		t.Errorf("a replacement at the limit: %q", refusal(out))
	}
	if s.ended[first] == "" {
		t.Error("the replaced connection was not cut")
	}
	s.join(peerN(4), at("[2001:db8::1]:1"), plain(4))
	if _, out := s.join(peerN(5), at("10.1.0.9:1"), plain(5)); refusal(out) != refusedFull {
		t.Errorf("the fourth of three: %q", refusal(out))
	}
	s.check()
}

func TestSourceCountsNetworksOfOneHost(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1", "10.0.0.2", false},
		{"::ffff:10.0.0.1", "10.0.0.1", true},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"127.0.0.1", "127.8.8.8", true},
		{"127.0.0.1", "::1", true},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	} {
		if got := source(addr(c.a)) == source(addr(c.b)); got != c.same {
			t.Errorf("%s and %s are one source: %v, want %v", c.a, c.b, got, c.same)
		}
	}
}

func TestSilentMemberIsGone(t *testing.T) {
	s := newScript(t, testLimits, 1)
	a, _ := s.join(peerN(1), farSeat(1), plain(1))
	b, _ := s.join(peerN(2), farSeat(2), plain(2))
	for range 4 {
		s.now = s.now.Add(30 * time.Second)
		s.did(s.reg.ping(s.now, b, nil))
		if s.now.Before(s.reg.next()) {
			continue
		}
		s.did(s.reg.expire(s.now, nil))
	}
	if s.ended[a] == "" || s.ended[b] != "" {
		t.Fatalf("cut: %v, want the silent one only", s.ended)
	}
	if len(s.known[b]) != 0 {
		t.Error("the other was not told")
	}
	if want := s.now.Add(75 * time.Second); !s.reg.next().Equal(want) {
		t.Errorf("the next deadline is %v, want %v", s.reg.next(), want)
	}
	s.check()
}

func TestFurtherAnnouncements(t *testing.T) {
	s := newScript(t, testLimits, 1)
	a, _ := s.join(peerN(1), farSeat(1), plain(1))
	few := plain(2)
	few.Want = 0
	b, _ := s.join(peerN(2), farSeat(2), few)
	if len(s.known[b]) != 0 {
		t.Fatal("told though it wanted none")
	}
	more := plain(2)
	more.Port = 10002
	s.did(s.reg.announce(s.now, b, more, nil))
	if len(s.known[b]) != 1 {
		t.Error("asking for more told of nobody")
	}
	if got, want := s.knows(a, peerN(2)), []string{"10.1.0.2:10002"}; !slices.Equal(got, want) {
		t.Errorf("the other knows it under %v, want %v", got, want)
	}

	// A flood of changes is passed over, until time has gone by.
	for i := range 100 {
		more.Port = uint16(20000 + i)
		s.did(s.reg.announce(s.now, b, more, nil))
	}
	if got, want := s.knows(a, peerN(2)), []string{"10.1.0.2:20002"}; !slices.Equal(got, want) {
		t.Errorf("after a flood the other knows it under %v, want %v", got, want)
	}
	s.now = s.now.Add(announceEvery)
	more.Port = 30000
	s.did(s.reg.announce(s.now, b, more, nil))
	if got, want := s.knows(a, peerN(2)), []string{"10.1.0.2:30000"}; !slices.Equal(got, want) {
		t.Errorf("later the other knows it under %v, want %v", got, want)
	}
	s.check()
}

// Who says that it has more parts than there are has all of them.
func TestHasNoMoreThanThereIs(t *testing.T) {
	s := newScript(t, testLimits, 1)
	ann := plain(1)
	ann.Parts, ann.Have = 10, 99
	l, _ := s.join(peerN(1), farSeat(1), ann)
	for _, have := range []uint32{10, 5, 10} {
		if got := s.wantCounts(1, 1, int(10-have)/5).rows[0].Have; got != have {
			t.Errorf("it has %d parts, want %d", got, have)
		}
		s.has(l, map[uint32]uint32{10: 5, 5: 11}[have])
	}
}

// Whatever happens in whatever order, the registry stays consistent, its
// memory bounded, and what it tells is what it remembers having told.
func TestRegistryStaysConsistent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lim := testLimits
		lim.members, lim.perSource, lim.peers, lim.dials = 40, 12, 4, 3
		s := newScript(t, lim, rapid.Uint64().Draw(rt, "seed"))
		var open []link
		var waiting []effect
		keep := func(out []effect) {
			for _, eff := range out {
				if _, ok := eff.(dialBack); ok {
					waiting = append(waiting, eff)
				}
			}
		}
		some := func(rt *rapid.T) link {
			if len(open) == 0 {
				rt.Skip("nobody there")
			}
			return rapid.SampledFrom(open).Draw(rt, "link")
		}
		announcement := rapid.Custom(func(rt *rapid.T) proto.Announce {
			return proto.Announce{
				Key:       [16]byte{byte(rapid.IntRange(0, 1).Draw(rt, "key"))},
				Port:      uint16(rapid.IntRange(0, 3).Draw(rt, "port")),
				Advertise: rapid.SampledFrom([]string{"", "h:1", "203.0.113.1:5"}).Draw(rt, "advertise"),
				Want:      uint8(rapid.IntRange(0, 9).Draw(rt, "want")),
				Addrs:     rapid.SliceOfN(rapid.SampledFrom([]netip.AddrPort{addrAt("10.0.0.7:1"), addrAt("10.0.0.7:2")}), 0, 2).Draw(rt, "own"),
			}
		})
		rt.Repeat(map[string]func(*rapid.T){
			"join": func(rt *rapid.T) {
				from := rapid.SampledFrom([]string{"10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5", "127.0.0.1", "[::1]", "[2001:db8::1]"}).Draw(rt, "from")
				n := rapid.IntRange(0, 50).Draw(rt, "peer")
				s.last++
				l, out := s.last, s.arrives(arrival{
					link: s.last, id: testID, peer: peerN(n), seat: seatAt(from+":4000", "10.0.0.1"),
					ann:  announcement.Draw(rt, "announce"),
					name: proto.Named{Place: [8]byte{byte(rapid.IntRange(0, 9).Draw(rt, "place"))}},
				})
				s.counted(l, out)
				open = append(open, l)
				keep(out)
			},
			"leave": func(rt *rapid.T) {
				l := some(rt)
				keep(s.leave(l))
				open = slices.DeleteFunc(open, func(o link) bool { return o == l })
				s.ended[l] = "left"
			},
			"announce": func(rt *rapid.T) {
				keep(s.did(s.reg.announce(s.now, some(rt), announcement.Draw(rt, "announce"), nil)))
			},
			"visit": func(rt *rapid.T) {
				from := rapid.SampledFrom([]string{"10.1.0.1", "10.1.0.2", "10.1.3.3", "10.1.4.4", "127.0.0.1", "[2001:db8::1]", "[2001:db8:0:1::1]"}).
					Draw(rt, "from")
				v := webGuest{
					arrival: arrival{
						id: testID, peer: peerN(rapid.IntRange(0, 50).Draw(rt, "peer")), seat: seatAt(from+":4000", "10.0.0.1"),
						ann: announcement.Draw(rt, "announce"),
					},
					event: visitEvent(rapid.IntRange(0, 6).Draw(rt, "event")),
				}
				_, out := s.reg.receive(s.now, v, nil, nil)
				keep(s.did(out))
			},
			"ping": func(rt *rapid.T) { keep(s.did(s.reg.ping(s.now, some(rt), nil))) },
			"complain": func(rt *rapid.T) {
				accused, part := peerN(rapid.IntRange(0, 50).Draw(rt, "accused")), uint32(rapid.IntRange(0, 3).Draw(rt, "part"))
				_, out := s.reg.complain(s.now, some(rt), accused, part, nil)
				keep(s.did(out))
			},
			"dialled": func(rt *rapid.T) {
				if len(waiting) == 0 {
					rt.Skip("no dial back")
				}
				d := waiting[0].(dialBack)
				waiting = waiting[1:]
				keep(s.did(s.reg.checked(s.now, d.ticket, addrAt("203.0.113.1:5"), finding(rapid.IntRange(0, 2).Draw(rt, "found")), nil)))
			},
			"later": func(rt *rapid.T) {
				s.now = s.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(rt, "seconds")) * time.Second)
				keep(s.did(s.reg.expire(s.now, nil)))
			},
			"": func(*rapid.T) {
				s.check()
				if len(s.reg.running) != len(waiting) || len(waiting) > lim.dials {
					t.Fatalf("%d dial backs run, %d were asked for, %d allowed", len(s.reg.running), len(waiting), lim.dials)
				}
				for _, e := range s.reg.expiry {
					for _, to := range e.toldTo {
						if _, ok := e.memberFor(to.seat); !ok && e.port != 0 && e.isHandedOut() && e.main.state != claimBad && !e.seat.from.Addr().IsLoopback() {
							t.Fatalf("%v is known to %v but has no address for it", e.peer, to.peer)
						}
					}
				}
			},
		})
	})
}

// What is looked at of many entries for one answer is as near as the comment of entry says.
func TestEntriesAreFetchedAtOnce(t *testing.T) {
	var e entry
	if n := unsafe.Offsetof(e.main) + unsafe.Offsetof(e.main.state) + unsafe.Sizeof(e.main.state); n > 128 {
		t.Errorf("it takes %d bytes", n)
	}
}
