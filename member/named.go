package member

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"orchestra/member/swarm"
)

// A named is a member that the user named by HOST:PORT. Its name is looked up until it is known,
// and again when nobody answers at what it was known to be: it may have another address since.
type named struct {
	name   string
	lookUp func(ctx context.Context, hostport string) ([]netip.AddrPort, error)
	lost   chan struct{} // has room for one

	mu    sync.Mutex
	addrs []netip.AddrPort // sorted
}

func newNamed(name string) *named {
	return &named{name: name, lookUp: resolve, lost: make(chan struct{}, 1)}
}

// keep looks the name up, and again when it is needed: at once, unless the last time was a moment
// ago. Dials that fail are some seconds apart, and who moved is not to wait for two such times.
func (n *named) keep(ctx context.Context, m *Member) {
	pause := backoff{wait: retryFirst}
	for said := false; ; {
		next := time.After(pause.next(rand.N))
		addrs, err := n.lookUp(ctx, n.name)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !said {
			said = true
			m.cfg.Log.Warn().Err(err).Str("peer", n.name).Msg("cannot look up a member; it is tried again")
		}
		if err == nil {
			if said {
				m.cfg.Log.Info().Str("peer", n.name).Msg("the member's name is known now")
			}
			said = false
			if n.set(addrs) && !m.tell(ctx, swarm.Found{Addrs: addrs, Name: n.name}) {
				return
			}
			select {
			case <-n.lost:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return
		}
	}
}

// set takes in what the name stands for, and reports whether that is new.
func (n *named) set(addrs []netip.AddrPort) bool {
	slices.SortFunc(addrs, netip.AddrPort.Compare)
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Equal(addrs, n.addrs) {
		return false
	}
	n.addrs = slices.Clone(addrs)
	return true
}

// unanswered lets the name be looked up again, if it stands for one of these addresses.
func (n *named) unanswered(addrs []netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.ContainsFunc(addrs, func(a netip.AddrPort) bool { return slices.Contains(n.addrs, a) }) {
		select {
		case n.lost <- struct{}{}:
		default:
		}
	}
}

func resolve(ctx context.Context, hostport string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, errors.New("the name has no address")
	}
	addrs := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addrs[i] = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return addrs, nil
}
