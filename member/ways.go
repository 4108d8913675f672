package member

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"orchestra/proto/mtu"
)

// On some ways large packets vanish and nobody is told. Where that shows over a link, routers are
// let fragment its packets; where that does not help either, the link is given up and the next one
// to that host is made with smaller packets. Both ends find that out, who sends by what is not
// acknowledged, and who waits by the end of the link: either may be the one that can dial.
const (
	// resent is how many times in a row something is sent again in vain, some 0.6 s, until routers
	// are let fragment it.
	resent = 2
	// resentDeaf is the same until the far end counts as one that does not answer, and resentMost
	// until it is given up, some 6 s. By IPv6 nothing is fragmented, so a link over which nothing
	// large ever arrived is given up as soon as it is deaf, after some 2 s.
	resentDeaf = 3
	resentMost = 5
	// deafMost is how long that may last where the time between is long: the far end is far.
	deafMost = 12 * time.Second
	// waitedLong is how long nothing came over a link that ended until that may be why.
	waitedLong = 1500 * time.Millisecond

	narrowFor  = 10 * time.Minute
	narrowMost = 1000
)

var errDeaf = errors.New("its far end does not answer any more, or large packets do not reach it")

// ways remembers the hosts to which links are made with small packets.
type ways struct {
	mu     sync.Mutex
	narrow map[netip.Addr]narrow
}

// narrow is a way over which large packets seem to vanish.
type narrow struct {
	bytes int // that packets carry at most
	until time.Time
}

// most is how many bytes packets to a host are to carry at most; 0: as the system has it.
func (w *ways) most(host netip.Addr) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.narrow[host]
	if !ok || time.Now().After(n.until) {
		delete(w.narrow, host)
		return 0
	}
	return n.bytes
}

// vanish takes in that packets to a host may have been too large.
func (w *ways) vanish(host netip.Addr) {
	if host.IsLoopback() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.narrow[host]
	switch {
	case !ok && len(w.narrow) >= narrowMost:
		return
	case !ok && w.narrow == nil:
		w.narrow = map[netip.Addr]narrow{}
	}
	bytes := mtu.Small
	if n.bytes != 0 {
		bytes = mtu.Least
	}
	w.narrow[host] = narrow{bytes, time.Now().Add(narrowFor)}
}

// silent takes in that a host does not answer at all, or not at the size of any packet.
func (w *ways) silent(host netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.narrow, host)
}

// sweep forgets the ways that were narrow once.
func (w *ways) sweep(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for host, n := range w.narrow {
		if now.After(n.until) {
			delete(w.narrow, host)
		}
	}
}

// connect dials an address, with small packets if the way there seems to need them.
func (w *ways) connect(ctx context.Context, addr netip.AddrPort) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	if bytes := w.most(addr.Addr()); bytes != 0 {
		dialer.Control = mtu.Limit(bytes)
	}
	conn, err := dialer.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		w.silent(addr.Addr())
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// look sees whether what is sent over a link reaches its far end, and does what can be done where
// it does not. It reports whether the far end does not answer. The loop calls it, each second.
func (c *connection) look(now time.Time) (deaf bool) {
	times, arrived := mtu.Vanishing(c.conn.socket)
	if times < resent {
		c.vanishing = time.Time{}
		return false
	}
	if c.vanishing.IsZero() {
		c.vanishing = now
	}
	mtu.Fragment(c.conn.socket)
	deaf = times >= resentDeaf
	most := resentMost
	if !arrived && !c.addr.Addr().Is4() {
		most = resentDeaf
	}
	if times >= most || deaf && now.Sub(c.vanishing) >= deafMost {
		_ = c.conn.socket.SetLinger(0) // the far end is to hear of it at once, if it can
		c.close(errDeaf)
	}
	return deaf
}

// narrowed reports whether a link ended for what may be an MTU hole. The far end resets it then,
// if it is the one that sends.
func (c *connection) narrowed(why error) bool {
	return errors.Is(why, errDeaf) ||
		errors.Is(why, syscall.ECONNRESET) && time.Since(c.heard) >= waitedLong
}
