package swarm

import (
	"net/netip"
	"testing"
	"time"

	"orchestra/proto"
)

// visits lets a span pass in which a tracker names an address every minute, and whoever dials there
// meets the same client, which does what it does until the link ends. It returns how often it was
// dialled, and the shortest time between two dials.
func (d *desk) visits(span time.Duration, found Found, does ...Event) (n int, least time.Duration) {
	last, told := time.Duration(-1), d.at
	least = never
	for end := d.at + span; d.at < end; {
		if d.at >= told {
			d.tell(found)
			told += time.Minute
		} else {
			d.tell(Tick{})
		}
		for dials := of[Dial](d); len(dials) > 0; dials = of[Dial](d) {
			if n++; last >= 0 {
				least = min(least, d.at-last)
			}
			last = d.at
			d.tell(Joined{Peer: 7, ID: proto.PeerID{9}, Addr: dials[0].Addrs[0], Dialled: true})
			for _, ev := range does {
				d.tell(ev)
				d.at += time.Second
			}
			d.tell(Left{7})
		}
		at, ok := d.Next()
		if !ok {
			at = never
		}
		d.at = max(d.at+1, min(at, told))
	}
	return n, least
}

// Who has no need of this member, which has none of it, is dialled less and less often, however
// often a tracker names it. Who has is dialled soon.
func TestNeitherNeedsTheOther(t *testing.T) {
	listed := Found{Addrs: ports("192.0.2.1:6881")}
	named := Found{Addrs: listed.Addrs, Name: "somebody:6881"}
	all := Has{Peer: 7, All: true}
	served := []Event{Interest{7, true}, Wanted{7, []uint32{0}}, Sent{7, 1 << 20}, Served{Peer: 7}}
	for name, test := range map[string]struct {
		found       Found
		whole       bool // this member has everything
		does        []Event
		least, most int // dials in six hours
		apart       time.Duration
	}{
		"both have, and the user named it":   {named, true, []Event{all}, 250, 420, 20 * time.Second},
		"both have everything":               {listed, true, []Event{all}, 5, 14, 30 * time.Second},
		"it ends the link before it says so": {listed, true, nil, 30, 80, time.Second},
		"it wants nothing":                   {listed, true, []Event{Interest{7, false}}, 30, 80, time.Second},
		"it was sent something":              {listed, true, served, 1000, 30_000, time.Second},
		"this one lacks something":           {listed, false, []Event{all}, 1000, 30_000, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4, 256<<10)
			if test.whole {
				d, _ = completeDesk(t, 4)
			}
			n, apart := d.visits(6*time.Hour, test.found, test.does...)
			if n < test.least || n > test.most || apart < test.apart {
				t.Errorf("%d dials in six hours, %v apart at least, want %d to %d, %v", n, apart,
					test.least, test.most, test.apart)
			}
			if !test.whole {
				return
			}
			if d.tell(Lost{Part: 1}); len(of[Dial](d)) == 0 {
				d.at += redialHurry
				d.tell(Tick{})
			}
			if len(of[Dial](d)) == 0 {
				t.Error("it is not dialled when something is missing here")
			}
		})
	}
}

// Both say at the link that they have everything: it ends at once.
func TestBothHaveEverything(t *testing.T) {
	d, _ := completeDesk(t, 4)
	d.tell(Joined{Peer: 0, ID: proto.PeerID{9}, Addr: addr(0)}, Has{Peer: 0, All: true})
	if len(of[Drop](d)) != 1 {
		t.Error("the link stays")
	}
}

// Who came from where a tracker says that somebody is, and has everything, is not dialled there
// soon. If it says to be elsewhere, it is.
func TestWhoCameRests(t *testing.T) {
	for port, rests := range map[uint16]bool{6881: true, 6882: false, 0: false} {
		d, _ := completeDesk(t, 4)
		d.cfg.Dials = 0 // to dial nobody yet
		d.tell(Found{Addrs: ports("192.0.2.1:6881")})
		d.tell(
			Joined{Peer: 0, ID: proto.PeerID{9}, Addr: netip.MustParseAddrPort("192.0.2.1:50000"), Port: port},
			Has{Peer: 0, All: true}, Left{0},
		)
		d.cfg.Dials = proto.Dials
		d.at += time.Second
		d.tell(Tick{})
		if got := len(of[Dial](d)) == 0; got != rests {
			t.Errorf("it says port %d: it rests: %v, want %v", port, got, rests)
		}
	}
}

// A client that is linked to, and turns out to be at an address that a tracker names, is not
// dialled there again while the link is up.
func TestSecondLinkToAnAddressIsTheLast(t *testing.T) {
	d := newDesk(t, 4, 256<<10)
	from := netip.MustParseAddrPort("192.0.2.1:50000")
	d.tell(Joined{Peer: 0, ID: proto.PeerID{9}, Addr: from}, Has{Peer: 0, Parts: []uint32{1}})
	d.tell(Found{Addrs: ports("192.0.2.1:6881")})
	n := 0
	for end := d.at + time.Hour; d.at < end; d.at += time.Second {
		for dials := of[Dial](d); len(dials) > 0; dials = of[Dial](d) {
			n++
			d.tell(Joined{Peer: 1, ID: proto.PeerID{9}, Addr: dials[0].Addrs[0], Dialled: true})
			d.tell(Left{1})
		}
		d.tell(Found{Addrs: ports("192.0.2.1:6881")})
	}
	if n != 1 {
		t.Errorf("it is dialled %d times, want 1", n)
	}
}
