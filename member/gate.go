package member

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// greetingMost is how many accepted connections may be in their handshakes at a time.
const greetingMost = 512

// A gate bounds how many strangers are being greeted. Who comes last is let in, and if there are
// too many, one goes of the host that has most: who has been silent for longest. So nobody who
// opens connections and says nothing keeps others out; and who has many of them, as a site behind
// one address may, keeps them as long as there is room.
type gate struct {
	mu      sync.Mutex
	waiting []stranger         // who came first stands first
	of      map[netip.Addr]int // how many of them there are of each host
}

type stranger struct {
	conn net.Conn
	from netip.Addr // its host, or its IPv6 network
}

// enter lets a connection in.
func (g *gate) enter(conn net.Conn, addr netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) >= greetingMost {
		g.dismiss()
	}
	from := network(addr.Addr())
	if g.of == nil {
		g.of = map[netip.Addr]int{}
	}
	g.of[from]++
	g.waiting = append(g.waiting, stranger{conn, from})
}

// dismiss ends a connection. Called with mu held.
func (g *gate) dismiss() {
	most := 0
	for _, n := range g.of {
		most = max(most, n)
	}
	i := slices.IndexFunc(g.waiting, func(s stranger) bool { return g.of[s.from] == most })
	g.waiting[i].conn.Close()
	g.forget(i)
}

// forget takes a connection out. Called with mu held.
func (g *gate) forget(i int) {
	from := g.waiting[i].from
	if g.of[from]--; g.of[from] == 0 {
		delete(g.of, from)
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
}

// leave takes a connection out that is greeted, or is over.
func (g *gate) leave(conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.waiting, func(s stranger) bool { return s.conn == conn })
	if i >= 0 {
		g.forget(i)
	}
}

// network is what one owner has of addresses: one of IPv4, 2^64 of IPv6.
func network(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}
