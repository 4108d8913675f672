package swarm

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"orchestra/proto"
)

// dialsAs passes time, in which a peer id answers at port 6881 of 192.0.2.1 and 2001:db8::1, and
// another one elsewhere, and gives where was dialled there.
func (d *desk) dialsAs(there proto.PeerID, span time.Duration, found Found) (list []netip.AddrPort) {
	for end := d.at + span; d.at < end; d.at += time.Second {
		d.tell(found)
		for dials := of[Dial](d); len(dials) > 0; {
			dial, id := dials[0], proto.PeerID{9}
			if dial.Addrs[0].Addr() != netip.MustParseAddr("192.0.2.2") {
				id = there
				list = append(list, dial.Addrs[0])
			}
			if dial.ID.Stable() && dial.ID != id {
				d.tell(DialFailed{Dial: dial, Addr: dial.Addrs[0], Fault: Another, Is: id})
			} else {
				d.tell(Joined{Peer: 7, ID: id, Addr: dial.Addrs[0], Dialled: true}, Left{7})
			}
			dials = append(dials[1:], of[Dial](d)...)
		}
	}
	return list
}

// A member that a tracker tells of itself dials itself once for each address.
func TestDialsItselfOnce(t *testing.T) {
	own, other := proto.PeerID{100}, proto.PeerID{9}
	at := ports("192.0.2.1:6881", "[2001:db8::1]:6881")
	d := newDesk(t, 4, 256<<10)
	for _, a := range at {
		if got := d.dialsAs(own, time.Hour, Found{Addrs: []netip.AddrPort{a}}); len(got) != 1 {
			t.Errorf("%v: it dials %v", a, got)
		}
	}
	if st := d.Stats(); st.Known != 0 {
		t.Errorf("%d members are known, want none", st.Known)
	}
	// A member of several addresses is dialled at the others.
	both := Found{Addrs: []netip.AddrPort{at[0], ports("192.0.2.2:6881")[0]}, Name: "somebody:6881"}
	d.tell(both)
	if dials := of[Dial](d); len(dials) != 1 || !slices.Equal(dials[0].Addrs, both.Addrs[1:]) {
		t.Errorf("of %v it dials %v", both.Addrs, dials)
	}
	// Somebody whom a conductor lists there is dialled; who is found there is no longer this
	// member.
	member := proto.PeerID{}
	copy(member[:], "-OR0100-abcdefghijkl")
	listed := Found{ID: member, Addrs: at[:1]}
	if got := d.dialsAs(own, time.Minute, listed); len(got) == 0 {
		t.Error("who is listed at an address of this member is not dialled")
	}
	if d.tell(Gone{ID: member}); d.Stats().Known != 1 {
		t.Fatalf("%d are known, want one", d.Stats().Known)
	}
	if got := d.dialsAs(own, time.Minute, Found{Addrs: at[:1]}); len(got) != 0 {
		t.Errorf("it dials itself again: %v", got)
	}
	d.dialsAs(other, time.Minute, listed)
	if d.book.own.has(at[0]) {
		t.Error("somebody else was found at the address, and it counts as this member's own")
	}
	d.tell(Moved{})
	if d.book.own.has(at[1]) {
		t.Error("the machine has another address, and the old one counts as its own")
	}
}

func TestOwnPlacesAreBounded(t *testing.T) {
	d := newDesk(t, 4, 256<<10)
	for i := range 3 * ownMost {
		a := netip.MustParseAddrPort(fmt.Sprintf("192.0.3.%d:6881", i))
		d.dialsAs(proto.PeerID{100}, time.Second, Found{Addrs: []netip.AddrPort{a}})
	}
	if n := len(d.book.own.list); n != ownMost {
		t.Errorf("%d are remembered, want %d", n, ownMost)
	}
}
