package conduct

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"orchestra/proto"
)

// A crowd dials as members do: whom they are told of, until proto.Dials of their
// own links stand, and accepts others until there are proto.MeshPeers.
type crowd struct {
	*script
	peers map[proto.PeerID]*walker
	order []*walker
}

type walker struct {
	peer     proto.PeerID
	link     link
	dialled  map[*walker]bool // links it opened
	accepted map[*walker]bool // links it was asked for
}

func (w *walker) links() int { return len(w.dialled) + len(w.accepted) }

func (c *crowd) join(n int) []effect {
	w := &walker{peer: peerN(n), dialled: make(map[*walker]bool), accepted: make(map[*walker]bool)}
	l, out := c.script.join(w.peer, farSeat(n), plain(n))
	w.link = l
	c.peers[w.peer] = w
	c.order = append(c.order, w)
	c.settle()
	return out
}

func (c *crowd) leave(w *walker) []effect {
	delete(c.peers, w.peer)
	c.order = slices.DeleteFunc(c.order, func(o *walker) bool { return o == w })
	for _, o := range c.order {
		delete(o.dialled, w)
		delete(o.accepted, w)
	}
	out := c.script.leave(w.link)
	delete(c.known, w.link)
	c.settle()
	return out
}

// settle lets everybody dial whom they know.
func (c *crowd) settle() {
	for _, w := range c.order {
		if len(w.dialled) >= proto.Dials || w.links() >= proto.MeshPeers {
			continue
		}
		told := make([]proto.PeerID, 0, len(c.known[w.link]))
		for p := range c.known[w.link] {
			told = append(told, p)
		}
		slices.SortFunc(told, func(a, b proto.PeerID) int { return slices.Compare(a[:], b[:]) })
		rand.New(rand.NewPCG(uint64(w.link), uint64(len(told)))).Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
		for _, p := range told {
			o := c.peers[p]
			if len(w.dialled) >= proto.Dials || w.links() >= proto.MeshPeers {
				break
			}
			if o == nil || w.dialled[o] || w.accepted[o] || o.links() >= proto.MeshPeers {
				continue
			}
			w.dialled[o], o.accepted[w] = true, true
		}
	}
}

// reached counts the members that can be reached over links from the first.
func (c *crowd) reached() int {
	seen := map[*walker]bool{c.order[0]: true}
	next := []*walker{c.order[0]}
	for len(next) > 0 {
		w := next[0]
		next = next[1:]
		for _, links := range []map[*walker]bool{w.dialled, w.accepted} {
			for o := range links {
				if !seen[o] {
					seen[o] = true
					next = append(next, o)
				}
			}
		}
	}
	return len(seen)
}

func (c *crowd) degree() (average float64, least int) {
	least = 1 << 30
	for _, w := range c.order {
		average += float64(w.links())
		least = min(least, w.links())
	}
	return average / float64(len(c.order)), least
}

// Members that arrive one at a time make one random graph of degree about 16,
// and so do those that remain when others leave; a join or a departure is told
// to a bounded number.
func TestMembersMakeARandomGraph(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			const n = 200
			c := &crowd{script: newScript(t, testLimits, seed), peers: make(map[proto.PeerID]*walker)}
			random := rand.New(rand.NewPCG(seed, 2))
			steps := 0
			holds := func(when string) {
				t.Helper()
				if steps++; steps%20 == 0 {
					c.check()
				}
				if got := c.reached(); got != len(c.order) {
					t.Fatalf("%s: %d of %d members are connected", when, got, len(c.order))
				}
				if average, least := c.degree(); len(c.order) >= 30 &&
					(average < 14 || average > 17 || least < 6) {
					t.Fatalf(
						"%s: degree %.1f on average and %d at least among %d, want about 16",
						when, average, least, len(c.order),
					)
				}
			}
			for i := range n {
				out := c.join(i)
				most := pushTo
				if i < 101 {
					most = 50
				}
				if pushed := count(out, func(e tell) bool { return e.to != c.last && isJoined(e) }); pushed > most {
					t.Fatalf("join %d was told to %d members, want at most %d", i, pushed, most)
				}
				most *= 2 // and how many there are
				if i == 101 {
					most += i // now everybody knows that they are few no longer
				}
				if told := count(out, func(e tell) bool { return e.to != c.last }); told > most {
					t.Fatalf("join %d led to %d messages to others, want at most %d", i, told, most)
				}
				holds(fmt.Sprint("join ", i))
			}
			for len(c.order) > n/4 {
				told := len(c.order)
				out := c.leave(c.order[random.IntN(len(c.order))])
				isLeft := func(e tell) bool { _, ok := e.msg.(proto.Left); return ok }
				if left := count(out, isLeft); left > testLimits.maxToldTo() || left > told {
					t.Fatalf("a departure was told to %d members", left)
				}
				holds(fmt.Sprint("departures, ", len(c.order), " left"))
			}
			for i := range n { // others come while some go
				c.join(n + i)
				if random.IntN(3) > 0 {
					c.leave(c.order[random.IntN(len(c.order))])
				}
				holds(fmt.Sprint("churn ", i))
			}
		})
	}
}

// Half of the members leaving at once does not part the others.
func TestMassDeparture(t *testing.T) {
	const n = 200
	c := &crowd{script: newScript(t, testLimits, 7), peers: make(map[proto.PeerID]*walker)}
	for i := range n {
		c.join(i)
	}
	for _, w := range slices.Clone(c.order)[:n/2] { // the oldest, whom most know
		c.leave(w)
	}
	c.check()
	if got := c.reached(); got != n/2 {
		t.Errorf("%d of %d members are connected", got, n/2)
	}
	for _, w := range c.order {
		if known := len(c.known[w.link]); known < 25 {
			t.Errorf("%v knows only %d members", w.peer, known)
		}
	}
}

// What a join costs does not depend on how many members there are.
func BenchmarkRegistry(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint("members=", n), func(b *testing.B) {
			s := newScript(b, testLimits, 1)
			var out []effect
			at := func(i int) arrival {
				return arrival{
					link(i + 1), testID, peerN(i), farSeat(i), plain(i), proto.Named{}, "",
				}
			}
			drop := func() { // the dial backs succeed
				for i := 0; i < len(out); i++ {
					if d, ok := out[i].(dialBack); ok {
						out = s.reg.checked(s.now, d.ticket, addrAt(d.host), foundMember, out)
					}
				}
				out = out[:0]
			}
			for i := range n {
				out = s.reg.arrive(s.now, at(i), out)
				drop()
			}
			b.ReportAllocs()
			told := 0
			for i := 0; b.Loop(); i++ {
				out = s.reg.arrive(s.now, at(n+i), out)
				told += len(out)
				drop()
				out = s.reg.leave(s.now, link(i+1), out)
				told += len(out)
				drop()
			}
			b.ReportMetric(float64(told)/float64(b.N), "effects/op")
		})
	}
}
