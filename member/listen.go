package member

import (
	"context"
	"errors"
	"fmt"
	"net"
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

// accept brings in the links that others open.
func (m *Member) accept(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { m.listener.Close() })
	defer stop()
	var strangers gate
	var pending sync.WaitGroup
	defer pending.Wait()
	for {
		conn, err := m.listener.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			if !m.isOut(err) {
				m.cfg.Log.Debug().Err(err).Msg("cannot accept a connection")
			}
			select { // some descriptors will be given back
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		strangers.enter(conn, remoteAddr(conn))
		pending.Go(func() {
			l, err := m.greet(ctx, conn, false)
			strangers.leave(conn)
			if err != nil {
				m.cfg.Log.Debug().Err(err).Stringer("addr", conn.RemoteAddr()).Msg("not a link")
				conn.Close()
				if fault := faultOf(err); fault == swarm.Encrypted {
					m.tell(ctx, swarm.Stranger{Addr: remoteAddr(conn), Fault: fault})
				}
				return
			}
			if !m.tell(ctx, linkUp{l}) {
				conn.Close()
			}
		})
	}
}
