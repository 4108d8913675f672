package swarm_test

import (
	"testing"
	"time"
)

// If every member wants the parts in order, the last one is complete not much later than rarest
// first, and a reader of each has the first half of the content before. How long before is the
// senders' choice: where many start at once, they send each what the others lack. Parts that fill a
// menu alone come in no order then, and the last member's time goes by chance: of 45 seeds it is
// 1.23 times as long in the mean, 1.10 to 1.41. The mean of five of them would be beyond 1.3 once
// in a hundred changes that change nothing of it; that of twelve once in thousands.
func TestOrderDoesNotStarveTheSwarm(t *testing.T) {
	for _, test := range []struct {
		name       string
		size, part int64
		members    int
		seeds      uint64  // runs of which the mean counts
		most       float64 // times what rarest first takes
		half       float64 // of the time until complete; 1: it need not come before
	}{
		{"parts of one run", 32<<20 + 1, 256 << 10, 20, 1, 1.1, 0.65},
		{"few members", 32 << 20, 256 << 10, 4, 1, 1.1, 0.6},
		{"small parts", 16 << 20, 32 << 10, 10, 1, 1.1, 0.7},
		{"parts of several runs", 96 << 20, 4 << 20, 12, 12, 1.3, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			play := func(seed uint64, inOrder bool) (last time.Duration, half float64) {
				s := newSim(t, test.size, test.part, seed)
				s.inOrder = inOrder
				for i := range test.members + 1 {
					s.enter(0, mbit(40), mbit(40), i == 0)
				}
				s.play(4 * time.Minute)
				for _, p := range s.players[1:] {
					last = max(last, p.complete)
					half += p.half.Seconds() / p.complete.Seconds() / float64(test.members)
				}
				return last, half
			}
			mean := func(inOrder bool) (last time.Duration, half float64) {
				for n := range test.seeds {
					l, h := play(11+n, inOrder)
					last, half = last+l/time.Duration(test.seeds), half+h/float64(test.seeds)
				}
				return last, half
			}
			rarest, rarestHalf := mean(false)
			ordered, half := mean(true)
			t.Logf("complete after %v rarest first and %v in order; the first half after %.2f and %.2f of that",
				rarest, ordered, rarestHalf, half)
			if ordered > time.Duration(test.most*float64(rarest)) {
				t.Errorf("in order the last is complete after %v, want at most %.2f times %v",
					ordered, test.most, rarest)
			}
			if half > test.half {
				t.Errorf("the first half is here after %.2f of the time, want %.2f at most", half, test.half)
			}
		})
	}
}
