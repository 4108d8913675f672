package member

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// How many accepted connections may be in their handshakes at a time: in all, and from one host.
const (
	greeting     = 64
	greetingEach = 32
)

// A gate bounds how many strangers are being greeted. Who comes last is let in, and who has been
// silent for longest goes: of its own host if that one has many, else of all. So nobody who opens
// connections and says nothing keeps others out.
type gate struct {
	mu      sync.Mutex
	waiting []stranger // who came first stands first
}

type stranger struct {
	conn net.Conn
	from netip.Addr // its host, or its IPv6 network
}

// enter lets a connection in.
func (g *gate) enter(conn net.Conn, addr netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	from := network(addr.Addr())
	same := func(s stranger) bool { return s.from == from }
	n := 0
	for _, s := range g.waiting {
		if same(s) {
			n++
		}
	}
	switch {
	case n >= greetingEach:
		g.dismiss(slices.IndexFunc(g.waiting, same))
	case len(g.waiting) >= greeting:
		g.dismiss(0)
	}
	g.waiting = append(g.waiting, stranger{conn, from})
}

// dismiss ends a connection. Called with mu held.
func (g *gate) dismiss(i int) {
	g.waiting[i].conn.Close()
	g.waiting = slices.Delete(g.waiting, i, i+1)
}

// leave takes a connection out that is greeted, or is over.
func (g *gate) leave(conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(s stranger) bool { return s.conn == conn })
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
