package conduct

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// door tells that a connection was closed.
type door struct{ closed bool }

func (d *door) Close() error { d.closed = true; return nil }

// visitors has so many connections from an address enter, and returns them.
func visitors(t *testing.T, g *gate, from netip.Addr, n int) (in []*pass) {
	t.Helper()
	for range n {
		p := g.enter(from, new(door))
		if p == nil {
			t.Fatalf("the connection after %d from %v is kept out", len(in), from)
		}
		in = append(in, p)
	}
	return in
}

func standing(in []*pass) (n int) {
	for _, p := range in {
		if !p.nc.(*door).closed {
			n++
		}
	}
	return n
}

// TestGate holds who comes in and who goes for it when places are short.
func TestGate(t *testing.T) {
	lim := limits{members: 1000, perSource: 10}
	const most = 10 + slackPerSource
	a, b := addr("10.0.0.1"), addr("10.0.0.2")
	t.Run("of one address the silent go, the oldest first", func(t *testing.T) {
		g := newGate(lim)
		in := visitors(t, g, a, most)
		in[0].spoke()
		visitors(t, g, a, 2)
		if got := standing(in); got != most-2 || in[0].gone || !in[1].gone || !in[2].gone {
			t.Errorf("%d of %d stand, the one that spoke: %v", got, most, !in[0].gone)
		}
	})
	t.Run("members stay", func(t *testing.T) {
		g := newGate(lim)
		in := visitors(t, g, a, most)
		for _, p := range in {
			p.list(1)
		}
		if g.enter(a, new(door)) != nil {
			t.Error("one more came in")
		}
		visitors(t, g, b, 1)
		in[3].list(-1)
		visitors(t, g, a, 1)
		if standing(in) != most-1 || !in[3].gone {
			t.Error("the one that was a member no longer did not go")
		}
	})
	t.Run("an IPv6 network is one address", func(t *testing.T) {
		g := newGate(lim)
		var in []*pass
		for n := range 2 * most {
			in = append(in, g.enter(addr(fmt.Sprintf("2001:db8::%x", n+1)), new(door)))
		}
		if got := standing(in); got != most {
			t.Errorf("%d connections of a /64 stand, want %d", got, most)
		}
	})
	t.Run("many addresses", func(t *testing.T) {
		g := newGate(lim)
		var in []*pass
		for n := range 2 * (lim.members + slackTotal) {
			in = append(in, g.enter(farAddr(n/30), new(door)))
		}
		if got := standing(in); got != lim.members+slackTotal {
			t.Errorf("%d connections stand, want %d", got, lim.members+slackTotal)
		}
		late := visitors(t, g, addr("192.0.2.1"), 3)
		for n := range 1000 {
			g.enter(farAddr(n), new(door))
		}
		if standing(late) != 3 {
			t.Error("a few connections of one address went for those of others that have more")
		}
	})
	t.Run("the system has no more", func(t *testing.T) {
		g := newGate(lim)
		in := visitors(t, g, a, 2)
		in[0].list(1)
		if !g.shed() || g.shed() || in[0].gone || !in[1].gone {
			t.Error("not the visitor went, or the member did")
		}
	})
}

// Whatever happens in whatever order, the gate counts what is so.
func TestGateStaysConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGate(limits{members: 6, perSource: 3})
		g.total, g.perSource = 8, 4
		var in []*pass
		some := func(t *rapid.T) *pass {
			if len(in) == 0 {
				t.Skip("nobody there")
			}
			return rapid.SampledFrom(in).Draw(t, "connection")
		}
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				if p := g.enter(farAddr(rapid.IntRange(0, 4).Draw(t, "from")), new(door)); p != nil {
					in = append(in, p)
				}
			},
			"leave": func(t *rapid.T) {
				p := some(t)
				p.leave()
				in = slices.DeleteFunc(in, func(o *pass) bool { return o == p })
			},
			"speak": func(t *rapid.T) { some(t).spoke() },
			"shed":  func(*rapid.T) { g.shed() },
			"list":  func(t *rapid.T) { some(t).list(1) },
			"unlist": func(t *rapid.T) {
				if p := some(t); p.listed > 0 {
					p.list(-1)
				}
			},
			"": func(t *rapid.T) {
				open, by, waiting := 0, make(map[netip.Addr]int), 0
				for _, p := range in {
					if p.gone != p.nc.(*door).closed {
						t.Fatalf("gone: %v, closed: %v", p.gone, p.nc.(*door).closed)
					}
					if p.gone {
						continue
					}
					open++
					by[p.src]++
					if (p.at != nil) != (p.listed == 0) {
						t.Fatalf("a connection of %d members is a visitor's: %v", p.listed, p.at != nil)
					}
					if p.at != nil {
						waiting++
						if g.visitors[p.pos] != p {
							t.Fatal("a visitor is not where it says")
						}
					}
				}
				if open != g.open || open > g.total || len(by) != len(g.by) || waiting != len(g.visitors) {
					t.Fatalf("%d open, %d visitors, counted as %d and %d", open, waiting, g.open, len(g.visitors))
				}
				for src, n := range by {
					if g.by[src].open != n || n > g.perSource {
						t.Fatalf("%d from %v, counted as %d", n, src, g.by[src].open)
					}
				}
			},
		})
	})
}
