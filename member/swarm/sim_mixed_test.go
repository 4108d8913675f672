package swarm_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Who sends much that is right, and a bad block now and then of runs that others are asked for too,
// because it is so slow, is found out by what becomes of these parts: each of the others loses
// little, and nobody who is honest is cut off.
func TestMixedPoisonIsBounded(t *testing.T) {
	const honest, liars = 8, 3
	for _, part := range []int64{256 << 10, 1 << 20, 4 << 20} {
		t.Run(fmt.Sprintf("%d KiB", part>>10), func(t *testing.T) {
			size := 256 * part
			s := newSim(t, size, part, 5)
			rate := mbit(40)
			s.enter(0, rate, rate, true)
			for range liars {
				p := s.enter(0, rate, rate, true)
				p.rogue, p.sly = true, true
			}
			for i := range honest {
				p := s.enter(time.Second+time.Duration(i)*5*time.Millisecond, rate, rate, false)
				s.at(p.entered+time.Millisecond, later(func() { p.core.GiveUp() }))
			}
			s.run(20*time.Minute, func() bool {
				return !slices.ContainsFunc(s.players, func(p *player) bool { return !p.rogue && !s.done(p) })
			})
			var bad, most int64
			last := time.Duration(0)
			for _, p := range s.players {
				if p.rogue {
					continue
				}
				if !s.done(p) {
					t.Errorf("member %d has %d of %d parts", p.n, p.core.Stats().Have, p.core.Parts())
				}
				failed := p.core.Stats().Failed
				bad, most, last = bad+failed, max(most, failed), max(last, p.complete-p.entered)
				for _, host := range p.core.CutOff() {
					if i := slices.IndexFunc(s.players, func(q *player) bool { return q.ip() == host }); !s.players[i].rogue {
						t.Errorf("member %d cut %d off, which did nothing wrong", p.n, i)
					}
				}
			}
			if share := 100 * float64(bad) / float64(honest*size); share > 5 {
				t.Errorf("%.2f %% of what came was bad, want 5 %% at most", share)
			}
			t.Logf("%.2f %% bad, %.2f %% at whoever got most; the last took %.2f copies",
				100*float64(bad)/float64(honest*size), 100*float64(most)/float64(size),
				last.Seconds()/s.copyTime(rate).Seconds())
		})
	}
}
