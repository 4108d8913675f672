package swarm_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	. "orchestra/member/swarm"
)

// The only sharer has a bad sector. Everybody gets everything else, at little cost; whoever comes
// with the rest completes all.
func TestSwarmWithABadSector(t *testing.T) {
	const n, bad = 8, 10
	for _, part := range []int64{256 << 10, 2 << 20} {
		t.Run(fmt.Sprint(part>>10, " KiB"), func(t *testing.T) {
			s := equal(t, n, mbit(40), 32<<20, part, 3)
			parts := int(32 << 20 / part)
			s.players[0].rotten[bad] = true
			s.run(time.Minute, func() bool {
				return !slices.ContainsFunc(s.players, func(p *player) bool { return p.core == nil || p.core.Stats().Have != parts-1 || p.core.Has(bad) })
			})
			for _, p := range s.players {
				if p.core.Stats().Have != parts-1 || p.core.Has(bad) {
					t.Errorf("member %d has %d of %d parts, the bad one: %v", p.n, p.core.Stats().Have, parts, p.core.Has(bad))
				}
				if got := p.core.Stats().Failed; got > 4*part {
					t.Errorf("member %d got %d bad bytes", p.n, got)
				}
				if p.core.Stats().Links == 0 {
					t.Errorf("member %d was left by everybody", p.n)
				}
			}
			s.enter(s.now, mbit(40), mbit(40), true)
			s.run(s.now+time.Minute, func() bool { return !slices.ContainsFunc(s.players[1:], func(p *player) bool { return !s.done(p) }) })
			for _, p := range s.players[1:] {
				if !s.done(p) {
					t.Errorf("member %d has %d of %d parts when there is a good sharer", p.n, p.core.Stats().Have, parts)
				}
			}
		})
	}
}

// One of two sharers sends nothing but bad parts. It costs each member a bounded number of bytes.
func TestSwarmWithALiar(t *testing.T) {
	const n = 8
	for _, part := range []int64{256 << 10, 2 << 20} {
		t.Run(fmt.Sprint(part>>10, " KiB"), func(t *testing.T) {
			s := equal(t, n, mbit(40), 64<<20, part, 3)
			s.enter(0, mbit(40), mbit(40), true).rogue = true
			s.play(2 * time.Minute)
			for _, p := range s.players {
				// and the parts of what was on its way
				most := max(BadLeast, (BadParts+1)*part) + max(2*MenuBytes, MenuRuns*part)
				if got := p.core.Stats().Failed; got > most {
					t.Errorf("member %d got %d bad bytes, want at most %d", p.n, got, most)
				}
				for _, host := range p.core.CutOff() {
					if host != s.players[n+1].ip() {
						t.Errorf("member %d cut %v off", p.n, host)
					}
				}
			}
			list := s.finishes(mbit(40))
			t.Logf("%.2f", list)
			if last := list[len(list)-1]; last > 3 {
				t.Errorf("the last took %.2f copies", last)
			}
		})
	}
}

// TestLiarInAChain has a member pass on bad bytes for all that it did not verify itself, as the
// third of nine: those behind it lose a few parts and get the rest elsewhere, nobody bans anybody,
// and all are complete soon.
func TestLiarInAChain(t *testing.T) {
	const n = 8
	s := equal(t, n, mbit(40), 32<<20, 256<<10, 3)
	s.at(1500*time.Millisecond, later(func() {
		p := s.players[0]
		for range 2 {
			p = s.below(p)
		}
		p.lies = true
	}))
	s.play(time.Minute)
	bad := int64(0)
	for _, p := range s.players {
		bad += p.core.Stats().Failed
		if hosts := p.core.Blamed(); len(hosts) > 0 {
			t.Errorf("member %d holds bad parts against %v", p.n, hosts)
		}
		if got := p.core.Stats().Failed; got > 2*n*s.part {
			t.Errorf("member %d got %d bad bytes", p.n, got)
		}
	}
	if bad == 0 {
		t.Error("nothing bad was passed on: that tests nothing")
	}
	if list := s.finishes(mbit(40)); list[n-1] > 1.6 {
		t.Errorf("the last took %.3f copies", list[n-1])
	}
}
