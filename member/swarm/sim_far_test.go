package swarm_test

import (
	"math"
	"slices"
	"testing"
	"time"
)

// A picture is a swarm of the swarm benchmark whose hosts are not all near and alike. Times are in
// units of one plain copy over one line.
type picture struct {
	name    string
	members int
	rate    float64 // Mbit/s, of the lines up and down unless told otherwise
	down    float64 // Mbit/s of the lines down
	// Mbit/s of the lines up of those that have everything; one of rate by default
	sources []float64
	slow    []float64 // Mbit/s of the lines down of the first members
	size    int64     // MiB
	rtt     time.Duration
	far     time.Duration
	sites   int
	loss    float64

	median, last float64 // what is held, for the mean of three seeds
}

var pictures = []picture{
	{name: "near", median: 1.03, last: 1.05, members: 16, rate: 40, size: 64},
	{name: "far", median: 1.1, last: 1.13, members: 8, rate: 20, size: 32, rtt: 80 * time.Millisecond},
	{name: "very far", median: 1.28, last: 1.33, members: 8, rate: 20, size: 32, rtt: 250 * time.Millisecond},
	{name: "far and losing", median: 1.15, last: 1.18, members: 8, rate: 20, size: 32, rtt: 80 * time.Millisecond, loss: 0.005},
	{name: "three sites", median: 1.08, last: 1.13, members: 12, rate: 20, size: 32, rtt: time.Millisecond, far: 60 * time.Millisecond, sites: 3},
	{name: "three sources", median: 3.05, last: 3.05, members: 1, rate: 200, sources: []float64{24, 24, 24}, size: 32},
	{name: "slow and fast source", median: 7.2, last: 7.2, members: 1, rate: 200, sources: []float64{1.6, 40}, size: 16},
	{name: "fast lines down", median: 0.5, last: 0.51, members: 8, rate: 10, down: 50, sources: []float64{100}, size: 32},
	{name: "two slow lines down", median: 1.5, last: 10.5, members: 8, rate: 40, slow: []float64{4, 4}, size: 32},
}

func (c picture) set(t testing.TB, seed uint64) *sim {
	s := newSim(t, c.size<<20, 256<<10, seed)
	if c.rtt > 0 {
		s.wires.rtt = c.rtt
	}
	s.wires.far, s.wires.sites, s.wires.loss = c.far, c.sites, c.loss
	rate := func(n float64) float64 { return mbit(max(n, 0)) }
	sources, down := c.sources, c.down
	if sources == nil {
		sources = []float64{c.rate}
	}
	if down == 0 {
		down = c.rate
	}
	for _, up := range sources {
		s.enter(0, rate(up), rate(down), true)
	}
	for i := range c.members {
		d := down
		if i < len(c.slow) {
			d = c.slow[i]
		}
		s.enter(time.Second+time.Duration(i)*5*time.Millisecond, rate(c.rate), rate(d), false)
	}
	return s
}

func TestPictures(t *testing.T) {
	for _, c := range pictures {
		t.Run(c.name, func(t *testing.T) {
			var medians, lasts []float64
			for seed := range uint64(3) {
				s := c.set(t, seed+1)
				s.play(10 * time.Minute)
				unit := s.copyTime(mbit(c.rate)).Seconds()
				var list []float64
				for _, p := range s.players {
					if p.entered > 0 && p.complete > 0 {
						list = append(list, (p.complete-p.entered).Seconds()/unit)
					}
				}
				slices.Sort(list)
				medians, lasts = append(medians, math.Round(1000*list[len(list)/2])/1000), append(lasts, math.Round(1000*list[len(list)-1])/1000)
			}
			t.Logf("medians %v, lasts %v", medians, lasts)
			mean := func(list []float64) float64 { return (list[0] + list[1] + list[2]) / 3 }
			if median, last := mean(medians), mean(lasts); median > c.median || last > c.last {
				t.Errorf("the median takes %.3f and the last %.3f, at most %v and %v are held", median, last, c.median, c.last)
			}
		})
	}
}
