package swarm

import (
	"testing"
	"time"

	"orchestra/proto"
)

func TestCapacity(t *testing.T) {
	var c capacity
	at := time.Second
	carry := func(bytesPerSecond int64, span time.Duration) {
		for end := at + span; at < end; at += 50 * time.Millisecond {
			c.add(at, bytesPerSecond/20)
		}
	}
	want := func(when string, least, most float64) {
		t.Helper()
		if got := c.bytesPerSecond(); got < least || got > most {
			t.Errorf("%s: %.0f bytes/s, want %.0f to %.0f", when, got, least, most)
		}
	}
	c.add(at-time.Millisecond, 1e9)
	carry(1e6, lineSpan/2)
	want("after half a span", 0.45e6, 0.5e6)
	carry(1e6, 2*lineSpan)
	want("after a few spans", 0.95e6, 1.1e6)
	carry(1e5, lineAge/2)
	want("used less for a while", 0.95e6, 1.1e6)
	carry(1e5, 2*lineAge+lineSpan)
	want("slower for long", 0.95e5, 1.1e5)
	c.rest(at)
	carry(1e7, lineSpan/4)
	want("suddenly faster", 2e6, 2.5e6)
	c.rest(at)
	spans := c.spans
	for range 40 {
		carry(1e6, lineSpan/2)
		c.rest(at)
	}
	if c.spans != spans {
		t.Errorf("%d spans ended in which the line rested", c.spans-spans)
	}

	quick := capacity{first: lineSpan / 5}
	quick.add(at, 0)
	quick.add(at+lineSpan/4, 1000)
	if quick.spans != 1 {
		t.Error("a shorter first span did not end")
	}
	quick.add(at+lineSpan/2, 1000)
	if quick.spans != 1 {
		t.Error("the second span was as short as the first")
	}
}

// sharer is a core that has everything, and peers that each want all of it.
func sharer(t *testing.T, parts, peers int) *desk {
	d, all := completeDesk(t, parts)
	d.plan.chain.foreign = 1 // in a chain, a member sends to one peer at a time
	for i := range peers {
		d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), MaxRun: RunSize}, Interest{i, true}, Wanted{i, all})
	}
	return d
}

// serve ends the oldest grants, so many and one each so often.
func (d *desk) serve(n int, every time.Duration) {
	for range n {
		oldest := -1
		for i, p := range d.links.peers {
			if len(p.grants) > 0 && (oldest < 0 || p.lastGrant < d.links.peers[oldest].lastGrant) {
				oldest = i
			}
		}
		if oldest < 0 {
			d.t.Fatal("no grant is out")
		}
		for end := d.at + every; d.at < end; {
			d.at = min(d.at+ReportEvery, end)
			for i, p := range d.links.peers {
				if len(p.grants) > 0 {
					d.tell(Sent{i, movedLeast})
				}
			}
		}
		d.tell(Served{Peer: oldest})
	}
}

func TestGrantsByTheLineUp(t *testing.T) {
	for _, test := range []struct {
		rate int // bytes a second
		want int // grants out
	}{{400_000, 2}, {1_200_000, 2}, {2_400_000, 3}, {4_700_000, 5}, {12_000_000, farSlots}, {100_000_000, farSlots}} {
		d := sharer(t, 2000, 8)
		if d.grants.active != seedSlots {
			t.Fatalf("%d grants at first, want %d", d.grants.active, seedSlots)
		}
		every := time.Duration(float64(256<<10) / float64(test.rate) * float64(time.Second))
		d.serve(int(5*lineSpan/every)+8, every)
		if d.grants.active != test.want {
			t.Errorf("line of %d bytes/s: %d grants are out, want %d", test.rate, d.grants.active, test.want)
		}
	}
}

// A line over which little goes because little is wanted is not taken for a slow one.
func TestLittleWantedIsNoSlowLine(t *testing.T) {
	d := sharer(t, 400, 2)
	for i := range 2 {
		d.links.peers[i].wants = nil
	}
	d.serve(seedSlots, 0)
	for part := range uint32(60) {
		d.tell(Wanted{int(part % 2), []uint32{100 + part}})
		d.serve(1, lineSpan/2)
	}
	if got := d.plan.slots(); got != seedSlots {
		t.Errorf("%d grants may be out, want %d", got, seedSlots)
	}
}

func TestShareOfTheLineDown(t *testing.T) {
	d := newDesk(t, 400, 256<<10)
	d.plan.chain.foreign = 1 // in a chain, one peer has the whole line
	for i := range 4 {
		d.seed(i)
		d.links.peers[i].sent = true // it sent something before
	}
	var share int64
	told := func() {
		for _, e := range of[Share](d) {
			share = e.Down
		}
	}
	got := uint32(0)
	bring := func(bytesPerSecond int64, span time.Duration) {
		for end := d.at + span; d.at < end; d.at += 50 * time.Millisecond {
			got += movedLeast
			d.tell(Progress{Peer: 0, Down: bytesPerSecond / 20, Run: d.menu(0)[0], Got: got})
			told()
			for i := 1; i < 4; i++ {
				d.tell(Progress{Peer: i, Run: d.menu(i)[0], Got: got})
			}
		}
	}
	d.at = time.Second
	d.tell(Started{0, d.menu(0)[0]})
	bring(20<<20, 100*time.Millisecond)
	if share != 0 {
		t.Errorf("a share of %d before anything is known", share)
	}
	bring(20<<20, 2*lineSpan)
	if want := int64(20 << 20); share < want*9/10 || share > want*5/4 {
		t.Errorf("one peer's share is %d, want about %d", share, want)
	}
	for i := 1; i < 4; i++ {
		d.tell(Started{i, d.menu(i)[0]})
		told()
	}
	if want := int64(5 << 20); share < want*9/10 || share > want*5/4 {
		t.Errorf("the share of each of four is %d, want about %d", share, want)
	}
	bring(1<<20, 3*lineAge)
	if want := int64(lineLeast / 4); share != want {
		t.Errorf("the share of a line that brings little is %d, want %d", share, want)
	}
}

func TestWhoHasFewLinksOpensMore(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	dials := 0
	for i := range 30 {
		d.tell(Found{ID: proto.PeerID{byte(i + 1)}, Addrs: addrs(i)})
		for _, e := range of[Dial](d) {
			dials++
			i := int(e.ID[0]) - 1
			d.tell(Joined{Peer: i, ID: e.ID, Addr: addr(i), Dialled: true, MaxRun: RunSize})
		}
	}
	if dials != 8 {
		t.Fatalf("%d dials at first, want 8", dials)
	}
	at, ok := d.Next()
	if !ok || at > d.at+fewAfter {
		t.Fatalf("looks again at %v (%v), want %v", at, ok, fewAfter)
	}
	d.at = fewAfter
	d.tell(Tick{})
	if more := of[Dial](d); len(more) != fewLinks-8 {
		t.Errorf("%d more dials, want %d", len(more), fewLinks-8)
	}
}
