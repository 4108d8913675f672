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
	net.Conn // that it goes over
	session
	key  *Key
	peer proto.PeerID
}

// A session is what is said and heard once the handshake is over: records, or TLS itself with a
// cipher that those are not sealed with.
type session interface {
	io.ReadWriter
	CloseWrite() error
}

// Key is the swarm's.
func (c *Conn) Key() *Key { return c.key }

// PeerID is the peer id that the far end proved to have.
func (c *Conn) PeerID() proto.PeerID { return c.peer }

// NetConn is what the connection goes over.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Read reads what the far end wrote, as much of it as there is at once.
func (c *Conn) Read(p []byte) (int, error) { return c.session.Read(p) }

// Write sends all of p in as few calls of the system as there can be.
func (c *Conn) Write(p []byte) (int, error) { return c.session.Write(p) }

// Client makes a connection, that this end opened, secure. It takes as long as the connection's
// deadlines let it.
func (i *Identity) Client(ctx context.Context, nc net.Conn) (*Conn, error) {
	hail, err := i.key.newHail()
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: nc, key: i.key}
	h := &handshake{wire: wire{Conn: nc}}
	cfg := i.config(c, h)
	cfg.NextProtos = []string{hail}
	over := tls.Client(&h.wire, cfg)
	err = over.HandshakeContext(ctx)
	var alert *net.OpError // a server's alert, as this package is told of it
	var noise tls.RecordHeaderError
	switch {
	case err == nil:
		return c.begin(h.end(over, h.said.server, h.said.client))
	case errors.As(err, &alert) && alert.Op == "remote error", errors.Is(err, errStranger),
		errors.As(err, &noise), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return nil, fmt.Errorf("%w (%w)", ErrOtherKey, err)
	}
	return nil, err
}

// Server makes a connection, that somebody else opened, secure, as one of the identities: whose key
// the client has. The error is ErrNoKey if it has none of them.
func Server(ctx context.Context, nc net.Conn, identities []*Identity) (*Conn, error) {
	c := &Conn{Conn: nc}
	h := &handshake{wire: wire{Conn: nc}}
	hailed := func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		for _, i := range identities {
			if i.key.hailed(hello.SupportedProtos) {
				c.key = i.key
				return i.config(c, h), nil
			}
		}
		return nil, ErrNoKey
	}
	over := tls.Server(&h.wire, &tls.Config{
		MinVersion: tls.VersionTLS13, GetConfigForClient: hailed,
	})
	if err := over.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return c.begin(h.end(over, h.said.client, h.said.server))
}

// begin lets a connection be used.
func (c *Conn) begin(s session, err error) (*Conn, error) {
	if err != nil {
		return nil, err
	}
	c.session = s
	return c, nil
}

// A handshake is what TLS makes one over, and what it tells of it.
type handshake struct {
	wire wire
	said secrets
}

// end returns how the connection goes on, with the secrets that what is read and what is written
// are sealed with.
func (h *handshake) end(over *tls.Conn, read, write []byte) (session, error) {
	if over.ConnectionState().CipherSuite == tls.TLS_AES_128_GCM_SHA256 {
		return newRecords(h.wire.Conn, read, write)
	}
	h.said = secrets{}
	h.wire.over = true
	return over, nil
}

// config is what both ends have. The chain of certificates that TLS would follow is of no use here:
// VerifyConnection says who the far end is.
func (i *Identity) config(c *Conn, h *handshake) *tls.Config {
	return &tls.Config{
		Certificates:       []tls.Certificate{i.cert},
		MinVersion:         tls.VersionTLS13,
		ClientAuth:         tls.RequireAnyClientCert,
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) (err error) {
			c.peer, err = i.key.certified(state.PeerCertificates)
			return err
		},
		KeyLogWriter:                &h.said, // goes no further
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
	}
}
