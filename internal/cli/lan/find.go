package lan

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// askAt is when the question is put, after the first time: messages get lost.
var askAt = []time.Duration{0, 250 * time.Millisecond, time.Second}

// The bounds of what is believed.
const (
	mostFound = 256 // conductors
	mostAt    = 4   // addresses of each
)

// A Found is a conductor that says it is on a network of this machine.
type Found struct {
	Name  string           // in messages: it tells conductors apart, and is hearsay
	Addrs []netip.AddrPort // where it listens, of networks that this machine is on; IPv4 first
}

// Find asks on all private networks who is there, and waits so long for answers. The error is
// ErrNoNetwork, ctx's, or says why nobody could be asked.
func Find(ctx context.Context, wait time.Duration) ([]Found, error) {
	all, err := networks()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNoNetwork
	}
	f := finding{found: make(map[string][]netip.AddrPort)}
	window, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var asking sync.WaitGroup
	var failed []error
	asked := 0
	for i := range all {
		for _, group := range groups(&all[i]) {
			// In the group everybody hears the answer, which is what firewalls let through; alone
			// it comes where another program of this machine keeps the group's port to itself.
			for _, open := range []func(network, netip.AddrPort) (*socket, error){listen, call} {
				s, err := open(all[i], group)
				if err != nil {
					failed = append(failed, err)
					continue
				}
				asked++
				asking.Go(func() { f.ask(window, s) })
			}
		}
	}
	asking.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case asked == 0:
		return nil, errors.Join(failed...)
	}
	return f.list(), nil
}

// A finding gathers what is found.
type finding struct {
	mu    sync.Mutex
	found map[string][]netip.AddrPort
}

// ask asks on one socket, and reads what is answered until ctx ends.
func (f *finding) ask(ctx context.Context, s *socket) {
	var all sync.WaitGroup
	defer all.Wait()
	stop := context.AfterFunc(ctx, func() { s.conn.Close() })
	defer stop()
	all.Go(func() {
		var id [2]byte
		rand.Read(id[:])
		question := query(binary.BigEndian.Uint16(id[:]), false)
		begun := time.Now()
		for _, at := range askAt {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(begun.Add(at))):
				_ = s.sendAll(question) // it is asked again
			}
		}
	})
	buf := make([]byte, mostMessage)
	for ctx.Err() == nil {
		b, from, err := s.receive(buf)
		if err != nil {
			return
		}
		if from.Port() == mdnsPort {
			for _, p := range readAnswer(b) {
				f.add(&s.network, p)
			}
		}
	}
}

// add takes in where a conductor is said to be, as far as that is on the network that says so.
func (f *finding) add(n *network, p place) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, known := f.found[p.instance]
	if !known && len(f.found) >= mostFound {
		return
	}
	for _, a := range p.at {
		addr := a.Addr()
		if !n.contains(addr) || len(at) >= mostAt {
			continue
		}
		if addr.Is6() && addr.IsLinkLocalUnicast() {
			addr = addr.WithZone(n.ifi.Name)
		}
		if a = netip.AddrPortFrom(addr, a.Port()); !slices.Contains(at, a) {
			at = append(at, a)
		}
	}
	if len(at) > 0 {
		f.found[p.instance] = at
	}
}

func (f *finding) list() []Found {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Found
	for name, at := range f.found {
		slices.SortFunc(at, func(a, b netip.AddrPort) int {
			return cmp.Or(cmp.Compare(family(a), family(b)), a.Compare(b))
		})
		out = append(out, Found{name, at})
	}
	slices.SortFunc(out, func(a, b Found) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// family orders addresses by how well they can be passed on: those of IPv6 that need the name of an
// interface come last.
func family(a netip.AddrPort) int {
	switch {
	case a.Addr().Is4():
		return 4
	case a.Addr().Zone() == "":
		return 6
	}
	return 7
}
