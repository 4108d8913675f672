package swarm_test

import (
	"testing"
	"time"
)

// TestChain looks half-way at who sends to whom: each member gets from one and sends to one, so all
// of them are nearly as fast as one copy.
func TestChain(t *testing.T) {
	const n = 16
	for seed := range uint64(5) {
		s := equal(t, n, mbit(40), 64<<20, 256<<10, seed)
		s.at(8*time.Second, later(func() {
			downs := 0
			for _, p := range s.players[1:] {
				id, ok := p.core.Upstream()
				if !ok {
					t.Errorf("seed %d: member %d has no upstream", seed, p.n)
					continue
				}
				up := s.player(id)
				if down, _ := up.core.Downstream(); down != p.id {
					t.Errorf("seed %d: member %d is not the downstream of its upstream %d", seed,
						p.n, up.n)
				}
				if _, ok := p.core.Downstream(); ok {
					downs++
				}
			}
			if downs != n-1 {
				t.Errorf("seed %d: %d members have a downstream, want all but one of %d", seed,
					downs, n)
			}
		}))
		s.play(time.Minute)
		list := s.finishes(mbit(40))
		if last := list[n-1]; last > 1.05 {
			t.Errorf("seed %d: the last took %.3f copies", seed, last)
		}
		for _, p := range s.players[1:] {
			if half, all := p.half-p.entered, p.complete-p.entered; half > all*6/10 {
				t.Errorf("seed %d: member %d has the first half after %v of %v", seed, p.n, half,
					all)
			}
		}
		if sent := float64(s.players[0].sent) / float64(s.size); sent > 1.02 {
			t.Errorf("seed %d: the first sharer sent %.3f copies", seed, sent)
		}
	}
}

// TestMemberOfAChainLeaves takes one out at the beginning, in the middle and at the end of a chain:
// the others close ranks.
func TestMemberOfAChainLeaves(t *testing.T) {
	const n = 16
	for _, place := range []int{1, 8, n} {
		s := equal(t, n, mbit(40), 64<<20, 256<<10, 2)
		s.at(6*time.Second, later(func() {
			p := s.players[0]
			for range place {
				p = s.below(p)
			}
			s.leave(p)
		}))
		s.play(time.Minute)
		if list := s.finishes(mbit(40)); len(list) != n-1 || list[n-2] > 1.15 {
			t.Errorf("number %d leaves: %d are complete, the last after %.3f copies", place,
				len(list), list[len(list)-1])
		}
	}
}

// below is whom a member of a chain sends to.
func (s *sim) below(p *player) *player {
	id, ok := p.core.Downstream()
	if !ok {
		s.t.Fatalf("member %d has no downstream", p.n)
	}
	return s.player(id)
}
