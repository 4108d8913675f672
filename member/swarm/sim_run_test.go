package swarm_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden traces anew")

// equal makes a sharer and n members with equal links, the members a few milliseconds apart.
func equal(t testing.TB, n int, rate float64, size, part int64, seed uint64) *sim {
	s := newSim(t, size, part, seed)
	s.enter(0, rate, rate, true)
	for i := range n {
		s.enter(time.Second+time.Duration(i)*5*time.Millisecond, rate, rate, false)
	}
	return s
}

// finishes are the times that members took, in units of one copy, sorted. The first is left out: it
// shares.
func (s *sim) finishes(rate float64) (list []float64) {
	for _, p := range s.players[1:] {
		if p.complete > 0 {
			list = append(list, (p.complete-p.entered).Seconds()/s.copyTime(rate).Seconds())
		}
	}
	slices.Sort(list)
	return list
}

func (s *sim) duplicates() (bytes int64) {
	for _, p := range s.players {
		bytes += p.wasted
	}
	return bytes
}

func TestFiftyMembersAlike(t *testing.T) {
	play := func(seed uint64) uint64 {
		s := equal(t, 50, mbit(40), 64<<20+1, 256<<10, seed)
		sum := fnv.New64()
		s.trace = func(line string) { fmt.Fprintln(sum, line) }
		s.play(3 * time.Minute)
		list := s.finishes(mbit(40))
		t.Logf("first %.3f median %.3f last %.3f, first sharer sent %.3f copies, thrown away %.4f", list[0], list[25], list[49],
			float64(s.players[0].sent)/float64(s.size), float64(s.duplicates())/float64(50*s.size))
		return sum.Sum64()
	}
	first := play(7)
	if again := play(7); again != first {
		t.Error("the same seed gave another trace")
	}
	if other := play(8); other == first {
		t.Error("another seed gave the same trace")
	}
}

// TestTrace compares what three members do with the golden file, to be read when it changes: go
// test -run TestTrace -update.
func TestTrace(t *testing.T) {
	s := equal(t, 2, mbit(40), 1<<20+1, 256<<10, 1)
	var lines strings.Builder
	s.trace = func(line string) { fmt.Fprintln(&lines, line) }
	s.play(time.Minute)
	const name = "testdata/trace.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(lines.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(strings.ReplaceAll(string(golden), "\r\n", "\n"), "\n"), strings.Split(lines.String(), "\n")
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("%s:%d differs (-update writes it anew):\nwant %q\ngot  %q", name, i+1, want[min(i, len(want)-1)], got[min(i, len(got)-1)])
		}
	}
}

func TestPartsOfSeveralRuns(t *testing.T) {
	s := equal(t, 8, mbit(40), 40<<20+3, 8<<20, 3)
	s.play(2 * time.Minute)
}

// TestTheFirstSharerMayLeave ends the only one that has everything half-way: whatever the others
// have by then they must all have in the end.
func TestTheFirstSharerMayLeave(t *testing.T) {
	s := equal(t, 8, mbit(40), 16<<20, 256<<10, 5)
	s.at(2500*time.Millisecond, later(func() { s.leave(s.players[0]) }))
	s.run(time.Minute, func() bool { return false })
	parts := s.players[0].core.Parts()
	out := make([]bool, parts)
	n := 0
	for part := range out {
		if out[part] = slices.ContainsFunc(s.players[1:], func(p *player) bool { return p.core.Has(uint32(part)) }); out[part] {
			n++
		}
	}
	if n == 0 || n == parts {
		t.Fatalf("the first sharer left when %d parts were out: that tests nothing", n)
	}
	for _, p := range s.players[1:] {
		if have := p.core.Stats().Have; have != n {
			t.Errorf("member %d has %d of the %d parts that others have", p.n, have, n)
		}
	}
}
