package member

import (
	"context"
	"io"
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

// hear hears the handshake of a connection that somebody opened, which is made secure before if that
// is how it begins.
func (h *Host) hear(ctx context.Context, socket *net.TCPConn) (*stream, proto.Handshake, error) {
	conn := plainStream(socket)
	first := make([]byte, 1)
	if _, err := io.ReadFull(socket, first); err != nil {
		return nil, proto.Handshake{}, err
	}
	if first[0] != secure.FirstByte {
		hs, err := readHello(&begun{Conn: socket, first: first}, proto.BitTorrent)
		return conn, hs, err
	}
	h.mu.Lock()
	identities := h.identities
	h.mu.Unlock()
	if len(identities) == 0 {
		return nil, proto.Handshake{}, errSecure
	}
	c, err := secure.Server(ctx, &begun{Conn: directConn(conn), first: first}, identities)
	if err != nil {
		return nil, proto.Handshake{}, err
	}
	conn.Conn = c
	hs, err := readHello(conn, proto.BitTorrent)
	return conn, hs, err
}

// begun is a connection of which the first bytes were read.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(p)
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

// directConn is a plain stream that is read and written by its own ways ([receiver], [sender]).
func directConn(s *stream) net.Conn { return &throughConn{s.socket, receiver(s), sender(s)} }

type throughConn struct {
	*net.TCPConn
	in  io.Reader
	out io.Writer
}

func (c *throughConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *throughConn) Write(p []byte) (int, error) { return c.out.Write(p) }
