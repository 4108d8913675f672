package swarm

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asksFor are the parts that peers are asked for.
func (d *desk) asksFor() (parts []uint32) {
	for _, p := range d.links.list {
		for _, r := range d.menu(p.index) {
			parts = append(parts, r.Part)
		}
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

// receive lets a run come whose writing fails.
func (d *desk) receive(peer int, run Run) {
	d.tell(Started{peer, run}, Received{peer, run})
}

// While the disk is full nothing is asked for, what was is taken back, and the peers hear that they
// need not keep a slot. Then all goes on.
func TestFullDiskAsksForNothing(t *testing.T) {
	d := newDesk(t, 8, 256<<10)
	d.seed(0)
	d.seed(1)
	d.tell(Interest{1, true})
	asked := d.asksFor()
	first := d.menu(0)[0]
	d.receive(0, first)
	d.tell(Full{true})
	if n := len(of[Cancel](d)); n != len(asked)-1 {
		t.Errorf("%d runs are taken back of %d", n, len(asked)-1)
	}
	for _, e := range of[SetInterest](d) {
		if e.On {
			t.Errorf("it is interested in peer %d", e.Peer)
		}
	}
	d.tell(Unwritten{0, first})
	d.tell(Has{Peer: 1, All: true}, Choked{Peer: 0, On: true}, Choked{Peer: 0})
	if got := d.asksFor(); len(got) > 0 {
		t.Errorf("asks for %v", got)
	}
	if w := d.Waiting(d.at); !w.Full || w.Missing != 8 {
		t.Errorf("it waits for %+v", w)
	}
	d.wait(d.at + 10*time.Minute)
	if got := d.asksFor(); len(got) > 0 {
		t.Errorf("after a while it asks for %v", got)
	}
	d.tell(Full{})
	if diff := cmp.Diff(asked, d.asksFor()); diff != "" {
		t.Error("asked for when there is room (-before +now):", diff)
	}
	if w := d.Waiting(d.at); w.Full {
		t.Error("it still is full")
	}
}

// A part that the disk did not take is asked for again after a while, longer each time, and the
// others meanwhile.
func TestPartThatTheDiskDoesNotTake(t *testing.T) {
	d := newDesk(t, 3, 256<<10)
	d.seed(0)
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		wait *= time.Second
		run := Run{1, 0, 256 << 10}
		if !slices.Contains(d.menu(0), run) {
			t.Fatalf("part 1 is not asked for before a wait of %v: %v", wait, d.menu(0))
		}
		d.receive(0, run)
		d.tell(Setback{1, 1, 1}, Unwritten{0, run})
		if slices.Contains(d.asksFor(), 1) || !slices.Contains(d.asksFor(), 2) {
			t.Errorf("asks for %v", d.asksFor())
		}
		if w := d.Waiting(d.at + waitingAfter); w.Held != 1 {
			t.Errorf("it waits for %+v", w)
		}
		d.wait(d.at + wait - 1)
		if slices.Contains(d.asksFor(), 1) {
			t.Errorf("asked for before %v", wait)
		}
		d.wait(d.at + 1)
	}
	d.receive(0, Run{1, 0, 256 << 10})
	d.tell(Stored{1})
	if len(d.setbacks.parts) > 0 || !d.Has(1) {
		t.Error("it is still held")
	}
}

// Of a file that the disk does not take, one part is tried now and then, and all of it comes when
// that is stored. One bad part of a file costs itself only.
func TestFileThatTheDiskDoesNotTake(t *testing.T) {
	const parts, first, last = 40, 10, 29
	inFile := func(part uint32) bool { return first <= part && part <= last }
	d := newDesk(t, parts, 256<<10)
	d.seed(0)
	fails, stored := map[uint32]int{}, 0
	serve := func(broken func(part uint32) bool) {
		for _, run := range d.menu(0) {
			d.receive(0, run)
			if broken(run.Part) {
				fails[run.Part]++
				d.tell(Setback{run.Part, first, last}, Unwritten{0, run})
			} else {
				stored++
				d.tell(Stored{run.Part})
			}
		}
	}
	for range 200 {
		serve(inFile)
		d.wait(d.at + 100*time.Millisecond)
	}
	if stored != parts-(last-first+1) {
		t.Errorf("%d parts of other files were stored", stored)
	}
	total := 0
	for _, n := range fails {
		total += n
	}
	if most := menuRuns + setbackParts + 6; total > most { // 1+2+4+8 s are over
		t.Errorf("%d parts were fetched in vain in 20 s, want %d at most", total, most)
	}
	d.wait(d.at + time.Minute)
	serve(func(part uint32) bool { return part == 15 })
	for range 100 {
		serve(func(part uint32) bool { return part == 15 })
		d.wait(d.at + time.Second)
	}
	if stored != parts-1 || d.Has(15) {
		t.Errorf("%d of %d parts are stored", stored, parts)
	}
	d.wait(d.at + time.Minute)
	serve(func(uint32) bool { return false })
	if !d.finished {
		t.Errorf("it is not complete: asks for %v", d.asksFor())
	}
}

// A run of several of a part that is not written is the only one that comes again.
func TestRunThatTheDiskDoesNotTake(t *testing.T) {
	d := newDesk(t, 1, 3*RunSize)
	d.seed(0)
	runs := slices.Clone(d.menu(0))
	for _, r := range runs {
		d.receive(0, r)
	}
	d.tell(Written{0, runs[0]}, Written{0, runs[2]})
	d.tell(Setback{0, 0, 0}, Unwritten{0, runs[1]})
	if len(d.menu(0)) > 0 {
		t.Errorf("asked for at once: %v", d.menu(0))
	}
	d.wait(d.at + setbackFirst)
	if diff := cmp.Diff(runs[1:2], d.menu(0)); diff != "" {
		t.Error("asked for (-want +got):", diff)
	}
	d.receive(0, runs[1])
	d.tell(Written{0, runs[1]})
	if len(of[Verify](d)) != 1 {
		t.Error("the part is not verified")
	}
}
