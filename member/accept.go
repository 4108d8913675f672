package member

import (
	"context"
	"net"
	"sync"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Links that others open.

// accept brings in the links that others open.
func (h *Host) accept(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { h.listener.Close() })
	defer stop()
	var strangers gate
	var pending sync.WaitGroup
	defer pending.Wait()
	for {
		conn, err := h.listener.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			if !h.scarcity.isOut(err, h.cfg.Log) {
				h.cfg.Log.Debug().Err(err).Msg("cannot accept a connection")
			}
			select { // some descriptors will be given back
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		until, end := context.WithTimeout(ctx, proto.HandshakeTimeout)
		guest := &greeted{conn, end}
		strangers.enter(guest, remoteAddr(conn))
		pending.Go(func() {
			l, err := h.greet(until, conn)
			strangers.leave(guest)
			end()
			if err != nil {
				h.cfg.Log.Debug().Err(err).Stringer("addr", conn.RemoteAddr()).Msg("not a link")
				conn.Close()
				if fault := faultOf(err); fault == swarm.Encrypted {
					h.stranger(ctx, swarm.Stranger{Addr: remoteAddr(conn), Fault: fault})
				}
				return
			}
			if !l.m.tell(ctx, linkUp{l}) {
				conn.Close()
			}
		})
	}
}

// greeted is a connection that is being greeted. That ends with the connection.
type greeted struct {
	*net.TCPConn
	end context.CancelFunc
}

// Close ends both.
func (g *greeted) Close() error {
	g.end()
	return g.TCPConn.Close()
}

// greet exchanges the handshakes of a connection that somebody opened. Who names a composition that
// no member here has learns nothing: the connection ends without an answer, as one does that is no
// handshake. It is the same with a private swarm of which they have no key.
func (h *Host) greet(ctx context.Context, socket *net.TCPConn) (*connection, error) {
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer stop()
	socket.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	conn, hs, err := h.hear(ctx, socket)
	if err != nil {
		return nil, err
	}
	if !conn.proves(hs.PeerID) {
		return nil, errImpostor
	}
	m := h.find(hs.ID, conn.key())
	if m == nil {
		return nil, errOtherContent
	}
	return m.answer(conn, hs)
}
