package swarm_test

import (
	"flag"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var simulate = flag.String("sim", "", "simulate swarms of these `members` (16,100,1000) and print the table")

// scene is a kind of swarm: what it changes of the one whose links are equal and whose members come
// together and stay.
type scene struct {
	name    string
	mixed   bool          // every fourth line up has a quarter of the rate
	stagger time.Duration // between two arrivals
	// a fifth of the members leave: half of them when they are half-way, half when they are
	// complete
	leavers bool
}

var scenes = []scene{
	{name: "equal"},
	{name: "mixed", mixed: true},
	{name: "staggered", stagger: 500 * time.Millisecond},
	{name: "leavers", leavers: true},
}

// set makes a swarm of a sharer and n members.
func (c scene) set(t testing.TB, n int, rate float64, size, part int64, seed uint64) *sim {
	s := newSim(t, size, part, seed)
	s.enter(0, rate, rate, true)
	gap := max(c.stagger, time.Second/time.Duration(max(n, 200)))
	for i := range n {
		up := rate
		if c.mixed && i%4 == 3 {
			up /= 4
		}
		p := s.enter(time.Second+time.Duration(i)*gap, up, rate, false)
		if c.leavers && i%5 == 0 {
			s.leaves(p, i%2 == 0)
		}
	}
	return s
}

// leaves lets a member leave when it is complete, or has half of the parts.
func (s *sim) leaves(p *player, half bool) {
	var look func()
	look = func() {
		switch {
		case p.core != nil && (p.core.Finished() || half && p.core.Stats().Have >= p.core.Parts()/2):
			s.leave(p)
		default:
			s.after(100*time.Millisecond, look)
		}
	}
	s.at(p.entered, later(look))
}

// bound is the least time in which any scheme can end, in copies over one line, and that of whole
// parts.
func (c scene) bound(s *sim, rate float64) (fluid, parts float64) {
	ups, n := 0.0, len(s.players)-1
	for _, p := range s.players {
		ups += p.up.rate
	}
	fluid = max(1, float64(n)*rate/ups)
	total := (s.size + s.part - 1) / s.part
	return fluid, fluid * (1 + float64(bits.Len(uint(n))-1)/float64(total))
}

// TestTable is make sim.
func TestTable(t *testing.T) {
	if *simulate == "" {
		t.Skip("simulates for minutes: go test -run TestTable -sim 16,100,1000")
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	show := func(what string, n int, c scene, rate float64, size, part int64) {
		start := time.Now()
		s := c.set(t, n, rate, size, part, 1)
		s.play(time.Hour)
		list := s.finishes(rate)
		fluid, parts := c.bound(s, rate)
		last := list[len(list)-1]
		fmt.Fprintf(out, "%s\t%d\t%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.2f%%\t%v\n", what, n, c.name, list[0]/fluid, list[len(list)/2]/fluid, last/fluid, last/parts,
			float64(s.players[0].sent)/float64(s.size), 100*float64(s.duplicates())/float64(size)/float64(n), time.Since(start).Round(time.Second/10))
		out.Flush()
	}
	fmt.Fprintln(out, "work\tmembers\tlinks\tfirst\tmedian\tlast\tlast, in whole parts\tcopies from the first sharer\tthrown away\ttook")
	for _, c := range scenes[:3] {
		show("64 MiB/256 at 40 Mbit/s", 16, c, mbit(40), 64<<20, 256<<10)
	}
	for word := range strings.SplitSeq(*simulate, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range scenes {
			show("1 GiB/1024 at 100 Mbit/s", n, c, mbit(100), 1<<30, 1<<20)
		}
	}
}

// TestHeld holds what the strategy reached; when it reaches more, the figures here go down with it.
// They are in units of (F/u)(1 + floor(log2 N)/M).
func TestHeld(t *testing.T) {
	for _, held := range []struct {
		scene   scene
		members int
		size    int64 // MiB
		last    float64
	}{
		{scenes[0], 16, 256, 1.02},
		{scenes[1], 16, 256, 1.09},
		{scenes[2], 16, 256, 1},
		{scenes[0], 100, 256, 1.05},
		{scenes[0], 1000, 1024, 1.08},
		{scenes[2], 32, 256, 1},
	} {
		c := held.scene
		t.Run(fmt.Sprint(held.members, " ", c.name), func(t *testing.T) {
			switch {
			case testing.Short():
				t.Skip("takes seconds")
			case held.members > 100 && os.Getenv("ORCHESTRA_TEST_LARGE") == "":
				t.Skip("takes minutes: make large runs it (ORCHESTRA_TEST_LARGE=1)")
			}
			rate := mbit(100)
			s := c.set(t, held.members, rate, held.size<<20, 1<<20, 1)
			s.play(10 * time.Minute)
			list := s.finishes(rate)
			_, bound := c.bound(s, rate)
			last, wasted := list[len(list)-1]/bound, float64(s.duplicates())/float64(int64(held.members)*s.size)
			t.Logf("median %.3f, last %.3f times the bound of whole parts; thrown away %.4f", list[len(list)/2]/bound, last, wasted)
			if last > held.last {
				t.Errorf("the last of %d members took %.3f times the bound, at most %v is held", held.members, last, held.last)
			}
			if wasted > 0.01 {
				t.Errorf("%.2f %% of what came was thrown away", 100*wasted)
			}
		})
	}
}
