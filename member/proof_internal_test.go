package member

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestProofsInOrder reads what is asked for first, each part once, and all others only if the last
// time is long ago.
func TestProofsInOrder(t *testing.T) {
	for _, all := range []bool{false, true} {
		w := &watcher{}
		w.unproven = []byte{0b11110110, 0b10000000}
		w.first = []uint32{5, 2, 5, 4}
		w.all = all
		var got []uint32
		for {
			part, ok := w.takeUnproven()
			if !ok {
				break
			}
			got = append(got, part)
		}
		want := []uint32{5, 2}
		if all {
			want = []uint32{5, 2, 0, 1, 3, 6, 8}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("all %v (-want +got):\n%s", all, diff)
		}
	}
}

// TestOneProvesAtATime lets those go first for whom somebody waits, in turn, and takes a tenth of
// the time.
func TestOneProvesAtATime(t *testing.T) {
	h := &Host{}
	for _, what := range []int32{proveRest, proveNothing, proveAsked, proveAsked, proveRest} {
		w := newWatcher(&Member{host: h})
		w.waiting.Store(what)
		h.watched = append(h.watched, w)
	}
	now := time.Now()
	// prove returns who was told to, if anybody was.
	prove := func() int {
		h.prove(now)
		for i, w := range h.watched {
			if w.told.prove {
				w.told.prove = false
				return i
			}
		}
		return -1
	}
	check := func(when string, want int) {
		t.Helper()
		if got := prove(); got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
	check("at first", 2)
	check("while it reads", -1)
	h.proved(proveFor)
	now = time.Now().Add(proveEvery)
	check("then", 3)
	h.proved(10 * time.Second)
	now = time.Now().Add(80 * time.Second)
	check("after a long one", -1)
	now = time.Now().Add(91 * time.Second)
	check("after a while", 2)
	h.proved(0)
	for _, w := range h.watched[2:4] {
		w.waiting.Store(proveNothing)
	}
	now = now.Add(time.Hour)
	check("when nobody asks", 4)
	h.proved(0)
	now = now.Add(time.Hour)
	check("and then", 0)
}
