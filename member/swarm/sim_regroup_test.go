package swarm_test

import (
	"slices"
	"testing"
	"time"

	. "orchestra/member/swarm"
)

// A swarm that was disturbed finds back to a chain, all members together, and loses nothing by it.
func TestSwarmFindsBack(t *testing.T) {
	const n = 8
	rate := mbit(40)
	for _, test := range []struct {
		name     string
		size     int64 // MiB
		disturb  func(s *sim)
		brokenAt time.Duration // when all have given the chain up
		wholeAt  time.Duration // when all are in one again
		last     float64       // copies that the last member takes at most
	}{
		{"after a slow member left", 128, func(s *sim) {
			p := s.enter(500*time.Millisecond, rate/10, rate, false)
			s.at(8*time.Second, later(func() { s.leave(p) }))
		}, 7 * time.Second, 14 * time.Second, 1.08},
		{"when nobody knows what it was", 768, func(s *sim) {
			s.at(10*time.Second, later(func() { s.players[n/2].core.GiveUp() }))
		}, 20 * time.Second, 10*time.Second + CallAfter + 4*time.Second, 1.02},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSim(t, test.size<<20, 256<<10, 1)
			s.enter(0, rate, rate, true)
			for i := range n {
				s.enter(time.Second+time.Duration(i)*5*time.Millisecond, rate, rate, false)
			}
			test.disturb(s)
			look := func(at time.Duration, broken bool) {
				s.at(at, later(func() {
					for _, p := range s.players[:n+1] {
						if p.core.Broken() != broken {
							t.Errorf("at %v member %d has given the chain up: %v", at, p.n, !broken)
						}
					}
				}))
			}
			look(test.brokenAt, true)
			look(test.wholeAt, false)
			s.at(test.wholeAt, later(func() {
				for _, p := range s.players[1 : n+1] {
					up, ok := p.core.Upstream()
					if !ok {
						t.Errorf("nobody sends to member %d", p.n)
					} else if down, _ := s.player(up).core.Downstream(); down != p.id {
						t.Errorf("member %d is not whom its upstream sends to", p.n)
					}
				}
			}))
			s.play(5 * time.Minute)
			list := s.finishes(rate)
			t.Logf("%.3f", list)
			if last := slices.Max(list); last > test.last {
				t.Errorf("the last took %.3f copies, at most %v are held", last, test.last)
			}
		})
	}
}
