package swarm

import (
	"testing"
	"time"
)

// Who may have what is missing is dialled every few seconds while nothing comes, however often that
// was in vain, but not for ever.
func TestHungryMemberTriesOften(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	d.tell(Found{ID: id(1), Addrs: addrs(0)})
	last, longest, late := d.at, time.Duration(0), 0
	for d.at < 2*hungryFor {
		for _, dial := range of[Dial](d) {
			switch {
			case d.at > hungryFor+redialLost:
			case d.at > hungryFor:
				late++
			default:
				longest = max(longest, d.at-last)
			}
			last = d.at
			d.tell(DialFailed{Dial: dial, Fault: NoAnswer})
		}
		at, ok := d.Next()
		if !ok {
			t.Fatal("the member is never dialled again")
		}
		d.at = at
		d.tell(Tick{})
	}
	if most := redialHungry * 3 / 2; longest > most {
		t.Errorf("it waits for %v once, want %v at most", longest, most)
	}
	if late > int(hungryFor/redialMost)*2 {
		t.Errorf("%d dials in the %v after that", late, hungryFor)
	}
}

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
	if m := s.of(id(1), nil); m == nil || s.when(m) > s.now {
		t.Errorf("the listed one is not dialled when the conductor is back: %v", m)
	}
}
