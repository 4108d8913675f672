package swarm

import (
	"testing"

	"orchestra/proto"
)

// Where all places are taken, links over which nothing goes make room for who comes: those of whom
// nobody lists first, and not for who had to make room before.
func TestIdleLinksMakeRoom(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	d.cfg.MaxPeers = 3
	joins := func(i, host int, listed bool) bool {
		t.Helper()
		id := proto.PeerID{byte(host + 1), byte(i)}
		if listed {
			d.tell(Found{ID: id, Addrs: addrs(host)})
		}
		d.tell(Joined{Peer: i, ID: id, Addr: addr(host), MaxRun: RunSize, MaxQueue: 100})
		dropped := map[int]bool{}
		for _, e := range of[Drop](d) {
			dropped[e.Peer] = true
		}
		for peer := range dropped {
			d.tell(Left{peer})
		}
		return !dropped[i]
	}
	up := func(want ...int) {
		t.Helper()
		for i, p := range d.links.peers {
			wanted := false
			for _, w := range want {
				wanted = wanted || w == i
			}
			if (p != nil) != wanted {
				t.Errorf("link %d is up: %v", i, p != nil)
			}
		}
		if d.links.up != len(want) {
			t.Errorf("%d links are counted, want %d", d.links.up, len(want))
		}
	}
	joins(0, 0, true)
	d.at++
	joins(1, 1, false)
	joins(2, 2, false)
	d.at += idleStranger
	d.tell(Has{Peer: 2, All: true}, Choked{Peer: 2}) // which is asked for something
	if joins(3, 3, false) {
		t.Error("somebody had to make room for who nobody knows, too soon")
	}
	up(0, 1, 2)
	if !joins(3, 4, true) {
		t.Error("no room for who is listed")
	}
	up(0, 2, 3)
	if joins(1, 1, true) {
		t.Error("who had to make room comes back at the cost of another one")
	}
	d.at += idleLink
	if joins(1, 1, true) {
		t.Error("who had to make room comes back at the cost of another one, later")
	}
	if !joins(1, 5, false) {
		t.Error("a link that was idle for long stays")
	}
	up(1, 2, 3)
	d.at += memoryAge
	if !joins(4, 1, false) {
		t.Error("who had to make room is never let in again")
	}
}

// Where others of the process are in need of a link, the one ends that is of least use: of those
// over which nothing goes the one to whom nobody lists, and one at a time.
func TestCrowded(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	for i, listed := range []bool{true, false, true} {
		id := proto.PeerID{byte(i + 1)}
		if listed {
			d.tell(Found{ID: id, Addrs: addrs(i)})
		}
		d.tell(Joined{Peer: i, ID: id, Addr: addr(i), MaxRun: RunSize, MaxQueue: 100})
	}
	d.tell(Has{Peer: 0, All: true}, Choked{Peer: 0}) // which is asked for something
	for _, want := range []int{1, 2, 0} {
		of[Drop](d)
		d.tell(Crowded{})
		dropped := of[Drop](d)
		if len(dropped) != 1 || dropped[0].Peer != want {
			t.Fatalf("dropped %v, want the link to %d", dropped, want)
		}
		d.tell(Left{want})
	}
	d.tell(Crowded{}) // which finds nobody
}

// Where all places are taken by busy links, the host with most of them gives one up for who has
// fewer; among those that have as many, nobody does.
func TestHostsSharePlaces(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	d.cfg.MaxPeers = 6
	joins := func(i, host int) (dropped []int) {
		d.tell(Joined{
			Peer: i, ID: proto.PeerID{byte(host + 1), byte(i)}, Addr: addr(host), MaxRun: RunSize,
			MaxQueue: 100,
		})
		for _, e := range of[Drop](d) {
			dropped = append(dropped, e.Peer)
			d.tell(Left{e.Peer})
		}
		d.tell(Has{Peer: i, All: true}, Choked{Peer: i}) // which is asked for something
		return dropped
	}
	for i := range 6 {
		if dropped := joins(i, 0); len(dropped) > 0 {
			t.Fatalf("%v had to go although there was room", dropped)
		}
	}
	for i, host := range []int{1, 2, 1, 2} {
		dropped := joins(10+i, host)
		if len(dropped) != 1 || dropped[0] >= 6 {
			t.Errorf("link %d of other hosts: %v had to go, want one of the host that has most", i, dropped)
		}
	}
	for _, host := range []int{0, 1, 2} {
		if dropped := joins(20, host); len(dropped) != 1 || dropped[0] != 20 {
			t.Errorf("%v had to go for the third link of a host, where all have two", dropped)
		}
	}
}
