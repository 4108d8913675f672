package conduct

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"orchestra/proto"
)

// patience is how long a test waits for what must come; nothing waits it out
// unless it fails.
const patience = time.Minute

// serving starts a conductor on a free port and stops it at the end of the
// test, which must leave no goroutine.
func serving(t testing.TB, cfg Config) *Conductor {
	t.Helper()
	return servingChanged(t, cfg, func(*Conductor) {})
}

// servingChanged does so with a conductor that was changed before.
func servingChanged(t testing.TB, cfg Config, change func(*Conductor)) *Conductor {
	t.Helper()
	others := goleak.IgnoreCurrent()
	cfg.Listen = cmp.Or(cfg.Listen, "127.0.0.1:0")
	if _, isTest := t.(*testing.T); isTest {
		cfg.Log = zerolog.New(zerolog.NewTestWriter(t))
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	change(c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		goleak.VerifyNone(t, others)
	})
	return c
}

// A guest is the member's end of a connection.
type guest struct {
	t    *testing.T
	nc   net.Conn
	in   *proto.ConductorReader
	peer proto.PeerID
	seen []proto.Message // not asked for yet
}

// call connects and shakes hands.
func call(t *testing.T, nc net.Conn, n int) *guest {
	t.Helper()
	t.Cleanup(func() { nc.Close() })
	return greet(t, nc, n)
}

// greet shakes hands on a connection that somebody else closes.
func greet(t *testing.T, nc net.Conn, n int) *guest {
	t.Helper()
	return greetOf(t, nc, testID, n)
}

// greetOf does so for a composition.
func greetOf(t *testing.T, nc net.Conn, id [20]byte, n int) *guest {
	t.Helper()
	g := &guest{t: t, nc: nc, peer: peerN(n)}
	nc.SetReadDeadline(time.Now().Add(patience))
	g.write(proto.Handshake{Protocol: proto.Orchestra, ID: id, PeerID: g.peer}.Append(nil))
	answer, err := proto.ReadHandshake(nc, proto.Orchestra)
	if err != nil {
		t.Fatalf("the conductor's handshake: %v", err)
	}
	if answer.ID != id {
		t.Fatalf("the conductor answers for %x", answer.ID)
	}
	g.in = proto.NewConductorReader(nc)
	return g
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

func visit(t *testing.T, c *Conductor, n int) *guest {
	t.Helper()
	return call(t, dial(t, c.Addr().String()), n)
}

func (g *guest) write(b []byte) {
	g.t.Helper()
	if _, err := g.nc.Write(b); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guest) send(m proto.Message) {
	g.t.Helper()
	g.write(proto.Append(nil, m))
}

// next waits for the next message of one type; others are kept.
func next[T proto.Message](g *guest) T {
	g.t.Helper()
	for i, m := range g.seen {
		if m, ok := m.(T); ok {
			g.seen = slices.Delete(g.seen, i, i+1)
			return m
		}
	}
	for {
		m, err := g.in.Next()
		if err != nil {
			var want T
			g.t.Fatalf("waiting for %T: %v", want, err)
		}
		if m, ok := m.(T); ok {
			return m
		}
		g.seen = append(g.seen, m)
	}
}

// ends waits for the end of the connection.
func (g *guest) ends() {
	g.t.Helper()
	for {
		m, err := g.in.Next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			g.t.Fatal("the connection stands")
		}
		if err != nil {
			return
		}
		g.seen = append(g.seen, m)
	}
}

// answering listens as a member does and answers each handshake under one peer
// id. It returns the port.
func answering(t *testing.T, peer proto.PeerID) uint16 {
	t.Helper()
	return accepting(t, ":0", func(nc net.Conn) {
		if hello, err := proto.ReadHandshake(nc, proto.BitTorrent); err == nil {
			hello.PeerID = peer
			nc.Write(hello.Append(nil))
			io.Copy(io.Discard, nc)
		}
	}).Port()
}

// accepting listens, and serves one connection after the other. It returns where.
func accepting(t *testing.T, at string, serve func(nc net.Conn)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			serve(nc)
			nc.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-ended })
	return addrPort(ln.Addr())
}

// wire is the frames of several messages.
func wire(msgs ...proto.Message) []byte {
	var b []byte
	for _, m := range msgs {
		b = proto.Append(b, m)
	}
	return b
}

var orchestraHello = proto.Handshake{Protocol: proto.Orchestra, ID: testID, PeerID: peerN(66)}.Append(nil)
