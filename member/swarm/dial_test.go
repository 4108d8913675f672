package swarm

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// TestSecondLink brings a second link to a member that one is up to. Which of them goes depends on
// what the first is doing, and never on the word of who opened the second alone.
func TestSecondLink(t *testing.T) {
	drop := func(peer int) []Effect { return []Effect{Drop{Peer: peer, Why: second}} }
	refused := []Effect{Doubt{0}, Drop{Peer: 1, Why: second}}
	for name, test := range map[string]struct {
		id     byte // of the other; this member's is 100
		first  bool // this member opened the first link
		second bool // and the second one
		busy   bool // the other has begun to send
		silent time.Duration
		want   []Effect
	}{
		"both dial, and the smaller id opened the first":  {1, false, true, false, time.Second, drop(1)},
		"both dial, and the smaller id opened the second": {1, true, false, false, time.Second, drop(0)},
		"both dial, and this id opened the first":         {200, true, false, false, time.Second, drop(1)},
		"both dial, and this id opened the second":        {200, false, true, false, time.Second, drop(0)},
		// within a race
		"somebody says he is a member that sends":           {1, true, false, true, stalled - 1, drop(0)},
		"the same, in the same direction":                   {1, false, false, true, stalled - 1, refused},
		"the same, later":                                   {1, true, false, false, raceMost, refused},
		"the link owes nothing":                             {1, false, false, false, time.Hour, refused},
		"the link is silent in the middle of a run":         {1, false, false, true, stalled, drop(0)},
		"the same, and this member opened the first":        {200, true, false, true, time.Minute / 2, drop(0)},
		"the same, and this member opens the second itself": {1, true, true, true, stalled, drop(0)},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 4, 256<<10)
			join := func(peer int, dialled bool) Joined {
				return Joined{Peer: peer, ID: proto.PeerID{test.id}, Addr: addr(peer), Dialled: dialled, MaxRun: RunSize}
			}
			d.tell(join(0, test.first), Has{Peer: 0, All: true}, Choked{Peer: 0})
			if test.busy {
				d.tell(Started{0, d.menu(0)[0]})
			}
			d.at += test.silent
			d.tell(join(1, test.second))
			var got []Effect
			for _, e := range d.got {
				switch e.(type) {
				case Drop, Doubt:
					got = append(got, e)
				}
				if _, ok := e.(Drop); ok {
					break // what is in doubt from now on is so for want of content
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error("(-want +got):", diff)
			}
		})
	}
}

// A member that has moved is asked for a sign of life over the link to where it was.
func TestMovedMemberIsDoubted(t *testing.T) {
	d := newDesk(t, 4, 256<<10)
	d.tell(Found{ID: proto.PeerID{1}, Addrs: addrs(0)})
	d.seed(0)
	d.tell(Found{ID: proto.PeerID{1}, Addrs: addrs(0)})
	if n := len(of[Doubt](d)); n != 0 {
		t.Error("in doubt although it is where it was")
	}
	d.tell(Found{ID: proto.PeerID{1}, Addrs: addrs(5)})
	if diff := cmp.Diff([]Doubt{{0}}, of[Doubt](d)); diff != "" {
		t.Error("doubts (-want +got):", diff)
	}
}

// While nobody linked to sends what is missing, those who do not answer are tried again every few
// seconds, however often they did not: the way to them may be free again. It is less and less often
// where somebody does, and where nothing is missing.
func TestRedialsSoonWhileInWant(t *testing.T) {
	dials := func(d *desk) (n int, longest time.Duration) {
		d.tell(Found{ID: proto.PeerID{9}, Addrs: addrs(9)})
		last := d.at
		for end := d.at + 10*time.Minute; d.at < end; {
			for _, dial := range of[Dial](d) {
				n++
				longest, last = max(longest, d.at-last), d.at
				d.tell(DialFailed{Dial: dial, Fault: NoAnswer})
			}
			at, ok := d.Next()
			if !ok {
				t.Fatal("nothing is to be done at any time")
			}
			d.at = max(d.at+1, at)
			d.tell(Tick{})
		}
		return n, longest
	}
	if n, longest := dials(newDesk(t, 4, 256<<10)); longest > redialHurry {
		t.Errorf("in want, it dials %d times in ten minutes, with up to %v between two", n, longest)
	}
	served := newDesk(t, 4, 256<<10)
	served.seed(0)
	served.links.peers[0].sent = true // it sent something
	complete, _ := completeDesk(t, 4)
	refused := newDesk(t, 4, 256<<10)
	refused.seed(0)
	refused.tell(Rejected{0, refused.menu(0)[0]})
	if n, longest := dials(refused); longest > redialHurry {
		t.Errorf("refused, it dials %d times in ten minutes, with up to %v between two", n, longest)
	}
	for name, d := range map[string]*desk{"served": served, "complete": complete} {
		if n, longest := dials(d); n > 20 || longest < time.Minute {
			t.Errorf("%s, it dials %d times in ten minutes, with up to %v between two", name, n, longest)
		}
	}
}

// Ending a chain leaves about as many links as are kept, and all where there are fewer anyway.
func TestShedKeeps(t *testing.T) {
	for _, links := range []int{2, 5, 15, 16, 17, 100} {
		d := newDesk(t, 4, 256<<10)
		d.cfg.MaxPeers = 200
		for i := range links {
			d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 1), 7}, Addr: addr(i), MaxRun: RunSize})
		}
		d.cfg.MaxPeers = 1
		d.out = nil
		d.links.shed()
		kept := links - len(d.out)
		if links <= keptLinks && kept != links {
			t.Errorf("of %d links %d are kept, want all", links, kept)
		}
		if math.Abs(float64(kept-keptLinks)) > 12 && links > keptLinks {
			t.Errorf("of %d links %d are kept, want about %d", links, kept, keptLinks)
		}
	}
}
