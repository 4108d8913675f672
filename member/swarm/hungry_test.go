package swarm

import (
	"testing"
	"time"
)

// Who was told of by name is looked for often whoever else there is, and everybody once a conductor
// is back: the network may be.
func TestNetworkIsBack(t *testing.T) {
	s := newShelf(t)
	s.lists(0, 1)
	s.names("somebody:1", 2)
	s.fails(time.Hour)
	s.conducted(s.now, Conducted{})
	if dials := s.fails(redialNamed * 3 / 2); dials != 1 && dials != 2 {
		t.Errorf("the named one is dialled %d times in %v", dials, redialNamed*3/2)
	}
	s.conducted(s.now, Conducted{On: true})
	if m := s.of(id(1), nil); m == nil || s.when(s.now, m) > s.now {
		t.Errorf("the listed one is not dialled when the conductor is back: %v", m)
	}
}

// A member that opened a link before anybody told of it is dialled once that link has ended.
func TestLinkCameBeforeItsMemberWasListed(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	d.tell(Joined{Peer: 0, ID: id(1), Addr: addr(1), MaxRun: RunSize})
	d.tell(Found{ID: id(1), Addrs: addrs(0)})
	if dials := of[Dial](d); len(dials) != 0 {
		t.Errorf("dials %v while there is a link", dials)
	}
	d.tell(Left{Peer: 0})
	d.at += 2 * redialHurry
	d.tell(Tick{})
	if dials := of[Dial](d); len(dials) != 1 || dials[0].ID != id(1) {
		t.Errorf("dials %v, want the one that left", dials)
	}
}

// Who should send is asked for a sign of life while nothing comes, and not while something does.
func TestSignOfLife(t *testing.T) {
	d := newDesk(t, 4, 256<<10)
	d.seed(0)
	d.tell(Started{0, d.menu(0)[0]})
	for range 10 {
		d.at += time.Second
		d.tell(Progress{Peer: 0, Run: d.menu(0)[0], Got: 1000, Down: 1000})
		if n := len(of[Doubt](d)); n != 0 {
			t.Fatal("in doubt, although it sends")
		}
	}
	doubts := 0
	for range 20 {
		d.at += time.Second
		d.tell(Tick{})
		doubts += len(of[Doubt](d))
	}
	if doubts != 4 {
		t.Errorf("asked %d times in 20 s, want 4", doubts)
	}
}
