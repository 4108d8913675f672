package swarm_test

import (
	"testing"
	"time"
)

// TestPowerCutInAChain has a host lose power in the middle of a chain: nothing comes from it any
// more, not even the end of its connections. Nobody behind it stands still for as long as a run may
// lie.
func TestPowerCutInAChain(t *testing.T) {
	const most = 3 * time.Second
	for _, place := range []int{1, 5, 9} {
		s := equal(t, 10, mbit(40), 64<<20, 256<<10, uint64(place))
		var cut *player
		s.at(5*time.Second, later(func() {
			cut = s.players[0]
			for range place {
				cut = s.below(cut)
			}
			cut.crash(true)
		}))
		had, gainedAt := map[*player]int{}, map[*player]time.Duration{}
		worst := time.Duration(0)
		var look func()
		look = func() {
			s.tendLinks()
			for _, p := range s.players[1:] {
				if p == cut || p.core.Finished() {
					continue
				}
				if n := p.core.Stats().Have; n != had[p] {
					had[p], gainedAt[p] = n, s.now
				}
				worst = max(worst, s.now-gainedAt[p])
			}
			s.after(50*time.Millisecond, look)
		}
		s.at(2*time.Second, later(look))
		s.run(time.Minute, func() bool { return len(s.finishes(mbit(40))) == 9 })
		list := s.finishes(mbit(40))
		t.Logf("number %d: the longest standstill was %v, the last took %.3f copies", place, worst,
			list[len(list)-1])
		if len(list) < 9 || worst > most {
			t.Errorf("number %d: %d are complete, the longest standstill was %v", place, len(list),
				worst)
		}
	}
}
