package swarm_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	faultSeeds = flag.Int("faults", 50, "simulate swarms with faults from so many `seeds`")
	faultsFrom = flag.Uint64("faults-from", 1, "the first `seed` of them")
	faultSeed  = flag.Uint64("fault-seed", 0, "simulate the swarm with faults of this `seed` alone, and print what its members do")
	faultsKept = flag.String("fault-only", "", "of its faults only these `numbers` (0,2), or none")
)

// TestFaults draws swarms and what befalls them, and looks whether everybody gets everything and
// does nothing wrong meanwhile.
func TestFaults(t *testing.T) {
	if *faultSeed != 0 {
		c := draw(*faultSeed)
		if *faultsKept != "" {
			c.faults = slices.DeleteFunc(c.faults, func(f fault) bool {
				return !slices.Contains(strings.Split(*faultsKept, ","),
					strconv.Itoa(slices.Index(draw(*faultSeed).faults, f)))
			})
		}
		fmt.Print(c)
		out := c.play(t, func(line string) { fmt.Println(line) })
		t.Log(out)
		for _, wrong := range out.wrong {
			t.Error(wrong)
		}
		return
	}
	failed := 0
	var sum outcome
	for n := range *faultSeeds {
		seed := *faultsFrom + uint64(n)
		c := draw(seed)
		var trace func(string)
		h := fnv.New64a()
		if n%10 == 0 {
			trace = func(line string) { fmt.Fprintln(h, line) }
		}
		out := c.play(t, trace)
		if n%10 == 0 {
			first := h.Sum64()
			h.Reset()
			if c.play(t, trace); h.Sum64() != first {
				t.Errorf("seed %d gives another trace the second time", seed)
			}
		}
		sum.add(out)
		if len(out.wrong) == 0 {
			continue
		}
		kept := c.shrink(t)
		t.Errorf("seed %d: %s\n\tgo test ./member/swarm -run '^TestFaults$' -fault-seed %d -fault-only %s",
			seed, out.wrong[0], seed, kept)
		if failed++; failed == 5 {
			t.Fatal("and so on")
		}
	}
	t.Log(sum)
	if share := float64(sum.wasted) / float64(max(sum.came, 1)); share > wastedShare && sum.swarms >= 50 {
		t.Errorf("%.2f %% of what came was thrown away, at most %v %% are held", 100*share, 100*wastedShare)
	}
}

// Bounds of what comes and is thrown away: over all swarms; and by one member, as a share of what
// came to it, beside what may be on its way when something ends.
const (
	wastedShare = 0.08
	wastedOwn   = 0.25
	wastedMost  = 4 << 20
)

// outcome is what came of a scenario.
type outcome struct {
	wrong                   []string
	swarms, members, faults int
	came, wasted            int64
	still                   time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("%d swarms, %d members, %d faults; %.2f %% of what came was thrown away, the longest standstill %v",
		o.swarms, o.members, o.faults, 100*float64(o.wasted)/float64(max(o.came, 1)), o.still)
}

func (o *outcome) add(more outcome) {
	o.swarms, o.members, o.faults = o.swarms+more.swarms, o.members+more.members, o.faults+more.faults
	o.came, o.wasted = o.came+more.came, o.wasted+more.wasted
	o.still = max(o.still, more.still)
}

// shrink finds faults that are enough for something to go wrong, and returns their numbers.
func (c scenario) shrink(t testing.TB) string {
	all := c.faults
	kept := make([]bool, len(all))
	for i := range kept {
		kept[i] = true
	}
	with := func() scenario {
		d := c
		d.faults = nil
		for i, f := range all {
			if kept[i] {
				d.faults = append(d.faults, f)
			}
		}
		return d
	}
	for i := range kept {
		kept[i] = false
		if out := with().play(t, nil); len(out.wrong) == 0 {
			kept[i] = true
		}
	}
	var list []string
	for i := range kept {
		if kept[i] {
			list = append(list, strconv.Itoa(i))
		}
	}
	if list == nil {
		return "none"
	}
	return strings.Join(list, ",")
}

// witness takes what the simulation itself finds wrong.
type witness struct {
	testing.TB
	w *watch
}

// halt is what a witness ends a run with.
type halt struct{}

func (w *witness) Errorf(format string, args ...any) { w.w.breach(format, args...) }

func (w *witness) Fatalf(format string, args ...any) {
	w.w.breach(format, args...)
	panic(halt{})
}

// play runs a scenario: until all faults are over, and then until all who can be are complete.
func (c scenario) play(t testing.TB, trace func(string)) (out outcome) {
	who := &witness{TB: t}
	s := c.set(who)
	who.w = s.watch
	s.trace = trace
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(halt); !is {
				s.watch.breach("%v\n%s", r, debug.Stack())
			}
		}
		out = c.outcome(s)
	}()
	var look func()
	look = func() {
		s.watch.look()
		s.after(lookEvery, look)
	}
	s.after(lookEvery, look)
	ends := c.ends()
	calm := func() bool { return s.watch.failed() || s.now > ends && c.complete(s) }
	s.run(ends+c.most(), calm)
	for _, p := range s.players {
		if p.fit() {
			s.watch.holds(p)
		}
		if !p.honest() || p.left || s.watch.failed() {
			continue
		}
		if p.wasted > int64(wastedOwn*float64(p.good))+wastedMost {
			s.watch.breach("member %d threw %d of %d bytes away", p.n, p.wasted, p.good)
		}
		if p.core == nil || !p.core.Finished() {
			s.watch.breach("member %d is not complete %v after the last fault", p.n, c.most())
		}
	}
	return out
}

// most is how long the members may take when all faults are over.
func (c scenario) most() time.Duration { return time.Minute + 10*c.copy }

// complete reports whether all who can be are complete.
func (c scenario) complete(s *sim) bool {
	return !slices.ContainsFunc(s.players, func(p *player) bool {
		return p.honest() && !p.left && (p.core == nil || !p.core.Finished())
	})
}

func (c scenario) outcome(s *sim) outcome {
	out := outcome{
		wrong: s.watch.wrong, swarms: 1, members: len(c.cast), faults: len(c.faults),
		still: s.watch.still,
	}
	for _, p := range s.players {
		if p.honest() {
			out.came += p.good
			out.wasted += p.wasted
		}
	}
	return out
}
