package swarm

import (
	"fmt"
	"slices"
	"testing"
	"time"
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
				return !slices.ContainsFunc(s.players, func(p *player) bool { return p.core == nil || p.core.haveN != parts-1 || p.core.Has(bad) })
			})
			for _, p := range s.players {
				if p.core.haveN != parts-1 || p.core.Has(bad) {
					t.Errorf("member %d has %d of %d parts, the bad one: %v", p.n, p.core.haveN, parts, p.core.Has(bad))
				}
				if got := p.core.stats.Failed; got > 4*part {
					t.Errorf("member %d got %d bad bytes", p.n, got)
				}
				if p.core.links.up == 0 {
					t.Errorf("member %d was left by everybody", p.n)
				}
			}
			s.enter(s.now, mbit(40), mbit(40), true)
			s.run(s.now+time.Minute, func() bool { return !slices.ContainsFunc(s.players[1:], func(p *player) bool { return !s.done(p) }) })
			for _, p := range s.players[1:] {
				if !s.done(p) {
					t.Errorf("member %d has %d of %d parts when there is a good sharer", p.n, p.core.haveN, parts)
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
				most := max(badLeast, (badParts+1)*part) + max(2*menuBytes, menuRuns*part) // and the parts of what was on its way
				if got := p.core.stats.Failed; got > most {
					t.Errorf("member %d got %d bad bytes, want at most %d", p.n, got, most)
				}
				for c, r := range p.core.trust.records {
					if r.until > 0 && c.host != s.players[n+1].ip() {
						t.Errorf("member %d cut %v off", p.n, c)
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
