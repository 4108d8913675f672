package swarm_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// poison is a swarm some of whose members send nothing but bad data, and come back under fresh
// peer ids all the time.
type poison struct {
	part, size int64
	liars      int
	together   bool // at one address
	neighbours bool // honest members are at their addresses, too
	chain      bool // the lines invite to a chain; else to a mesh
}

const poisoned = 10 // honest members beside the source

func (c poison) play(t *testing.T, seed uint64) *sim {
	s := newSim(t, c.size, c.part, seed)
	rate := mbit(80)
	s.enter(0, rate, rate, true)
	var liars []*player
	for range c.liars {
		p := s.enter(0, rate, rate, true)
		p.rogue = true
		if c.together && len(liars) > 0 {
			p.behind = liars[0]
		}
		liars = append(liars, p)
	}
	for i := range poisoned {
		p := s.enter(time.Second+time.Duration(i)*5*time.Millisecond, rate, rate, false)
		if c.neighbours && i < len(liars) {
			p.behind = liars[i]
		}
		if !c.chain && i%2 == 0 {
			s.at(p.entered+time.Millisecond, later(func() { p.core.GiveUp() }))
		}
	}
	for i, p := range liars {
		var again func()
		again = func() {
			p.crash(false)
			s.after(10*time.Millisecond, func() {
				p.revive(func(uint32) bool { return false })
				s.after(time.Second, again)
			})
		}
		s.at(2*time.Second+time.Duration(i)*200*time.Millisecond, later(again))
	}
	s.run(5*time.Minute, func() bool {
		return !slices.ContainsFunc(s.players, func(p *player) bool { return !p.rogue && !s.done(p) })
	})
	return s
}

// Whoever sends bad data, under however many ids and from however many addresses, costs the others
// a twentieth of the content at most, and those who send what is right nothing.
func TestPoisonIsBounded(t *testing.T) {
	for _, c := range []poison{
		{part: 256 << 10, size: 64 << 20, liars: 1},
		{part: 256 << 10, size: 64 << 20, liars: 5},
		{part: 256 << 10, size: 64 << 20, liars: 5, chain: true},
		{part: 256 << 10, size: 64 << 20, liars: 5, together: true},
		{part: 256 << 10, size: 64 << 20, liars: 2, neighbours: true},
		{part: 2 << 20, size: 256 << 20, liars: 1},
		{part: 2 << 20, size: 512 << 20, liars: 5},
		{part: 2 << 20, size: 512 << 20, liars: 5, chain: true},
		{part: 2 << 20, size: 256 << 20, liars: 5, together: true},
		{part: 4 << 20, size: 512 << 20, liars: 1},
		{part: 4 << 20, size: 1 << 30, liars: 5},
		{part: 4 << 20, size: 512 << 20, liars: 5, together: true},
	} {
		name := fmt.Sprintf("%d KiB, %d of %d, together %v, neighbours %v, chain %v", c.part>>10,
			c.liars, c.liars+poisoned+1, c.together, c.neighbours, c.chain)
		t.Run(name, func(t *testing.T) {
			s := c.play(t, 5)
			var honest []netip.Addr
			var bad, most, wasted int64
			last := time.Duration(0)
			for _, p := range s.players {
				if p.rogue {
					continue
				}
				if p.behind == nil {
					honest = append(honest, p.ip())
				}
				if !s.done(p) {
					t.Errorf("member %d has %d of %d parts", p.n, p.core.Stats().Have, p.core.Parts())
				}
				st := p.core.Stats()
				bad, most = bad+st.Failed, max(most, st.Failed)
				wasted += p.wasted
				last = max(last, p.complete-p.entered)
			}
			all := poisoned * c.size
			share := func(bytes, of int64) float64 { return 100 * float64(bytes) / float64(of) }
			t.Logf("%.2f %% bad, %.2f %% at whoever got most, %.2f %% else for nothing; the last took %.2f copies",
				share(bad, all), share(most, c.size), share(wasted, all),
				last.Seconds()/s.copyTime(mbit(80)).Seconds())
			if got := share(bad+wasted, all); got > 5 {
				t.Errorf("%.2f %% of what came was for nothing, want 5 %% at most", got)
			}
			for _, p := range s.players {
				if p.core == nil || p.rogue {
					continue
				}
				for _, host := range p.core.CutOff() {
					if slices.Contains(honest, host) {
						t.Errorf("member %d cut %v off, where nobody did anything wrong", p.n, host)
					}
				}
			}
		})
	}
}
