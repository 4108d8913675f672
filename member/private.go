package member

import (
	"context"
	"net"
	"time"

	"orchestra/proto"
	"orchestra/proto/secure"
)

// identify returns who the host is among the holders of a key. Called with mu held.
func (h *Host) identify(key *secure.Key) (*secure.Identity, error) {
	for _, i := range h.identities {
		if i.Key().Is(key) {
			return i, nil
		}
	}
	i, err := key.NewIdentity()
	if err != nil {
		return nil, err
	}
	// Who reads the list has no lock: it is not written any more.
	h.identities = append(h.identities[:len(h.identities):len(h.identities)], i)
	return i, nil
}

// hearSecure makes a connection secure that somebody opened, if it is one of a private swarm that
// a member here is in.
func (h *Host) hearSecure(ctx context.Context, conn *stream) error {
	h.mu.Lock()
	identities := h.identities
	h.mu.Unlock()
	if len(identities) == 0 {
		return errSecure
	}
	c, err := secure.Server(ctx, directConn(conn), identities)
	if err != nil {
		return err
	}
	conn.Conn = c
	return nil
}

// dress makes a stream of a connection that this member opened: a secure one in a private swarm.
func (m *Member) dress(ctx context.Context, socket *net.TCPConn) (*stream, error) {
	conn := plainStream(socket)
	if m.identity == nil {
		return conn, nil
	}
	socket.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	c, err := m.identity.Client(ctx, directConn(conn))
	if err != nil {
		return nil, err
	}
	conn.Conn = c
	return conn, nil
}

// keyed is the way to conductors: a secure one in a private swarm.
func (m *Member) keyed(dial dialFunc) dialFunc {
	if m.identity == nil {
		return dial
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
		c, err := m.identity.Client(ctx, conn)
		if err != nil {
			conn.Close()
			return nil, err
		}
		conn.SetDeadline(time.Time{})
		return c, nil
	}
}

// socketOf is the socket that a connection goes over; nil if it has none of its own.
func socketOf(conn net.Conn) *net.TCPConn {
	if c, ok := conn.(*secure.Conn); ok {
		conn = c.NetConn()
	}
	socket, _ := conn.(*net.TCPConn)
	return socket
}
