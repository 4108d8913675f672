package member

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"orchestra/member/swarm"
)

// listen binds the address, or the first free port of the usual ones, or any.
func listen(addr string) (*net.TCPListener, error) {
	if addr != "" {
		if !strings.Contains(addr, ":") {
			addr = ":" + addr
		}
		return bind(addr)
	}
	for port := firstPort; port <= lastPort; port++ {
		if l, err := bind(fmt.Sprintf(":%d", port)); err == nil {
			return l, nil
		}
	}
	return bind(":0")
}

func bind(addr string) (*net.TCPListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, &ListenError{addr, err}
	}
	return l.(*net.TCPListener), nil
}

// greeting bounds how many accepted connections may be in their handshakes at a time.
const greeting = 64

// accept brings in the links that others open.
func (m *Member) accept(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { m.listener.Close() })
	defer stop()
	places := make(chan struct{}, greeting)
	var pending sync.WaitGroup
	defer pending.Wait()
	for {
		conn, err := m.listener.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			m.cfg.Log.Warn().Err(err).Msg("cannot accept a connection")
			select { // out of descriptors, most likely: some will be given back
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		pending.Go(func() {
			defer func() { <-places }()
			l, err := m.greet(ctx, conn, false)
			if err != nil {
				m.cfg.Log.Debug().Err(err).Stringer("addr", conn.RemoteAddr()).Msg("not a link")
				conn.Close()
				return
			}
			if !m.tell(ctx, linkUp{l}) {
				conn.Close()
			}
		})
	}
}

// dialTimeout is for one address; the next one is tried after it.
const dialTimeout = 5 * time.Second

// dial opens a link to a member at the first of its addresses that answers as that member.
func (m *Member) dial(ctx context.Context, d swarm.Dial) {
	for _, addr := range d.Addrs {
		l, err := m.dialAddr(ctx, addr)
		if err == nil && d.ID.Stable() && l.id != d.ID {
			l.conn.Close()
			err = errors.New("another member answers there")
		}
		if err == nil {
			if !m.tell(ctx, linkUp{l}) {
				l.conn.Close()
			}
			return
		}
		m.cfg.Log.Debug().Err(err).Stringer("addr", addr).Msg("cannot reach a member")
	}
	m.tell(ctx, swarm.DialFailed{Dial: d})
}

func (m *Member) dialAddr(ctx context.Context, addr netip.AddrPort) (*link, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, err
	}
	l, err := m.greet(ctx, conn.(*net.TCPConn), true)
	if err != nil {
		conn.Close()
	}
	return l, err
}

// resolvePeers looks the members up that were named by the user.
func (m *Member) resolvePeers(ctx context.Context) {
	for _, peer := range m.cfg.Peers {
		addrs, err := resolve(ctx, peer)
		if err != nil {
			m.cfg.Log.Warn().Err(err).Str("peer", peer).Msg("cannot look up a member")
			continue
		}
		m.tell(ctx, swarm.Found{Addrs: addrs})
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
	addrs := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addrs[i] = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return addrs, nil
}
