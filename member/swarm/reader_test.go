package swarm

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orchestra/proto"
)

// newReading is a desk whose member wants the parts in order, and is in no chain, where all of them
// come in order.
func newReading(t *testing.T, parts int, partSize int64) *desk {
	d := &desk{t: t, Swarm: New(Config{Size: int64(parts) * partSize, PartSize: partSize, ID: proto.PeerID{100}, Seed: 1, Sequential: true})}
	d.plan.chain.broken = true
	return d
}

// parts are the parts on a peer's menu.
func (d *desk) parts(peer int) (parts []uint32) {
	for _, run := range d.menu(peer) {
		if len(parts) == 0 || parts[len(parts)-1] != run.Part {
			parts = append(parts, run.Part)
		}
	}
	return parts
}

// get brings the first run of the peer's menu in, which is a part.
func (d *desk) get(peer int) {
	run := d.menu(peer)[0]
	d.tell(Started{peer, run}, Progress{Peer: peer, Down: int64(run.Length)}, Received{peer, run}, Stored{run.Part})
}

func TestPartsAreAskedForInOrder(t *testing.T) {
	d := newReading(t, 1000, 256<<10)
	d.seed(0)
	d.seed(1)
	if diff := cmp.Diff([]uint32{0, 1, 2, 3, 4, 5, 6, 7}, d.parts(0)); diff != "" {
		t.Error("asked of the first peer (-want +got):", diff)
	}
	if diff := cmp.Diff([]uint32{8, 9, 10, 11, 12, 13, 14, 15}, d.parts(1)); diff != "" {
		t.Error("asked of the second peer (-want +got):", diff)
	}
	d.get(1)
	if got := d.parts(1)[7]; got != 16 {
		t.Errorf("after part 8 came, part %d is asked for, want 16", got)
	}
}

// Who was just dropped is not asked for what the reader waits for. When this member was suspended
// for long, all are.
func TestReaderAsksNobodyWhoLeaves(t *testing.T) {
	d := newReading(t, 1000, 256<<10)
	d.seed(0)
	d.seed(1)
	d.tell(Started{0, d.menu(0)[0]}, Started{1, d.menu(1)[0]})
	d.at = silent
	d.tell(Progress{Peer: 1, Down: 1 << 20}) // which waited
	gone := map[int]bool{}
	for _, e := range d.got {
		switch e := e.(type) {
		case Drop:
			gone[e.Peer] = true
		case Fetch:
			if gone[e.Peer] {
				t.Errorf("%v is asked of %d, which was dropped", e.Run, e.Peer)
			}
		}
	}
	if len(gone) != 2 {
		t.Errorf("%d are dropped: that tests nothing", len(gone))
	}
}

func TestEarliestPartThatThePeerHas(t *testing.T) {
	d := newReading(t, 1000, 256<<10)
	d.tell(Joined{Peer: 0, ID: proto.PeerID{1}, Addr: addr(0), MaxRun: RunSize}, Has{Peer: 0, Parts: []uint32{900, 31, 5, 32, 17}}, Choked{Peer: 0})
	got := d.parts(0)
	if diff := cmp.Diff([]uint32{5, 17, 31}, got[:3]); diff != "" {
		t.Error("asked for first (-want +got):", diff)
	}
	if rest := slices.Sorted(slices.Values(got[3:])); !slices.Equal(rest, []uint32{32, 900}) {
		t.Errorf("asked for then: %v, want those beyond the window", rest)
	}
}

// With a reader that does not come on, what is beyond its window comes rarest first; when it does,
// the window goes with it.
func TestWindowStaysWithTheReader(t *testing.T) {
	d := newReading(t, 1000, 256<<10)
	d.tell(Reading{0})
	d.seed(0)
	for range 32 {
		d.get(0)
	}
	beyond := d.parts(0)
	if slices.IsSorted(beyond) || beyond[0] < 32 {
		t.Errorf("beyond the window: %v, want parts by chance", beyond)
	}
	d.tell(Reading{10})
	d.get(0)
	first := uint32(32)
	for slices.Contains(beyond, first) {
		first++
	}
	if got := d.parts(0)[7]; got != first {
		t.Errorf("with the reader at 10, part %d is asked for, want %d, the first one in its window", got, first)
	}
	d.tell(Reading{5000}) // beyond the end
	d.get(0)
}

func TestWindow(t *testing.T) {
	for _, test := range []struct {
		name     string
		parts    int
		partSize int64
		want     int
	}{
		{"none", 0, 16 << 20, 1},
		{"an eighth of few large parts", 80, 4 << 20, 10},
		{"one of very few", 5, 8 << 20, 1},
		{"8 MiB", 4096, 64 << 10, 128},
		{"32 parts", 2048, 1 << 20, 32},
		{"32 large parts", 2048, 16 << 20, 32},
		{"no more of tiny parts", 1 << 20, 1, 1024},
	} {
		if got := windowOf(test.parts, test.partSize); got != test.want {
			t.Errorf("%s: %d parts, want %d", test.name, got, test.want)
		}
	}
}

