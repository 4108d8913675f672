package conduct

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"orchestra/proto"
	"orchestra/proto/mse"
)

// maxResolved is the most addresses of one name that are dialled.
const maxResolved = 4

// callBack does a dial back: it opens a BitTorrent handshake to the address a
// member claims and reports what it found there, and where the member was. The
// registry bounds how many are under way; each takes DialTimeout at most, and as
// long again to resolve a name.
func (c *Conductor) callBack(
	ctx context.Context, d dialBack, r *realm,
) (netip.AddrPort, finding) {
	best := foundNobody
	addrs := c.resolve(ctx, d.host)
	for _, a := range addrs {
		if a.Port() == 0 || !d.allows(a.Addr()) {
			continue
		}
		found, err := c.shake(ctx, a, d, r, c.cfg.DialTimeout/time.Duration(len(addrs)))
		if found == foundMember {
			return netip.AddrPortFrom(a.Addr().WithZone(""), a.Port()), found
		}
		best = max(best, found)
		c.log.Debug().Err(err).Stringer("at", a).Stringer("peer", d.peer).Msg("dial back failed")
		if ctx.Err() != nil {
			break
		}
	}
	return netip.AddrPort{}, best
}

// resolve returns the addresses behind HOST:PORT, unmapped; none if it has none.
func (c *Conductor) resolve(ctx context.Context, hostPort string) []netip.AddrPort {
	if a, err := netip.ParseAddrPort(hostPort); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(a.Addr().Unmap(), a.Port())}
	}
	host, portText, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	ips, err := c.lookUp(ctx, "ip", host)
	if err != nil {
		c.log.Debug().Err(err).Msg("advertised name does not resolve")
		return nil
	}
	var addrs []netip.AddrPort
	for _, ip := range ips[:min(len(ips), maxResolved)] {
		addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	}
	return addrs
}

// shake exchanges handshakes with whoever listens at an address. BitTorrent
// clients that are set to require encryption end a plain connection at once, so
// guests are then asked by an encrypted handshake.
func (c *Conductor) shake(
	ctx context.Context, a netip.AddrPort, d dialBack, r *realm, timeout time.Duration,
) (finding, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := c.shakeBy(ctx, a, d, r, func(nc net.Conn, hello []byte) (net.Conn, error) {
		if r.as != nil {
			sc, err := r.as.Client(ctx, nc)
			if err != nil {
				return nil, err
			}
			nc = sc
		}
		_, err := nc.Write(hello)
		return nc, err
	})
	if found != foundOther || !d.guest || r.as != nil || ctx.Err() != nil {
		return found, err
	}
	encrypt := func(nc net.Conn, hello []byte) (net.Conn, error) {
		agreed, err := mse.Open(nc, d.id, mse.Plain|mse.RC4, hello)
		if err != nil {
			return nil, err
		}
		return &through{nc, agreed.Reader(nc)}, nil
	}
	encrypted, other := c.shakeBy(ctx, a, d, r, encrypt)
	if errors.Is(other, mse.ErrAgain) {
		encrypted, other = c.shakeBy(ctx, a, d, r, encrypt)
	}
	if encrypted == foundMember {
		return encrypted, nil
	}
	return found, fmt.Errorf("%w, and encrypted: %w", err, other)
}

// shakeBy is shake by one way to say the handshake, which returns the connection
// on which to hear the answer.
func (c *Conductor) shakeBy(
	ctx context.Context, a netip.AddrPort, d dialBack, r *realm,
	say func(nc net.Conn, hello []byte) (net.Conn, error),
) (finding, error) {
	nc, err := c.dial(ctx, "tcp", a.String())
	if err != nil {
		return foundNobody, err
	}
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	hello := proto.Handshake{Protocol: proto.BitTorrent, ID: d.id, PeerID: r.self}
	heard, err := say(nc, hello.Append(nil))
	if err != nil {
		return foundOther, err
	}
	answer, err := proto.ReadHandshake(heard, proto.BitTorrent)
	if err != nil {
		return foundOther, err
	}
	if answer.ID != d.id || !proven(heard, answer.PeerID) ||
		(d.peer.Stable() && answer.PeerID != d.peer) {
		return foundOther, errOtherPeer
	}
	return foundMember, nil
}
