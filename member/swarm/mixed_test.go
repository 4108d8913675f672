package swarm

import (
	"fmt"
	"testing"
	"time"
)

// mixes plays a part to its end that is missing alone: peer 0 begins with whatever it is asked for
// and does not get on, and what another one is asked for then comes bad of the two, once. What peer
// 1 alone is asked for comes right. It returns how often the part was bad.
func (d *desk) mixes(part uint32) (bad int) {
	d.t.Helper()
	begun := map[Run]bool{}
	for end := d.at + 5*time.Minute; d.at < end && !d.Has(part); {
		for _, run := range d.menu(0) {
			if !begun[run] {
				begun[run] = true
				d.tell(Started{0, run})
			}
		}
		if runs := d.menu(1); len(runs) > 0 {
			run := runs[0]
			mixed := d.asks(0, part)
			d.tell(Started{1, run}, Received{1, run})
			if clear(begun); mixed {
				bad++
				d.tell(Failed{Part: part})
			} else {
				d.tell(Stored{part})
			}
			continue
		}
		at, ok := d.Next()
		if !ok {
			at = end
		}
		d.at = min(max(at, d.at+1), end)
		d.tell(Tick{})
	}
	return bad
}

// A part that two sent bad comes from one after the other, and from who is most likely to send it
// right first. It is bad twice at most.
func TestMixedPartTakesTurns(t *testing.T) {
	for _, good := range [][2]int64{{0, 1 << 20}, {0, 0}, {1 << 20, 0}} {
		t.Run(fmt.Sprint("good bytes ", good), func(t *testing.T) {
			d := newDesk(t, 1, 256<<10)
			d.seed(0)
			d.seed(1)
			for i, n := range good {
				d.links.peers[i].good = n
			}
			if bad := d.mixes(0); bad == 0 || bad > 2 || !d.Has(0) {
				t.Errorf("it was bad %d times, and is here: %v at %v", bad, d.Has(0), d.at)
			}
			if len(d.trust.turns)+len(d.trust.suspect)+len(d.trust.alone) > 0 {
				t.Errorf("it is here, and remembered are %v, %v, %v", d.trust.turns, d.trust.suspect,
					d.trust.alone)
			}
			liar := sender{d.links.peers[0].id, addr(0)}.culprit()
			if r := d.trust.records[liar]; r == nil || r.vain != 256<<10 || r.n > 0 {
				t.Errorf("held against who had a hand in it: %+v", r)
			}
			honest := sender{d.links.peers[1].id, addr(1)}.culprit()
			if r := d.trust.records[honest]; r != nil {
				t.Errorf("held against who sent it right: %+v", *r)
			}
		})
	}
}

// Who has a hand in one bad run after the other is asked for nothing for a while, though nothing is
// proven. Who was in it as well each time, and sent what was right then, is asked on.
func TestWhoMixesBadRunsIsPutOff(t *testing.T) {
	d := newDesk(t, 2, 256<<10)
	for i := range 2 { // both have one of two parts, and are told when this member has not
		d.tell(
			Joined{Peer: i, ID: id(i + 1), Addr: addr(i), Dialled: true, MaxRun: RunSize, Hears: true},
			Has{Peer: i, Parts: []uint32{0}}, Choked{Peer: i},
		)
	}
	bad := 0
	for n := range 100 {
		if bad += d.mixes(0); !d.Has(0) {
			t.Fatalf("the part does not come for the %d. time", n)
		}
		d.at += time.Second
		d.tell(Lost{Part: 0}) // and is to come again
	}
	t.Logf("bad %d times in %v", bad, d.at)
	if bad > 4 {
		t.Errorf("a part was bad %d times in %v", bad, d.at)
	}
	if !d.trust.mayAsk(d.links.peers[1]) || len(of[CutOff](d)) > 0 {
		t.Error("who sent what was right is held to it")
	}
}