// What the reader waits for and a slow peer does not send is asked of a faster one too, once.
func TestReaderIsNotKeptBySlowPeer(t *testing.T) {
	d := newReading(t, 1000, 256<<10)
	d.seed(0) // has parts 0 to 7 on its menu
	d.seed(1)
	for _, p := range d.links.list {
		p.sent = true // it sent something before
	}
	head := Run{0, 0, 256 << 10}
	for d.at = 0; d.at < hurry; d.at += hurry / 4 {
		d.get(1)
		if slices.Contains(d.menu(1), head) {
			t.Fatalf("asked of the faster peer after %v", d.at)
		}
	}
	at, ok := d.Next()
	if !ok || at > hurry+lookAgain {
		t.Fatalf("looks again at %v %v", at, ok)
	}
	d.at = hurry + lookAgain
	d.tell(Tick{})
	if !slices.Contains(d.menu(0), head) || !slices.Contains(d.menu(1), head) {
		t.Fatalf("menus %v and %v, want part 0 on both", d.menu(0), d.menu(1))
	}
	d.at += time.Second
	d.tell(Tick{})
	d.tell(Received{1, head}, Stored{0})
	if diff := cmp.Diff([]Cancel{{0, head}}, of[Cancel](d)); diff != "" {
		t.Error("cancelled (-want +got):", diff)
	}
	// The next one has waited as long already.
	d.at += lookAgain
	d.tell(Tick{})
	if next := (Run{1, 0, 256 << 10}); !slices.Contains(d.menu(1), next) {
		t.Errorf("part 1 is not asked of the faster peer: %v", d.menu(1))
	}
}

// A peer that sends other parts first is asked for nothing more until it comes to the one that the
// reader waits for.
func TestPeerOwesTheReader(t *testing.T) {
	d := newReading(t, 1000, 256<<10)
	d.seed(0)
	head := d.menu(0)[0]
	second := func() {
		run := d.menu(0)[1]
		d.tell(Received{0, run}, Stored{run.Part})
	}
	second()
	if n := len(d.menu(0)); n != 8 {
		t.Fatalf("asked for %d runs at first, want 8", n)
	}
	d.at = hurry
	second()
	second()
	if n := len(d.menu(0)); n != 6 {
		t.Errorf("asked for %d runs while part 0 is owed, want 6", n)
	}
	d.tell(Started{0, head})
	if n := len(d.menu(0)); n != 8 {
		t.Errorf("asked for %d runs when part 0 comes, want 8", n)
	}
}

// Runs that were asked of two peers stay well counted, whoever takes over, leaves or sends.
func TestRunsAskedTwiceAreCounted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newDesk(t, 6, 2*RunSize)
		if rapid.Bool().Draw(rt, "in order") {
			d = newReading(t, 6, 2*RunSize)
		}
		for i := range 3 {
			d.seed(i)
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			peer := rapid.IntRange(0, 2).Draw(rt, "peer")
			d.at += time.Duration(rapid.IntRange(0, 4000).Draw(rt, "ms")) * time.Millisecond
			menu := d.menu(peer)
			switch what := rapid.SampledFrom([]string{"start", "send", "reject", "choke", "tick"}).Draw(rt, "what"); {
			case what == "tick" || len(menu) == 0:
				d.tell(Tick{})
			case what == "start":
				d.tell(Started{peer, menu[0]})
			case what == "send":
				d.tell(Started{peer, menu[0]}, Progress{Peer: peer, Down: RunSize}, Received{peer, menu[0]}, Written{peer, menu[0]})
				for _, v := range of[Verify](d) {
					d.tell(Stored(v))
				}
			case what == "reject":
				d.tell(Rejected{peer, menu[0]})
			case what == "choke":
				d.tell(Choked{peer, true}, Choked{peer, false})
			}
			d.wantCounts(rt)
		}
	})
}

// wantCounts holds what works count against the menus.
func (d *desk) wantCounts(t *rapid.T) {
	for part := range uint32(d.Swarm.parts) {
		w := d.requests.works[part]
		if w == nil {
			continue
		}
		idle := 0
		for n := range w.runs {
			asked := 0
			for _, p := range d.links.peers {
				if p != nil && p.find(d.runOf(w, n)) >= 0 {
					asked++
				}
			}
			if asked != w.runs[n].asked {
				t.Fatalf("part %d run %d: counted as asked of %d peers, is of %d", part, n, w.runs[n].asked, asked)
			}
			if asked == 0 && !w.runs[n].here {
				idle++
			}
		}
		if idle != w.idle {
			t.Fatalf("part %d: %d runs counted as idle, %d are", part, w.idle, idle)
		}
	}
}

func TestFirstAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.IntRange(1, 300).Draw(t, "parts")
		r, p := newRarity(parts), &peer{has: newBitmap(parts), all: rapid.Bool().Draw(t, "all")}
		set := rapid.SliceOf(rapid.IntRange(0, parts-1))
		for _, part := range set.Draw(t, "free") {
			r.add(uint32(part))
		}
		for _, part := range set.Draw(t, "has") {
			p.has.set(uint32(part))
		}
		from, to := rapid.IntRange(0, parts).Draw(t, "from"), rapid.IntRange(0, parts).Draw(t, "to")
		want := -1
		for part := from; part < to && want < 0; part++ {
			if r.free.has(uint32(part)) && p.hasPart(uint32(part)) {
				want = part
			}
		}
		got, ok := r.first(p, from, to)
		if ok != (want >= 0) || (ok && int(got) != want) {
			t.Fatalf("got %d %v, want %d", got, ok, want)
		}
	})
}
