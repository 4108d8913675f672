package conduct

import (
	"container/list"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
)

// A gate bounds the open connections, in all and by source, whatever they are
// for: the registry's own limits begin only with an announcement. Connections of
// listed members it leaves to the registry. All others are visitors: they are to
// say what they want, and have it, soon. So when places are short whoever comes
// is let in, and of the visitors of a source the one goes that was silent for
// longest: of the newcomer's own source, if that has its share, or of the one
// that has the most. Who keeps silent, under however many addresses, takes a
// place from others only until they come.
//
// Its lock is shared by the accepting goroutine, the loop and the connections.
type gate struct {
	total, perSource int

	mu       sync.Mutex
	open     int
	by       map[netip.Addr]*doorway
	visitors []*pass // in any order

	trunks map[netip.Addr]int // connections for many compositions
}

// A doorway is what is known of one source.
type doorway struct {
	open     int
	visitors list.List // of *pass, the one that was silent for longest in front
}

// A pass is the place of an open connection. It is the gate's.
type pass struct {
	g      *gate
	src    netip.Addr
	nc     io.Closer
	gone   bool          // it was left, or taken away
	listed int           // members that are listed over it
	at     *list.Element // in its doorway, while it is a visitor's
	pos    int           // in gate.visitors, the same
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
		by: make(map[netip.Addr]*doorway), trunks: make(map[netip.Addr]int),
	}
}

// enter gives a connection a place; nil if there is none.
func (g *gate) enter(a netip.Addr, nc io.Closer) *pass {
	p, victim := g.take(source(a), nc)
	if victim != nil {
		victim.nc.Close()
	}
	return p
}

func (g *gate) take(src netip.Addr, nc io.Closer) (p, victim *pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.by[src]
	switch {
	case d != nil && d.open >= g.perSource:
		victim = d.oldest()
	case g.open >= g.total:
		victim = g.crowded(d)
	default:
		return g.admit(src, nc), nil
	}
	if victim == nil {
		return nil, nil
	}
	g.remove(victim)
	return g.admit(src, nc), victim
}

func (g *gate) admit(src netip.Addr, nc io.Closer) *pass {
	d := g.by[src]
	if d == nil {
		d = new(doorway)
		g.by[src] = d
	}
	p := &pass{g: g, src: src, nc: nc}
	g.open++
	d.open++
	g.welcome(p)
	return p
}

// oldest returns the visitor that was silent for longest; nil if there is none.
func (d *doorway) oldest() *pass {
	if front := d.visitors.Front(); front != nil {
		return front.Value.(*pass)
	}
	return nil
}

// crowded returns the visitor that has to go: one of the source that has the most
// among some random ones, or of the newcomer's, if that has no fewer.
func (g *gate) crowded(newcomer *doorway) *pass {
	most := newcomer
	for range min(victimsSeen, len(g.visitors)) {
		d := g.by[g.visitors[rand.IntN(len(g.visitors))].src]
		if most == nil || d.visitors.Len() > most.visitors.Len() {
			most = d
		}
	}
	if most == nil {
		return nil
	}
	return most.oldest()
}

// shed takes a visitor's place away, where the system has no more connections. It
// reports whether there was one.
func (g *gate) shed() bool {
	g.mu.Lock()
	victim := g.crowded(nil)
	if victim != nil {
		g.remove(victim)
	}
	g.mu.Unlock()
	if victim == nil {
		return false
	}
	victim.nc.Close()
	return true
}

func (g *gate) welcome(p *pass) {
	p.at, p.pos = g.by[p.src].visitors.PushBack(p), len(g.visitors)
	g.visitors = append(g.visitors, p)
}

func (g *gate) unwelcome(p *pass) {
	g.by[p.src].visitors.Remove(p.at)
	last := len(g.visitors) - 1
	g.visitors[p.pos] = g.visitors[last]
	g.visitors[p.pos].pos = p.pos
	g.visitors = slices.Delete(g.visitors, last, last+1)
	p.at = nil
}

func (g *gate) remove(p *pass) {
	if p.gone {
		return
	}
	p.gone = true
	if p.at != nil {
		g.unwelcome(p)
	}
	g.open--
	d := g.by[p.src]
	if d.open--; d.open == 0 {
		delete(g.by, p.src)
	}
}

// leave gives the place back.
func (p *pass) leave() {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	p.g.remove(p)
}

// spoke takes note that something of use came from a visitor.
func (p *pass) spoke() {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	if p.at != nil {
		p.g.by[p.src].visitors.MoveToBack(p.at)
	}
}

// list counts a member that is listed over the connection, or one less.
func (p *pass) list(more int) {
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	p.listed += more
	switch {
	case p.gone:
	case p.listed > 0 && p.at != nil:
		p.g.unwelcome(p)
	case p.listed == 0 && p.at == nil:
		p.g.welcome(p)
	}
}

// count returns how many connections are open.
func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}
