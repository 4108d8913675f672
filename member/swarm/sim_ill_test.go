package swarm_test

import (
	"fmt"
	"testing"
	"time"
)

// illness is what is wrong with a simulated member, which is at its best otherwise.
type illness int

const (
	well      illness = iota
	deaf              // it asks, and reads nothing from when it is sent content on
	mute              // it has everything and sends nothing, nor does it answer a recall
	trickling         // it has everything and sends a few bytes a second
	rejecting         // it has everything and rejects what it is asked for
)

func (i illness) String() string {
	return [...]string{"well", "deaf", "mute", "trickling", "rejecting"}[i]
}

const (
	deafWindow = 128 << 10 // bytes that its system takes for it
	trickle    = 512       // bytes a second
	drip       = 400 * time.Millisecond
)

// slackFor is how many times as long the others may take. Each of two that trickle may be the
// first to send something, and be believed to be the upstream for upPatience.
func slackFor(ill illness, part int64) float64 {
	if ill == trickling && part < 1<<20 {
		return 1.15
	}
	return 1.05
}

// Members that are ill hold up nobody: the others are as soon complete as they are without them.
func TestIllMembersHoldUpNobody(t *testing.T) {
	const (
		n, ills = 6, 2
		size    = 32 << 20
	)
	for _, part := range []int64{256 << 10, 2 << 20} {
		last := func(ill illness, first bool, seed uint64) (took time.Duration) {
			s := newSim(t, size, part, seed)
			s.enter(0, mbit(40), mbit(40), true)
			sick := func(at time.Duration) {
				for i := range ills {
					p := s.enter(at+time.Duration(i)*time.Millisecond, mbit(40), mbit(40), ill != deaf)
					p.ill = ill
				}
			}
			if ill != well && first {
				sick(500 * time.Millisecond)
			}
			for i := range n {
				s.enter(time.Second+time.Duration(i)*5*time.Millisecond, mbit(40), mbit(40), false)
			}
			if ill != well && !first {
				sick(2 * time.Second)
			}
			s.play(5 * time.Minute)
			for _, p := range s.players[1:] {
				if p.ill == well {
					took = max(took, p.complete-p.entered)
				}
			}
			return took
		}
		for _, ill := range []illness{deaf, mute, trickling, rejecting} {
			for _, first := range []bool{true, false} {
				name := fmt.Sprintf("%d KiB, %v", part>>10, ill)
				if first {
					name += ", there before the others"
				}
				t.Run(name, func(t *testing.T) {
					var with, without time.Duration
					for seed := range uint64(3) {
						with += last(ill, first, seed)
						without += last(well, first, seed)
					}
					ratio := with.Seconds() / without.Seconds()
					t.Logf("%.3f times what it takes without them", ratio)
					if slack := slackFor(ill, part); ratio > slack {
						t.Errorf("the last takes %.3f times as long as without them, want at most %v", ratio, slack)
					}
				})
			}
		}
	}
}

// Where four of five members that are known withhold what they say to have, the others need far
// less than twice the time.
func TestMostMembersWithhold(t *testing.T) {
	const honest = 4
	for _, part := range []int64{64 << 10, 2 << 20} {
		last := func(mutes int, seed uint64) (took time.Duration) {
			s := newSim(t, 32<<20, part, seed)
			s.enter(0, mbit(40), mbit(40), true)
			for range mutes {
				s.enter(500*time.Millisecond, mbit(40), mbit(40), true).ill = mute
			}
			for i := range honest {
				s.enter(time.Second+time.Duration(i)*5*time.Millisecond, mbit(40), mbit(40), false)
			}
			s.play(5 * time.Minute)
			for _, p := range s.players[1+mutes:] {
				took = max(took, p.complete-p.entered)
			}
			return took
		}
		var with, without time.Duration
		for seed := range uint64(3) {
			with += last(4*honest, seed)
			without += last(0, seed)
		}
		ratio := with.Seconds() / without.Seconds()
		t.Logf("parts of %d KiB: %.2f times what it takes without them", part>>10, ratio)
		if ratio > 1.5 {
			t.Errorf("parts of %d KiB: the last takes %.2f times as long as without them, want at most 1.5",
				part>>10, ratio)
		}
	}
}
