package swarm_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A quick source that comes late is used at once, whatever the lines of the others: they need
// little longer from then on than its line takes for all of them.
func TestLateSourceIsUsed(t *testing.T) {
	const size, comes = 64 << 20, 16 * time.Second
	slow, fast := mbit(2), mbit(100)
	for _, n := range []int{1, 2, 4, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newSim(t, size, 32<<10, 3)
			s.enter(0, slow, fast, true)
			for i := range n {
				s.enter(time.Second+time.Duration(i)*5*time.Millisecond, slow, fast, false)
			}
			s.enter(comes, fast, fast, true)
			s.play(10 * time.Minute)
			var ends []time.Duration
			for _, p := range s.players[1 : n+1] {
				ends = append(ends, p.complete)
			}
			last, line := slices.Max(ends)-comes, time.Duration(n)*s.copyTime(fast)
			t.Logf("the last is complete %v after the source came, whose line takes %v", last, line)
			if last > line*13/10+2*time.Second {
				t.Errorf("the last took %v from then on", last)
			}
		})
	}
}
