package intake

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGathering lets parts wait for others only while enough of them come.
func TestGathering(t *testing.T) {
	now := time.Unix(1000, 0)
	var g *gathering
	part := uint32(0)
	begin := func(together int) {
		g = newGathering(together)
		g.pace(100 * time.Millisecond)
	}
	// come lets n parts come one after the other, and gives those that are to be verified.
	come := func(n int, apart time.Duration, parts int) (ready []uint32) {
		for range n {
			now = now.Add(apart)
			g.missing.Store(int64(parts) - int64(part))
			ready = append(ready, g.add(part, now)...)
			part++
		}
		return ready
	}
	check := func(when string, got, want []uint32) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	begin(4)
	check("slowly", come(8, time.Second, 100), []uint32{0, 1, 2, 3, 4, 5, 6, 7})
	check("fast at first", come(2, time.Millisecond, 100), []uint32{8, 9})
	if g.fast.Load() {
		t.Error("two parts are fast")
	}
	check("fast", come(3, time.Millisecond, 100), nil)
	if !g.fast.Load() {
		t.Error("four parts are not fast")
	}
	check("four together", come(1, time.Millisecond, 100), []uint32{10, 11, 12, 13})
	check("the next ones wait", come(3, time.Millisecond, 100), nil)
	check("too long", g.take(), []uint32{14, 15, 16})
	check("none is left", g.take(), nil)
	check("slowly again", come(1, time.Second, 100), []uint32{17})
	check("fast again", come(4, time.Millisecond, 100), []uint32{18, 19})
	check("the last one", come(1, time.Millisecond, 25), []uint32{20, 21, 22})
	g.pace(0)
	check("none may wait", come(5, time.Millisecond, 100), []uint32{23, 24, 25, 26, 27})
	if g.fast.Load() {
		t.Error("parts that may not wait are to be hashed while they are written")
	}

	begin(1)
	check("each by itself", come(5, time.Millisecond, 100), []uint32{28, 29, 30, 31, 32})
	if g.fast.Load() {
		t.Error("parts that are verified by themselves are to be hashed while they are written")
	}
}

// TestGatheringIsDue wakes whoever verifies, once nothing more comes or another pace is set.
func TestGatheringIsDue(t *testing.T) {
	g := newGathering(2)
	g.missing.Store(100)
	g.pace(time.Hour)
	g.add(0, time.Now())
	g.add(1, time.Now())
	g.add(2, time.Now())
	select {
	case <-g.due.C:
		t.Error("due although nothing waits")
	default:
	}
	g.add(3, time.Now().Add(time.Millisecond))
	<-g.due.C // soon, since the last two came within a millisecond
	if got := g.take(); !slices.Equal(got, []uint32{3}) {
		t.Error(got)
	}
	g.add(4, time.Now().Add(time.Minute))
	g.pace(time.Hour)
	<-g.due.C
}
