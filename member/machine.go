package member

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"orchestra/proto"
)

// lookAtCards is how often the machine's addresses are looked at. Systems tell of changes too, each
// in its own way; looking costs some microseconds.
const lookAtCards = 2 * time.Second

// A machine is what is known of the addresses of this machine. One goroutine looks at them; who has
// a connection learns here that its address is gone, long before TCP would tell. A nil machine has
// no addresses and never changes.
type machine struct {
	mu      sync.Mutex
	addrs   map[netip.Addr]bool
	changed chan struct{} // closed when they are others than now
}

func newMachine() *machine {
	return &machine{addrs: machineAddrs(), changed: make(chan struct{})}
}

// now returns the addresses, not to be changed, and a channel that is closed once they are others.
func (h *machine) now() (addrs map[netip.Addr]bool, changed <-chan struct{}) {
	if h == nil {
		return nil, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addrs, h.changed
}

// set takes in what the addresses are, and reports whether they are others than before.
func (h *machine) set(addrs map[netip.Addr]bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if addrs == nil || maps.Equal(addrs, h.addrs) {
		return false
	}
	h.addrs = addrs
	close(h.changed)
	h.changed = make(chan struct{})
	return true
}

// whileSame returns a context that ends with ctx, or when the addresses change.
func (h *machine) whileSame(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	_, changed := h.now()
	go func() {
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// moved tells that the machine's addresses are others than before.
type moved struct{ before, now map[netip.Addr]bool }

// lost reports whether a connection's own address was one of the machine's and is no more. One that
// never was, which a network card need not have, is not judged.
func (ev moved) lost(conn net.Conn) bool {
	a, ok := conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	local := unmap(a.AddrPort()).Addr().WithZone("")
	return ev.before[local] && !ev.now[local]
}

// endure lets a connection end about so long after its far end is gone, whether anything is on the
// way to it then or not.
func endure(conn *net.TCPConn, timeout time.Duration) {
	probe := timeout / 4
	_ = conn.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 2 * probe, Interval: probe, Count: 2})
	abandonAfter(conn, timeout)
}

// machineAddrs are the addresses of all network cards; nil if the system does not tell.
func machineAddrs() map[netip.Addr]bool {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	addrs := map[netip.Addr]bool{}
	for _, n := range nets {
		if ip, ok := ipOf(n); ok {
			addrs[ip] = true
		}
	}
	return addrs
}

func ipOf(a net.Addr) (netip.Addr, bool) {
	n, ok := a.(*net.IPNet)
	if !ok {
		return netip.Addr{}, false
	}
	ip, ok := netip.AddrFromSlice(n.IP)
	return ip.Unmap(), ok
}

// ownAddrs lists where members of the same network may reach this one: the address it listens on,
// or those of its interfaces.
func ownAddrs(listen netip.AddrPort) []netip.AddrPort {
	if !listen.Addr().IsUnspecified() {
		if listen.Addr().IsLoopback() {
			return nil
		}
		return []netip.AddrPort{listen}
	}
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var addrs []netip.AddrPort
	for _, n := range nets {
		if ip, ok := ipOf(n); ok && ip.IsGlobalUnicast() && len(addrs) < proto.MaxAddrs {
			addrs = append(addrs, netip.AddrPortFrom(ip, listen.Port()))
		}
	}
	return addrs
}

// advertised is what the member says of where it can be reached: what its user said, or else the
// one address that it listens on, which need not be the one that the conductor sees it under (it
// may be on the conductor's own machine, or have several).
func advertised(said string, listen netip.AddrPort) string {
	if ip := listen.Addr(); said != "" || ip.IsUnspecified() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return said
	}
	return listen.String()
}
