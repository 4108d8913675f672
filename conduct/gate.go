package conduct

import (
	"net/netip"
	"sync"
)

// A gate bounds the open connections, in all and by source, whatever they are
// for: the registry's own limits begin only with an announcement. Its lock is
// shared by the accepting goroutine and the connections that end.
type gate struct {
	total, perSource int

	mu   sync.Mutex
	open int
	by   map[netip.Addr]int

	trunks map[netip.Addr]int // of those, the ones for many compositions
}

// Connections beyond the registry's limits: they hear why they are refused, or
// replace a connection that is not known to be dead yet.
const (
	slackTotal     = 256
	slackPerSource = 32
)

func newGate(lim limits) *gate {
	return &gate{
		total: lim.members + slackTotal, perSource: lim.perSource + slackPerSource,
		by: make(map[netip.Addr]int), trunks: make(map[netip.Addr]int),
	}
}

func (g *gate) enter(a netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	src := source(a)
	if g.open >= g.total || g.by[src] >= g.perSource {
		return false
	}
	g.open++
	g.by[src]++
	return true
}

// count returns how many connections are open.
func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func (g *gate) leave(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	src := source(a)
	g.open--
	if g.by[src]--; g.by[src] == 0 {
		delete(g.by, src)
	}
}
