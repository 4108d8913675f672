package swarm

import (
	"slices"
	"testing"
	"time"
)

// newFed is a desk in a chain: peer 0 sends, peer 1 has everything too and could send more.
func newFed(t *testing.T) *desk {
	d := newDesk(t, 400, 256<<10)
	d.seed(0)
	d.seed(1)
	d.flow(feedSettle+time.Second, 0)
	d.tell(Spare{1, true})
	return d
}

// flow has content come from peers for a while, 2 MB/s from all together.
func (d *desk) flow(span time.Duration, peers ...int) {
	d.flowAt(2_000_000, span, peers...)
}

func (d *desk) flowAt(rate int, span time.Duration, peers ...int) {
	for end := d.at + span; d.at < end; {
		d.at += 100 * time.Millisecond
		for _, p := range peers {
			if menu := d.menu(p); len(menu) > 0 {
				d.tell(Started{p, menu[0]}, Progress{Peer: p, Down: int64(rate / 10 / len(peers))})
				if d.at%(200*time.Millisecond) == 0 {
					d.tell(Received{p, menu[0]}, Stored{menu[0].Part})
				}
			}
		}
		d.tell(Tick{})
	}
}

// The end of a chain asks who could send more for a run, and keeps it if more comes then.
func TestOneMoreFeedIsKeptIfMoreComes(t *testing.T) {
	for _, test := range []struct {
		name string
		rate int // bytes a second from both, while it is on trial
		kept bool
	}{
		{"more comes", 4_000_000, true},
		{"the line is full", 2_000_000, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newFed(t)
			d.flow(feedLook+100*time.Millisecond, 0)
			if n := len(d.menu(1)); n != 1 {
				t.Fatalf("who could send more is asked for %d runs, want 1", n)
			}
			d.tell(Started{1, d.menu(1)[0]}, Progress{Peer: 1, Down: 10_000})
			if !slices.Contains(d.plan.feed.extra, d.links.peers[1]) {
				t.Fatal("who sends is no feed")
			}
			d.flowAt(test.rate, trialTime+2*feedLook, 0, 1)
			if kept := slices.Contains(d.plan.feed.extra, d.links.peers[1]); kept != test.kept {
				t.Errorf("kept: %v", kept)
			}
			if again := d.plan.feed.trials.over(d.at); again != test.kept {
				t.Errorf("another one may be tried at once: %v", again)
			}
		})
	}
}

// Who has somebody behind it in the chain tries nobody, and neither does who is complete soon.
func TestWhoTriesNoFeed(t *testing.T) {
	d := newFed(t)
	d.comes(2)
	d.tell(Wanted{2, []uint32{0}})
	if d.plan.chain.down != d.links.peers[2] {
		t.Fatal("who wants something is not the downstream")
	}
	d.at += feedLook
	d.tell(Tick{})
	if len(d.menu(1)) > 0 {
		t.Error("the middle of a chain tries one more feed")
	}
}

// A peer that does not begin to send within a while is left alone for a while.
func TestProbeIsNotWaitedFor(t *testing.T) {
	d := newFed(t)
	d.flow(feedLook+100*time.Millisecond, 0)
	if len(d.menu(1)) != 1 {
		t.Fatal("nobody is tried")
	}
	d.flow(probePatience+2*feedLook, 0)
	if d.links.peers[1].probed != 0 || d.at >= d.links.peers[1].probeAfter {
		t.Errorf("it is waited for: %v, and tried again at %v", d.links.peers[1].probed, d.links.peers[1].probeAfter)
	}
}

// Who has nothing to do tells those that lack something, once, and tells when it has.
func TestSpareIsTold(t *testing.T) {
	d, _ := completeDesk(t, 40)
	d.comes(0, 1)
	if got := of[SetSpare](d); got != nil {
		t.Fatalf("told at once: %v", got)
	}
	at, ok := d.Next()
	if want := spareAfter + 1; !ok || at > want {
		t.Fatalf("next at %v, want %v at the latest", at, want)
	}
	d.at = at
	d.tell(Tick{})
	if got := of[SetSpare](d); !slices.Equal(got, []SetSpare{{0, true}}) {
		t.Errorf("told %v", got)
	}
	d.comes(1, 2)
	d.tell(Wanted{0, []uint32{3}})
	if got := of[SetSpare](d); !slices.Equal(got, []SetSpare{{0, false}, {1, false}}) {
		t.Errorf("told %v when it sends", got)
	}
}

// A grant to a slow peer gives its slot to somebody else while it is out.
func TestSlowGrantHoldsNoSlot(t *testing.T) {
	d, all := completeDesk(t, 20) // too few parts for a chain
	for i := range 7 {
		d.comes(i)
		d.tell(Wanted{i, all})
	}
	out := func() (n int) {
		for _, p := range d.links.peers {
			n += len(p.grants)
		}
		return n
	}
	before := out()
	if d.grants.active != before || before != seedSlots {
		t.Fatalf("%d grants are out, %d hold slots, want %d", before, d.grants.active, seedSlots)
	}
	var slow *peer
	for _, p := range d.links.peers {
		if len(p.grants) > 0 {
			slow = p
		}
	}
	d.at = d.grants.grantTime(slow.grants[0])
	d.tell(Sent{Peer: slow.index, Bytes: 64 << 10}) // it takes something, slowly
	if n := len(slow.grants); !slow.slow || n == 0 || d.grants.active > out()-n {
		t.Errorf("slow: %v; %d grants are out, %d hold slots", slow.slow, out(), d.grants.active)
	}
	d.tell(Served{Peer: slow.index})
	if !slow.slow {
		t.Error("it does not count as slow any more when its slow grant is served")
	}
	for range 2 {
		d.tell(Served{Peer: slow.index})
	}
	if slow.slow {
		t.Error("it counts as slow when its next grant was served at once")
	}
}
