package member

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"orchestra/compose"
	"orchestra/member/link"
	"orchestra/member/store"
	"orchestra/member/swarm"
	"orchestra/proto"
)

// pair is a link of a member that has the content to another member, and the far end of its
// connection.
func pair(t *testing.T, content []byte, cfg Config) (*connection, *net.TCPConn) {
	t.Helper()
	return pairOver(t, content, cfg, nil)
}

// pairOver is the same, with sockets that control prepares.
func pairOver(
	t *testing.T, content []byte, cfg Config,
	control func(network, address string, c syscall.RawConn) error,
) (*connection, *net.TCPConn) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "content.bin")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := compose.Compose(t.Context(), compose.Config{Path: path, PartSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(store.Config{File: f, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	listener, err := (&net.ListenConfig{Control: control}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	far, err := (&net.Dialer{Control: control}).Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	for _, conn := range []net.Conn{near, far} {
		conn.SetDeadline(time.Now().Add(time.Minute))
	}
	m := &Member{
		comp: f, store: st, inbox: make(chan event, 1000), start: time.Now(),
		upload: limiter(cfg.UploadLimit), download: limiter(cfg.DownloadLimit),
		description: newDescription(f, false),
	}
	m.intake = m.newIntake()
	c := newConnection(m, plainStream(near.(*net.TCPConn)), proto.Handshake{}, false)
	c.deadline = time.Now().Add(time.Hour) // those set above hold
	c.terms = link.Terms{Fast: true, MaxRun: swarm.RunSize, Reqq: link.Reqq}
	c.up(0, false)
	return c, far.(*net.TCPConn)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{2}).Read(b)
	return b
}

// A piece goes out as it is, whatever the limit lets pass at once, and whether a cipher lies
// between the link and its socket.
func TestPieceInSlices(t *testing.T) {
	content := randomBytes(300 << 10)
	for _, test := range []struct {
		name   string
		limit  int64
		pieces []proto.Piece
	}{
		{"whole", 0, []proto.Piece{{Begin: 7, Length: 200 << 10}}},
		{"large piece", 2 << 20, []proto.Piece{{Begin: 7, Length: 250<<10 + 1}}},
		{"block", 100 << 10, []proto.Piece{{Begin: 16 << 10, Length: proto.Block}}},
		{"small block", 2 << 10, []proto.Piece{{Begin: 1, Length: 700}}},
		{"blocks", 1 << 20, []proto.Piece{
			{Begin: 16 << 10, Length: proto.Block}, {Begin: 1, Length: 13}, {Begin: 2, Length: proto.Block},
		}},
		{"one after the other", 0, []proto.Piece{{Length: 128 << 10}, {Begin: 128 << 10, Length: 128 << 10}}},
	} {
		send := func(t *testing.T, wrap func(net.Conn) net.Conn) {
			l, far := pair(t, content, Config{UploadLimit: test.limit})
			l.conn.Conn = wrap(l.conn.Conn)
			l.outward = sender(l.conn)
			sent := make(chan error, 1)
			go func() { sent <- l.sendPieces(t.Context(), test.pieces) }()
			in := proto.NewReader(wrap(far), proto.MaxFrame(1), readAhead)
			var total int64
			for _, want := range test.pieces {
				msg, err := in.Next()
				if msg != want || err != nil {
					t.Fatalf("got %v %v, want %v", msg, err, want)
				}
				got, err := io.ReadAll(in)
				if err != nil || !bytes.Equal(got, content[want.Begin:int(want.Begin)+want.Length]) {
					t.Errorf("%v: the content differs: %v", want, err)
				}
				total += int64(want.Length)
			}
			if err := <-sent; err != nil || l.m.uploaded.Load() != total {
				t.Errorf("counted %d of %d bytes: %v", l.m.uploaded.Load(), total, err)
			}
		}
		t.Run(test.name, func(t *testing.T) {
			send(t, func(c net.Conn) net.Conn { return c })
		})
		t.Run(test.name+" through a cipher", func(t *testing.T) {
			send(t, func(c net.Conn) net.Conn { return masked{c} })
		})
	}
}

// masked is a cipher: each byte is another one on the wire.
type masked struct{ net.Conn }

func (m masked) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	for i := range p[:n] {
		p[i] ^= 0x5a
	}
	return n, err
}

func (m masked) Write(p []byte) (int, error) {
	q := bytes.Clone(p)
	for i := range q {
		q[i] ^= 0x5a
	}
	return m.Conn.Write(q)
}

// What a read expects of the socket must be still to come: the last bytes of a piece would wait for
// ever otherwise.
func TestPieceThatTricklesIn(t *testing.T) {
	content := randomBytes(100_000)
	for _, limit := range []int64{0, 300_000} {
		l, far := pair(t, content, Config{DownloadLimit: limit})
		l.tune()
		pieces := &pieceReader{ctx: t.Context(), c: l, left: len(content)}
		head := proto.Append(nil, proto.Piece{Length: len(content)})
		far.Write(head)
		if _, err := l.in.Next(); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(content))
		have := 0
		for sent := 0; have < len(content); {
			if have == sent { // as much as wakes the reader, then the little that remains
				n := min(64<<10, len(content)-sent)
				if limit > 0 {
					n = len(content) - sent
				}
				far.Write(content[sent : sent+n])
				sent += n
			}
			n, err := pieces.Read(got[have:])
			if err != nil {
				t.Fatalf("limit %d: after %d bytes: %v", limit, have, err)
			}
			have += n
		}
		if !bytes.Equal(got, content) || l.m.received.Load() != int64(len(content)) {
			t.Errorf("limit %d: the content differs, or %d bytes were counted", limit, l.m.received.Load())
		}
	}
}

// However long a piece takes under a limit, the core hears that its sender lives.
func TestSlowPieceIsNoSilence(t *testing.T) {
	content := randomBytes(64 << 10)
	l, far := pair(t, content, Config{DownloadLimit: 32 << 10})
	go far.Write(proto.Append(nil, proto.Piece{Length: len(content)}))
	msg, err := l.in.Next()
	if err != nil {
		t.Fatal(err)
	}
	l.do(swarm.Fetch{Run: swarm.Run{Length: 64 << 10}}, nil)
	if _, err := l.hear(msg); err != nil {
		t.Fatal(err)
	}
	go far.Write(content)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := io.ReadFull(&pieceReader{ctx: ctx, c: l, left: len(content)}, make([]byte, len(content))); err != nil {
		t.Fatal(err)
	}
	if n := len(l.m.inbox); n < 3 {
		t.Errorf("the core heard %d times of a piece that took two seconds", n)
	}
}

// A link that ends in the middle of a piece gives its buffer back, and all that came of the run
// counts as wasted.
func TestLinkEndsInAPiece(t *testing.T) {
	content := randomBytes(1 << 20)
	l, far := pair(t, content, Config{})
	l.do(swarm.Fetch{Run: swarm.Run{Length: 1 << 20}}, nil)
	half := proto.MaxPiece / 2
	first := proto.Append(nil, proto.Piece{Length: half})
	second := proto.Append(nil, proto.Piece{Begin: uint32(half), Length: half})
	go func() {
		far.Write(slices.Concat(first, content[:half], second, content[half:half+1000]))
		far.CloseWrite()
	}()
	if err := l.run(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the link ended with %v", err)
	}
	if came := int64(half + 1000); l.m.received.Load() != came || l.m.unused.Load() != came {
		t.Errorf("%d bytes came, %d for nothing; want %d", l.m.received.Load(), l.m.unused.Load(), came)
	}
	if n := l.m.intake.InUse(); n != 0 {
		t.Errorf("%d buffers are in use", n)
	}
}
