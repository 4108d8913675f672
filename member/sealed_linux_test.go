package member

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"orchestra/member/link"
	"orchestra/member/swarm"
	"orchestra/proto"
	"orchestra/proto/secure"
)

// sealedPair is a link of a private swarm, and the far end of its connection, which writes over
// the wire that wrap makes of its socket.
func sealedPair(t *testing.T, content []byte, wrap func(*net.TCPConn) net.Conn) (*connection, *secure.Conn) {
	t.Helper()
	key, err := secure.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	near, err := key.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	l, far := pair(t, content, Config{})
	made := make(chan *secure.Conn, 1)
	go func() {
		c, err := near.Client(context.Background(), wrap(far))
		if err != nil {
			far.Close()
		}
		made <- c
	}()
	conn := l.conn
	sealed, err := secure.Server(t.Context(), directConn(conn), []*secure.Identity{near})
	if err != nil {
		t.Fatal(err)
	}
	conn.Conn = sealed
	c := newConnection(l.m, conn, proto.Handshake{}, false)
	c.deadline = time.Now().Add(time.Hour)
	c.terms = link.Terms{Fast: true, MaxRun: swarm.RunSize, Reqq: link.Reqq}
	c.up(0, false)
	return c, <-made
}

// slowWire keeps what is written once it is told to.
type slowWire struct {
	*net.TCPConn
	slow bool
	kept bytes.Buffer
}

func (w *slowWire) Write(p []byte) (int, error) {
	if w.slow {
		return w.kept.Write(p)
	}
	return w.TCPConn.Write(p)
}

// A reader does not wait for more than what comes: not when the beginning of a piece was read alone
// before, in whatever record that ends.
func TestSealedPieceInParts(t *testing.T) {
	content := randomBytes(128 << 10)
	for _, first := range []int{30, 3000, 16 << 10, 20_000, 100_000} {
		var wire *slowWire
		l, far := sealedPair(t, content, func(c *net.TCPConn) net.Conn {
			wire = &slowWire{TCPConn: c}
			return wire
		})
		wire.slow = true
		far.Write(append(proto.Append(nil, proto.Piece{Length: len(content)}), content...))
		l.do(swarm.Fetch{Run: swarm.Run{Length: 1 << 20}}, nil)
		read := make(chan error, 1)
		got := make([]byte, len(content))
		go func() {
			msg, err := l.in.Next()
			if err == nil {
				_, err = l.hear(msg)
			}
			if err == nil {
				_, err = io.ReadFull(&pieceReader{ctx: t.Context(), c: l, left: len(content)}, got)
			}
			read <- err
		}()
		wire.TCPConn.Write(wire.kept.Next(first))
		for unread(t, l.conn.socket) > 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond) // it should wait by now; if it does not, it is right anyway
		wire.TCPConn.Write(wire.kept.Bytes())
		select {
		case err := <-read:
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("after %d bytes it comes otherwise: %v", first, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("after %d bytes it waits for more than comes", first)
		}
	}
}

// unread is how many bytes came that were not read.
func unread(t *testing.T, conn *net.TCPConn) (n int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}
