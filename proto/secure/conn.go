package secure

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"orchestra/proto"
)

// FirstByte is the one that a secure connection begins with: no handshake and no HTTP does.
const FirstByte = 0x16

var (
	// ErrNoKey tells that a client hails with a key that is not here.
	ErrNoKey = errors.New("it has no key that is known here")
	// ErrOtherKey tells that a server does not take the key.
	ErrOtherKey = errors.New("it does not have the key, or another one")
)

// A Conn is a connection between two holders of a key.
type Conn struct {
	*tls.Conn
	wire *wire
	key  *Key
	peer proto.PeerID
}

// Key is the swarm's.
func (c *Conn) Key() *Key { return c.key }

// PeerID is the peer id that the far end proved to have.
func (c *Conn) PeerID() proto.PeerID { return c.peer }

// Close ends the connection at once: it says nothing, which could wait for the far end. CloseWrite
// says that nothing follows.
func (c *Conn) Close() error { return c.wire.Close() }

// NetConn is what the connection goes over.
func (c *Conn) NetConn() net.Conn { return c.wire.Conn }

// Write sends all of p in as few calls of the system as there can be.
func (c *Conn) Write(p []byte) (int, error) {
	c.wire.hold()
	n, err := c.Conn.Write(p)
	if late := c.wire.release(); err == nil {
		err = late
	}
	return n, err
}

// Client makes a connection, that this end opened, secure. It takes as long as the connection's
// deadlines let it.
func (i *Identity) Client(ctx context.Context, nc net.Conn) (*Conn, error) {
	hail, err := i.key.newHail()
	if err != nil {
		return nil, err
	}
	c := &Conn{key: i.key, wire: &wire{Conn: nc}}
	cfg := i.config(c)
	cfg.NextProtos = []string{hail}
	c.Conn = tls.Client(c.wire, cfg)
	err = c.HandshakeContext(ctx)
	var alert *net.OpError // a server's alert, as this package is told of it
	var noise tls.RecordHeaderError
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &alert) && alert.Op == "remote error", errors.Is(err, errStranger),
		errors.As(err, &noise), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return nil, fmt.Errorf("%w (%w)", ErrOtherKey, err)
	}
	return nil, err
}

// Server makes a connection, that somebody else opened, secure, as one of the identities: whose key
// the client has. The error is ErrNoKey if it has none of them.
func Server(ctx context.Context, nc net.Conn, identities []*Identity) (*Conn, error) {
	c := &Conn{wire: &wire{Conn: nc}}
	hailed := func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		for _, i := range identities {
			if i.key.hailed(hello.SupportedProtos) {
				c.key = i.key
				return i.config(c), nil
			}
		}
		return nil, ErrNoKey
	}
	c.Conn = tls.Server(c.wire, &tls.Config{
		MinVersion: tls.VersionTLS13, GetConfigForClient: hailed,
	})
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// config is what both ends have. The chain of certificates that TLS would follow is of no use here:
// VerifyConnection says who the far end is.
func (i *Identity) config(c *Conn) *tls.Config {
	return &tls.Config{
		Certificates:       []tls.Certificate{i.cert},
		MinVersion:         tls.VersionTLS13,
		ClientAuth:         tls.RequireAnyClientCert,
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) (err error) {
			c.peer, err = i.key.certified(state.PeerCertificates)
			return err
		},
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
	}
}
