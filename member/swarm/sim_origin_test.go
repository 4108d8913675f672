package swarm_test

import (
	"slices"
	"testing"
	"time"
)

// serve adds a web server with a line of a rate, which all who come know from the start.
func (s *sim) serve(rate float64) *player {
	p := s.enter(0, rate, rate, true)
	p.serves, p.apart = true, 1
	return p
}

// findsOrigins has a member know the web servers that there are.
func (p *player) findsOrigins() {
	for _, o := range p.sim.players {
		if o.serves && o.runs() && !p.serves {
			p.findsServer(o)
		}
	}
}

// copies is how often a server sent the content.
func (s *sim) copies(o *player) float64 { return float64(o.sent) / float64(s.size) }

// TestOriginIsEnough has ten members with equal lines and an origin alone: all end as soon as one
// copy from the origin would take, and the origin sends little more than one.
func TestOriginIsEnough(t *testing.T) {
	for _, apart := range []time.Duration{5 * time.Millisecond, 100 * time.Millisecond, 700 * time.Millisecond} {
		for seed := range uint64(5) {
			s := newSim(t, 32<<20, 256<<10, seed)
			o := s.serve(mbit(40))
			for i := range 10 {
				s.enter(time.Second+time.Duration(i)*apart, mbit(40), mbit(40), false)
			}
			s.play(2 * time.Minute)
			list := s.finishes(mbit(40))
			last := time.Duration(0)
			for _, p := range s.players[1:] {
				last = max(last, p.complete-time.Second)
			}
			t.Logf("apart %v: %.3f to %.3f copies, all after %.3f, the origin sent %.3f", apart,
				list[0], slices.Max(list), last.Seconds()/s.copyTime(mbit(40)).Seconds(), s.copies(o))
			if len(list) < 10 || slices.Max(list) > 1.15 || s.copies(o) > 1.1 {
				t.Errorf("seed %d, apart %v: %v; the origin sent %.3f copies", seed, apart, list, s.copies(o))
			}
		}
	}
}

// TestOneOfTwoAnswersStandsStill has an answer of the server stand still at the beginning, where
// two begin at once and the queue in front of its line overflows: what comes in the other one goes
// down the chain meanwhile.
func TestOneOfTwoAnswersStandsStill(t *testing.T) {
	for _, size := range []int64{16, 32} {
		for _, part := range []int64{64 << 10, 256 << 10} {
			for seed := range uint64(3) {
				s := newSim(t, size<<20, part, seed)
				o := s.serve(mbit(40))
				o.standstills = []time.Duration{0, 500 * time.Millisecond}
				for i := range time.Duration(10) {
					s.enter(time.Second+i*5*time.Millisecond, mbit(40), mbit(40), false)
				}
				s.play(2 * time.Minute)
				last := slices.Max(s.finishes(mbit(40)))
				t.Logf("seed %d, %d MiB in parts of %d KiB: the last took %.3f copies, %.3f were sent",
					seed, size, part>>10, last, s.copies(o))
				if last > 1.2 || s.copies(o) > 1.02 {
					t.Error("at most 1.2 and 1.02 are held")
				}
			}
		}
	}
}

// TestOriginsHeadLeaves takes the member out that asks the origin: another one goes on.
func TestOriginsHeadLeaves(t *testing.T) {
	for seed := range uint64(5) {
		s := newSim(t, 32<<20, 256<<10, seed)
		o := s.serve(mbit(40))
		for i := range 10 {
			s.enter(time.Second+time.Duration(i)*5*time.Millisecond, mbit(40), mbit(40), false)
		}
		s.at(4*time.Second, later(func() {
			for _, p := range s.players[1:] {
				if p.core.Pulls() {
					s.leave(p)
				}
			}
		}))
		s.play(2 * time.Minute)
		list := s.finishes(mbit(40))
		t.Logf("the last took %.3f copies, the origin sent %.3f", slices.Max(list), s.copies(o))
		if len(list) < 9 || slices.Max(list) > 1.25 || s.copies(o) > 1.05 {
			t.Errorf("seed %d: %v; the origin sent %.3f copies", seed, list, s.copies(o))
		}
	}
}

// TestOriginOfMany has more members than a chain has, which do not all know each other.
func TestOriginOfMany(t *testing.T) {
	s := newSim(t, 8<<20, 256<<10, 1)
	o := s.serve(mbit(40))
	const n = 110
	for i := range n {
		s.enter(time.Second+time.Duration(i)*5*time.Millisecond, mbit(40), mbit(40), false)
	}
	s.play(2 * time.Minute)
	list := s.finishes(mbit(40))
	t.Logf("%.3f to %.3f copies, the origin sent %.3f", list[0], slices.Max(list), s.copies(o))
	if len(list) < n || slices.Max(list) > 3 || s.copies(o) > 2.5 {
		t.Errorf("the last took %.3f copies, the origin sent %.3f", slices.Max(list), s.copies(o))
	}
}

// TestOriginWithoutAChain has members whose lines differ. Be the one that asks the origin a slow
// one, the fast ones do not wait for it.
func TestOriginWithoutAChain(t *testing.T) {
	for seed := range uint64(3) {
		s := newSim(t, 64<<20, 256<<10, seed)
		o := s.serve(mbit(40))
		for i := range 10 {
			rate := mbit(40)
			if i%3 == 0 {
				rate = mbit(10)
			}
			s.enter(time.Second+time.Duration(i)*5*time.Millisecond, rate, rate, false)
		}
		s.play(2 * time.Minute)
		list := s.finishes(mbit(40))
		t.Logf("%.3f to %.3f copies, the origin sent %.3f", list[0], slices.Max(list), s.copies(o))
		if len(list) < 10 || list[5] > 2.5 || s.copies(o) > 1.5 {
			t.Errorf("seed %d: %v; the origin sent %.3f copies", seed, list, s.copies(o))
		}
	}
}
