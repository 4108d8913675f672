package member

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNoticesAreGathered(t *testing.T) {
	var n notices
	var said []string
	now := time.Unix(1000, 0)
	add := func(kind string, part uint32) {
		n.add(now, kind, part, func(parts []int) { said = append(said, kind+": "+these(parts)) })
	}
	pass := func(wait time.Duration) {
		for end := now.Add(wait); ; n.tell(now) {
			at := n.next()
			if at.IsZero() || at.After(end) {
				now = end
				n.tell(now)
				return
			}
			now = at
		}
	}
	want := func(when string, lines ...string) {
		t.Helper()
		slices.Sort(said)
		if diff := cmp.Diff(lines, said); diff != "" {
			t.Errorf("%s (-want +got): %s", when, diff)
		}
		said = nil
	}
	add("a", 7)
	pass(noticeSoon)
	want("one part", "a: part 7")
	for part := range uint32(3) {
		add("a", part)
		add("a", part)
		add("b", part+10)
	}
	add("b", 20)
	pass(noticeSoon)
	want("another kind", "b: 4 parts (10-12, 20)")
	pass(noticeFirst)
	want("more of the first", "a: 3 parts (0-2)")
	for part := range uint32(100_000) {
		add("a", part)
		now = now.Add(time.Millisecond)
		n.tell(now)
	}
	if len(said) > 4 {
		t.Errorf("%d lines in 100 s", len(said))
	}
	said = nil
	n.end()
	pass(3 * noticeMost)
	if len(said) != 1 || len(n.kinds) != 0 || !n.next().IsZero() {
		t.Errorf("in the end: said %d, %d kinds", len(said), len(n.kinds))
	}
	for i := range 1000 {
		add(fmt.Sprint(i), 1)
	}
	if len(n.kinds) > noticeKinds+1 {
		t.Errorf("%d kinds", len(n.kinds))
	}
}

// Complaints that are not true cost a bounded share of the time, and are heard less and less often.
func TestRechecksAreBounded(t *testing.T) {
	var r rechecks
	now := time.Unix(1000, 0)
	const took, hour = 10 * time.Millisecond, time.Hour
	busy, times := time.Duration(0), map[uint32]int{}
	for end := now.Add(hour); now.Before(end); now = now.Add(50 * time.Millisecond) {
		for part := range uint32(20) {
			r.add(now, part)
		}
		if part, ok := r.take(now); ok {
			if _, again := r.take(now); again {
				t.Fatal("two at once")
			}
			now = now.Add(took)
			busy += took
			times[part]++
			r.done(now, part, true, took)
			if at := r.next(); !at.IsZero() && at.Sub(now) != (recheckShare-1)*took {
				t.Fatalf("the next one comes %v after the last", at.Sub(now))
			}
		}
	}
	if len(times) != 20 || times[0] < 5 || times[0] > 10 || busy > hour/recheckShare {
		t.Errorf("in an hour: %v, %v", times, busy)
	}
	// One that is bad may be accused again when it is here anew.
	r = rechecks{}
	r.add(now, 1)
	part, _ := r.take(now)
	r.done(now, part, false, took)
	now = now.Add(hour)
	if r.add(now, 1); r.next().IsZero() {
		t.Error("not looked at again")
	}
	for part := range uint32(10_000) {
		r.add(now, part)
	}
	if len(r.queue) > recheckQueue {
		t.Errorf("%d wait", len(r.queue))
	}
	for part := range uint32(10_000) {
		r.done(now.Add(time.Duration(part)), part, true, 0)
	}
	if len(r.seen) > recheckSeen {
		t.Errorf("%d are remembered", len(r.seen))
	}
}
