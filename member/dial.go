package member

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
	"orchestra/proto/mse"
)

// dialTimeout is for one address; the next one is tried after it.
const dialTimeout = 5 * time.Second

// dial opens a link to a member at the first of its addresses that answers as that member.
func (m *Member) dial(ctx context.Context, d swarm.Dial) {
	failed := swarm.DialFailed{Dial: d}
	for _, addr := range d.Addrs {
		l, err := m.dialAddr(ctx, addr, d.ID)
		var is proto.PeerID
		if err == nil && d.ID.Stable() && l.id != d.ID {
			l.conn.Close()
			err, is = errAnother, l.id
		}
		if err == nil {
			if !m.tell(ctx, linkUp{l}) {
				l.conn.Close()
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		m.isOut(err)
		m.cfg.Log.Debug().Err(err).Stringer("addr", addr).Msg("cannot reach a member")
		fault := faultOf(err)
		if d.ID == (proto.PeerID{}) && fault > swarm.NobodyListens {
			fault = m.lookAt(ctx, addr, fault)
		}
		if fault >= failed.Fault {
			failed.Addr, failed.Fault, failed.Is = addr, fault, is
		}
	}
	for _, n := range m.named {
		n.unanswered(d.Addrs)
	}
	m.tell(ctx, failed)
}

// lookAt finds out what is where the user said that a member is, if that is no member.
func (m *Member) lookAt(ctx context.Context, addr netip.AddrPort, fault swarm.Fault) swarm.Fault {
	return max(fault, probe(ctx, new(net.Dialer).DialContext, addr.String()))
}

// dialAddr opens a link to who is at an address. BitTorrent clients that are set to require
// encryption end a plain connection at once: then it is tried with an encrypted handshake, and what
// succeeded is tried first the next time. Orchestra's members are never in need of that, and in a
// private swarm there is nobody else.
func (m *Member) dialAddr(
	ctx context.Context, addr netip.AddrPort, id proto.PeerID,
) (*connection, error) {
	only := &m.host.encryptedOnly
	encrypted := m.identity == nil && only.has(addr)
	greet := greeting{encrypted: encrypted, known: m.identity != nil || id.Stable()}
	l, err := m.dialSo(ctx, addr, greet)
	if err == nil || !mayWantEncryption(err) || m.identity != nil || (!encrypted && id.Stable()) {
		return l, err
	}
	greet.encrypted = !encrypted
	if l, other := m.dialSo(ctx, addr, greet); other == nil {
		only.set(addr, !encrypted)
		return l, nil
	}
	only.set(addr, false)
	return nil, err
}

// dialSo opens a link to who is at an address: by a second connection, where the first one turns
// out by chance to be of no use for an encrypted handshake.
func (m *Member) dialSo(
	ctx context.Context, addr netip.AddrPort, g greeting,
) (*connection, error) {
	l, err := m.dialOnce(ctx, addr, g)
	if errors.Is(err, mse.ErrAgain) {
		return m.dialOnce(ctx, addr, g)
	}
	return l, err
}

func (m *Member) dialOnce(
	ctx context.Context, addr netip.AddrPort, g greeting,
) (*connection, error) {
	socket, err := m.host.ways.connect(ctx, addr)
	if err != nil {
		return nil, err
	}
	stream, err := m.dress(ctx, socket)
	if err != nil {
		socket.Close()
		return nil, err
	}
	l, err := m.greet(ctx, stream, g)
	if err != nil {
		socket.Close()
	}
	return l, err
}
