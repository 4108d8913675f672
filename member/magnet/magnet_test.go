package magnet_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orchestra/compose"
	"orchestra/conduct"
	"orchestra/member"
	"orchestra/member/magnet"
	"orchestra/orch"
	"orchestra/proto"
	"orchestra/proto/mse"
	"orchestra/proto/mse/msetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// share composes content of so many bytes, and runs a member that shares it.
func share(t *testing.T, size int, conductors ...string) (f *orch.File, addr string) {
	t.Helper()
	dir := t.TempDir()
	content := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(content)
	path := filepath.Join(dir, "content.bin")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := compose.Compose(t.Context(), compose.Config{
		Path: path, Conductors: append(conductors, "localhost:1")[:1], PartSize: 16 << 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := member.New(member.Config{
		File: f, Dir: dir, Listen: "127.0.0.1:0", Conductors: append([]string{}, conductors...),
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, m.Run)
	return f, m.Addr().String()
}

// run has something run until the test ends.
func run(t *testing.T, what func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- what(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func fetch(t *testing.T, cfg magnet.Config) *orch.File {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f, err := magnet.Fetch(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFetchFromMember(t *testing.T) {
	f, addr := share(t, 40<<20) // of which the description takes several pieces
	got := fetch(t, magnet.Config{Magnet: &orch.Magnet{
		ID: f.ID(), Peers: []string{addr}, Trackers: []string{"udp://tracker.example:80/announce"},
	}})
	if got.ID() != f.ID() || got.Name != f.Name || !bytes.Equal(got.PartSums, f.PartSums) {
		t.Errorf("it is %s, %s", got.ID(), got.Name)
	}
	if len(got.Trackers()) != 1 {
		t.Error("the trackers of the link are not kept")
	}
}

// A conductor is a tracker, which tells of its members, and is left when the description is here.
func TestFetchByConductor(t *testing.T) {
	c, err := conduct.New(conduct.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	run(t, c.Run)
	f, _ := share(t, 1<<20, c.Addr().String())
	link, err := f.Magnet()
	if err != nil {
		t.Fatal(err)
	}
	m, err := orch.ParseMagnet(link)
	if err != nil {
		t.Fatal(err)
	}
	got := fetch(t, magnet.Config{Magnet: m})
	if got.ID() != f.ID() || got.Conductor != c.Addr().String() {
		t.Errorf("it is %s, and its conductor %s", got.ID(), got.Conductor)
	}
	// Without a tracker in the link, the conductor that the user names does.
	got = fetch(t, magnet.Config{
		Magnet: &orch.Magnet{ID: f.ID()}, Conductors: []string{c.Addr().String()},
	})
	if got.ID() != f.ID() {
		t.Errorf("it is %s", got.ID())
	}
}

// serves has each connection to an address of its own served in a goroutine, and returns the
// address.
func serves(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() { defer c.Close(); serve(c) })
		}
	})
	t.Cleanup(func() { listener.Close(); work.Wait() })
	return listener.Addr().String()
}

// liar serves the wire as a peer that speaks of a dictionary of so many bytes, and answers requests
// as it likes.
func liar(t *testing.T, id orch.ID, size int, answer func(c net.Conn, piece int)) string {
	t.Helper()
	return serves(t, func(c net.Conn) { lie(c, id, size, answer) })
}

func lie(c net.Conn, id orch.ID, size int, answer func(c net.Conn, piece int)) {
	if _, err := proto.ReadHandshake(c, proto.BitTorrent); err != nil {
		return
	}
	hs := proto.Handshake{Protocol: proto.BitTorrent, ID: id, PeerID: proto.PeerID{1}}
	hs.SetExtended()
	ext := proto.ExtHandshake{Messages: map[string]int{proto.ExtMetadata: 3}, Metadata: size}
	c.Write(proto.Append(hs.Append(nil), proto.Extended{Payload: ext.Append(nil)}))
	in := proto.NewReader(c, proto.MaxFrame(1), 4<<10)
	for {
		msg, err := in.Next()
		if err != nil {
			return
		}
		if e, ok := msg.(proto.Extended); ok && e.ID == 3 {
			if m, err := proto.ParseMetadata(e.Payload); err == nil {
				answer(c, m.Piece)
			}
		}
	}
}

func sends(c net.Conn, m proto.Metadata) {
	c.Write(proto.Append(nil, proto.Extended{ID: 1, Payload: m.Append(nil)}))
}

// Those who lie, refuse, say nothing or go away cost themselves alone.
func TestFetchAmongLiars(t *testing.T) {
	f, addr := share(t, 10<<20)
	info, err := f.Info()
	if err != nil {
		t.Fatal(err)
	}
	reject := func(c net.Conn, piece int) {
		sends(c, proto.Metadata{Kind: proto.MetadataReject, Piece: piece})
	}
	peers := []string{
		liar(t, f.ID(), len(info), reject),
		liar(t, f.ID(), 100, func(c net.Conn, piece int) {
			sends(c, proto.Metadata{Kind: proto.MetadataData, Total: 100, Data: make([]byte, 100)})
		}),
		liar(t, f.ID(), 100, func(c net.Conn, piece int) {
			sends(c, proto.Metadata{Kind: proto.MetadataData, Total: 100, Data: make([]byte, 99)})
		}),
		liar(t, f.ID(), proto.MaxMetadata, func(net.Conn, int) {}),
		liar(t, f.ID(), 0, reject),
		liar(t, orch.ID{1}, len(info), reject),
		liar(t, f.ID(), len(info), func(c net.Conn, piece int) { c.Close() }),
		"127.0.0.1:1",
	}
	got := fetch(t, magnet.Config{Magnet: &orch.Magnet{ID: f.ID()}, Peers: append(peers, addr)})
	if got.ID() != f.ID() {
		t.Errorf("it is %s", got.ID())
	}
}

// A client that is set to require encryption is asked so, and again if the first secret is of no
// use.
func TestFetchFromWhoRequiresEncryption(t *testing.T) {
	info := []byte("d6:lengthi5e4:name1:a12:piece lengthi16384e6:pieces20:01234567890123456789e")
	id := orch.ID(sha1.Sum(info))
	var once sync.Once
	var plain atomic.Int32
	addr := serves(t, func(c net.Conn) {
		first := make([]byte, 20)
		if _, err := io.ReadFull(c, first); err != nil {
			return
		}
		if first[0] == 19 { // it takes no plain handshake
			plain.Add(1)
			return
		}
		c = &through{c, io.MultiReader(bytes.NewReader(first), c), c}
		isFirst := false
		once.Do(func() { isFirst = true })
		if isFirst {
			if err := msetest.AnswerShort(c); err == nil {
				_, _ = io.Copy(io.Discard, c) // until it is given up
			}
			return
		}
		agreed, err := mse.Answer(c, mse.RC4, func([20]byte) ([20]byte, bool) { return id, true })
		if err != nil {
			return
		}
		// aria2 takes nothing but the handshake within its own
		if len(agreed.Initial) != 68 {
			t.Errorf("%d bytes are said within the handshake", len(agreed.Initial))
		}
		in := io.MultiReader(bytes.NewReader(agreed.Initial), agreed.Reader(c))
		lie(&through{c, in, agreed.Writer(c)}, id, len(info), func(c net.Conn, piece int) {
			sends(c, proto.Metadata{Kind: proto.MetadataData, Total: len(info), Data: info})
		})
	})
	got := fetch(t, magnet.Config{Magnet: &orch.Magnet{ID: id}, Peers: []string{addr}})
	if got.Name != "a" {
		t.Errorf("it is %s", got.Name)
	}
	if n := plain.Load(); n != 1 {
		t.Errorf("%d plain connections before, want 1", n)
	}
}

// through is a connection with a cipher in between.
type through struct {
	net.Conn
	in  io.Reader
	out io.Writer
}

func (c *through) Read(b []byte) (int, error)  { return c.in.Read(b) }
func (c *through) Write(b []byte) (int, error) { return c.out.Write(b) }

// What the ID stands for and cannot be joined is an error, and not tried again.
func TestFetchWhatCannotBeJoined(t *testing.T) {
	info := []byte("d6:lengthi5e4:name2:..12:piece lengthi16384e6:pieces20:01234567890123456789e")
	id := orch.ID(sha1.Sum(info))
	addr := liar(t, id, len(info), func(c net.Conn, piece int) {
		sends(c, proto.Metadata{Kind: proto.MetadataData, Total: len(info), Data: info})
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := magnet.Fetch(ctx, magnet.Config{Magnet: &orch.Magnet{ID: id}, Peers: []string{addr}})
	if err == nil || !strings.Contains(err.Error(), "cannot be joined") {
		t.Errorf("the error is %v", err)
	}
}

func TestFetchFromNobody(t *testing.T) {
	if _, err := magnet.Fetch(t.Context(), magnet.Config{Magnet: &orch.Magnet{}}); !errors.Is(err, magnet.ErrNowhere) {
		t.Errorf("without anybody to ask the error is %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var line string
	_, err := magnet.Fetch(ctx, magnet.Config{
		Magnet: &orch.Magnet{}, Conductors: []string{"127.0.0.1:1"},
		Tell: func(text string) { line = text; cancel() },
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(line, "tracker 127.0.0.1:1 ") {
		t.Errorf("it says %q, and ends with %v", line, err)
	}
}

// Somebody who was told of the search comes by himself, and takes no connection from here: with a
// plain handshake, or as a client does that is set to require encryption.
func TestFetchFromWhoComes(t *testing.T) {
	for name, open := range map[string]func(c net.Conn, id orch.ID, hello []byte) (net.Conn, error){
		"plainly": func(c net.Conn, _ orch.ID, hello []byte) (net.Conn, error) {
			_, err := c.Write(hello)
			return c, err
		},
		"encrypted": func(c net.Conn, id orch.ID, hello []byte) (net.Conn, error) {
			agreed, err := mse.Open(c, id, mse.RC4, hello)
			if err != nil {
				return nil, err
			}
			return &through{c, agreed.Reader(c), agreed.Writer(c)}, nil
		},
		"encrypted, after one about something else": func(c net.Conn, id orch.ID, hello []byte) (net.Conn, error) {
			other, err := net.Dial("tcp", c.RemoteAddr().String())
			if err != nil {
				return nil, err
			}
			defer other.Close()
			if _, err := mse.Open(other, orch.ID{1}, mse.RC4, hello); err == nil {
				return nil, errors.New("it knows another ID")
			}
			agreed, err := mse.Open(c, id, mse.RC4|mse.Plain, nil)
			if err != nil {
				return nil, err
			}
			w := &through{c, agreed.Reader(c), agreed.Writer(c)}
			_, err = w.Write(hello)
			return w, err
		},
	} {
		t.Run(name, func(t *testing.T) { fetchFromWhoComes(t, open) })
	}
}

func fetchFromWhoComes(t *testing.T, open func(c net.Conn, id orch.ID, hello []byte) (net.Conn, error)) {
	f, _ := share(t, 1<<20)
	info, err := f.Info()
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan string, 8)
	tracker := listenAsTracker(t, came)
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() {
		port := <-came
		plain, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Error(err)
			return
		}
		defer plain.Close()
		hs := proto.Handshake{Protocol: proto.BitTorrent, ID: f.ID(), PeerID: proto.PeerID{1}}
		hs.SetExtended()
		c, err := open(plain, f.ID(), hs.Append(nil))
		if err != nil {
			t.Error(err)
			return
		}
		ext := proto.ExtHandshake{Messages: map[string]int{proto.ExtMetadata: 3}, Metadata: len(info)}
		c.Write(proto.Append(nil, proto.Extended{Payload: ext.Append(nil)}))
		if _, err := proto.ReadHandshake(c, proto.BitTorrent); err != nil {
			t.Error(err)
		}
		sends(c, proto.Metadata{Kind: proto.MetadataData, Total: len(info), Data: info})
		io.Copy(io.Discard, c)
	})
	got := fetch(t, magnet.Config{Magnet: &orch.Magnet{
		ID: f.ID(), Trackers: []string{tracker},
	}})
	if got.ID() != f.ID() {
		t.Errorf("it is %s", got.ID())
	}
	var events []string
	for len(came) > 0 {
		events = append(events, <-came)
	}
	if len(events) != 1 || events[0] != "stopped" {
		t.Errorf("the tracker hears %v at the end", events)
	}
}

// A conductor, which has no description, finds the search where it says that it is, so that others
// are told of it.
func TestSearchIsFound(t *testing.T) {
	came := make(chan string, 8)
	id, tracker := orch.ID{1}, listenAsTracker(t, came)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() {
		_, err := magnet.Fetch(ctx, magnet.Config{Magnet: &orch.Magnet{ID: id, Trackers: []string{tracker}}})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	c, err := net.Dial("tcp", "127.0.0.1:"+<-came)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hs := proto.Handshake{Protocol: proto.BitTorrent, ID: id, PeerID: proto.PeerID{1}}
	if _, err := c.Write(hs.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if answer, err := proto.ReadHandshake(c, proto.BitTorrent); err != nil || answer.ID != id {
		t.Errorf("it answers with %+v, %v", answer, err)
	}
}

func listenAsTracker(t *testing.T, came chan<- string) string {
	server := newServer(t, func(port, event string) string {
		if event == "stopped" {
			came <- event
		} else {
			came <- port
		}
		return "d8:intervali1800e5:peers0:e"
	})
	return fmt.Sprintf("%s/announce", server)
}

func newServer(t *testing.T, answer func(port, event string) string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		io.WriteString(w, answer(q.Get("port"), q.Get("event")))
	}))
	t.Cleanup(s.Close)
	return s.URL
}
