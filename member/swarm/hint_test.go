package swarm

import (
	"net/netip"
	"testing"
	"time"

	"orchestra/proto"
)

// hintedDesk is a member that a client at 198.51.100.1 is linked to, which has nothing.
func hintedDesk(t *testing.T) *desk {
	d := newDesk(t, 4, 256<<10)
	d.tell(Joined{Peer: 0, ID: proto.PeerID{7}, Addr: netip.MustParseAddrPort("198.51.100.1:5000")})
	return d
}

func ports(texts ...string) (list []netip.AddrPort) {
	for _, s := range texts {
		list = append(list, netip.MustParseAddrPort(s))
	}
	return list
}

// dials passes time, in which nobody who is dialled answers, and gives where was dialled.
func (d *desk) dials(span time.Duration) (list []netip.AddrPort) {
	for end := d.at + span; d.at < end; d.at += 500 * time.Millisecond {
		for dials := of[Dial](d); len(dials) > 0; dials = of[Dial](d) {
			list = append(list, dials[0].Addrs...)
			d.tell(DialFailed{Dial: dials[0], Addr: dials[0].Addrs[0], Fault: NoAnswer})
		}
		d.tell(Tick{})
	}
	return list
}

func TestHintsAreDialled(t *testing.T) {
	d := hintedDesk(t)
	d.tell(Hinted{Peer: 0, Addrs: ports("192.0.2.1:6881", "[2001:db8::1]:6881")})
	if got := d.dials(5 * time.Second); len(got) != 2 {
		t.Errorf("%v are dialled", got)
	}
	// They do not answer, and are tried again a few times, however often they are named.
	var got []netip.AddrPort
	for range 60 {
		d.tell(Hinted{Peer: 0, Addrs: ports("192.0.2.1:6881", "[2001:db8::1]:6881")})
		got = append(got, d.dials(time.Minute)...)
	}
	if len(got) != 2*(hintFails-1) {
		t.Errorf("%d more dials follow, want %d", len(got), 2*(hintFails-1))
	}
	if st := d.Stats(); st.Known != 0 || d.book.others() != 0 {
		t.Errorf("they count as %d members", st.Known)
	}
}

// Whoever has a link may name any addresses: what becomes of that is bounded.
func TestHintsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		addr func(i int) netip.AddrPort
		most int
	}{
		"many hosts": {func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 6881)
		}, hintsOfOne},
		"one victim": {func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(2000+i))
		}, hintsAtOne},
		"services": {func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 80)
		}, 0},
		"this machine": {func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(2000+i))
		}, 0},
		"this network": {func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 0, byte(i)}), 6881)
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := hintedDesk(t)
			seen := map[netip.AddrPort]bool{}
			for round := range 8 {
				var all []netip.AddrPort
				for i := range proto.MaxExchanged {
					all = append(all, test.addr(1+round*proto.MaxExchanged+i))
				}
				d.tell(Hinted{Peer: 0, Addrs: all})
				dials := d.dials(time.Minute)
				if len(dials) > test.most+hintFails*test.most {
					t.Errorf("%d dials in a minute", len(dials))
				}
				for _, a := range dials {
					seen[a] = true
				}
			}
			if len(seen) != test.most {
				t.Errorf("%d addresses are dialled, want %d", len(seen), test.most)
			}
		})
	}
}

func TestHintsAreNotNeeded(t *testing.T) {
	for name, script := range map[string]func(d *desk) (by int){
		"enough links": func(d *desk) int {
			for i := 1; i < fewLinks; i++ {
				d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 10)}, Addr: addr(i)})
			}
			return 0
		},
		"it is known": func(d *desk) int {
			d.tell(Found{ID: proto.PeerID{9}, Addrs: ports("192.0.2.1:6881")})
			d.tell(Joined{Peer: 1, ID: proto.PeerID{9}, Addr: ports("192.0.2.1:6881")[0], Dialled: true})
			return 0
		},
		"who says so is gone":   func(d *desk) int { d.tell(Left{0}); return 0 },
		"who says so is nobody": func(d *desk) int { return 99 },
	} {
		d := hintedDesk(t)
		by := script(d)
		d.tell(Hinted{Peer: by, Addrs: ports("192.0.2.1:6881")})
		if got := d.dials(10 * time.Second); len(got) > 0 {
			t.Errorf("%s: %v is dialled", name, got)
		}
	}
}

// Who answers where somebody was said to be is a peer like those that come, and no member that
// anybody lists.
func TestHintLeadsToPeer(t *testing.T) {
	d := hintedDesk(t)
	at := ports("192.0.2.1:6881")
	d.tell(Hinted{Peer: 0, Addrs: at})
	if len(of[Dial](d)) != 1 {
		t.Fatal("it is not dialled")
	}
	d.tell(Joined{Peer: 1, ID: proto.PeerID{8}, Addr: at[0], Dialled: true})
	if d.links.hints.pending != 0 || d.links.peer(1).member != nil || len(d.book.known) != 0 {
		t.Errorf("%d dials are out, %d are known", d.links.hints.pending, len(d.book.known))
	}
	if got := d.dials(hintAge); len(got) != 0 {
		t.Errorf("%v is dialled while it is linked to", got)
	}
}

// Who is said to have everything is dialled before others, which are dialled too.
func TestHintedSeedsComeFirst(t *testing.T) {
	d := hintedDesk(t)
	at := ports("192.0.2.1:6881", "192.0.2.2:6881", "192.0.2.3:6881")
	d.tell(Hinted{Peer: 0, Addrs: at, Seeds: []bool{false, false, true}})
	got := d.dials(5 * time.Second)
	if len(got) != 3 || got[0] != at[2] {
		t.Errorf("dialled are %v, want %v first", got, at[2])
	}
}

// Others may tell a member of itself.
func TestHintOfItself(t *testing.T) {
	d := hintedDesk(t)
	at := ports("192.0.2.1:6881")
	d.tell(Hinted{Peer: 0, Addrs: at})
	d.tell(Joined{Peer: 1, ID: proto.PeerID{100}, Addr: at[0], Dialled: true})
	d.tell(Left{1})
	for range 10 {
		d.tell(Hinted{Peer: 0, Addrs: at})
		if got := d.dials(time.Minute); len(got) > 0 {
			t.Fatalf("%v is dialled again", got)
		}
	}
}
