package swarm_test

import (
	"slices"
	"testing"
	"time"
)

// TestNoCircle takes a member out of the middle of a chain in the first moments. Those behind it
// stay together, and whoever was next to it must not ask the last of them, who has nothing but what
// comes from there.
func TestNoCircle(t *testing.T) {
	for _, test := range []struct{ size, parts int64 }{{32, 32}, {64, 32}, {128, 32}} {
		for place := 2; place < 10; place += 3 {
			size := test.size << 20
			s := equal(t, 10, mbit(40), size, size/test.parts, uint64(place))
			s.at(time.Second+s.copyTime(mbit(40))/30, later(func() {
				p := s.players[0]
				for range place {
					p = s.below(p)
				}
				s.leave(p)
			}))
			s.play(time.Minute)
			last := slices.Max(s.finishes(mbit(40)))
			t.Logf("%d MiB in %d parts, number %d: %.3f copies", test.size, test.parts, place, last)
			if last > 1.7 {
				t.Errorf("%d MiB in %d parts, number %d leaves: the last took %.3f copies",
					test.size, test.parts, place, last)
			}
		}
	}
}
