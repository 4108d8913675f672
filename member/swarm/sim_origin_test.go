package swarm_test

import (
	"slices"
	"testing"
	"time"

	"orchestra/member/link"
	. "orchestra/member/swarm"
)

// A simulated origin is a member that has everything, that nobody is told of, and that all who come
// reach from the start. To them it is an origin; to it they are members.

// serve adds an origin with a line of a rate.
func (s *sim) serve(rate float64) *player {
	p := s.enter(0, rate, rate, true)
	p.serves, p.apart = true, 1
	return p
}

// findsOrigins has a member know the origins that there are.
func (p *player) findsOrigins() {
	for _, o := range p.sim.players {
		if o.serves && o.runs() && !p.serves {
			p.findsOrigin(o)
		}
	}
}

func (p *player) findsOrigin(o *player) {
	a := &end{me: p, open: true, flow: newFlow()}
	b := &end{me: o, open: true, flow: newFlow()}
	a.far, b.far = b, a
	p.seat(a)
	o.seat(b)
	o.step(Joined{
		Peer: b.peer, ID: p.id, Addr: p.addr(), MaxRun: RunSize, MaxQueue: link.Reqq,
		RoundTrip: a.rtt(), Hears: true,
	})
	o.step(Interest{Peer: b.peer, On: true})
	p.step(Joined{Peer: a.peer, ID: o.id, Addr: o.addr(), MaxRun: RunSize, RoundTrip: a.rtt(), Origin: true})
}

// isFromOrigin reports whether an event is one that may come of an origin.
func isFromOrigin(ev link.Event) bool {
	switch ev.(type) {
	case Started, Progress, Received, Rejected:
		return true
	}
	return false
}

// from counts the bytes that members got from an origin.
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
		if len(list) < 9 || slices.Max(list) > 1.7 || s.copies(o) > 1.25 {
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
		s := newSim(t, 32<<20, 256<<10, seed)
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
