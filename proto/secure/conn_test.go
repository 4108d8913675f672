package secure

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/cpu"

	"orchestra/proto"
)

func identity(t testing.TB, k *Key) *Identity {
	t.Helper()
	i, err := k.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// recorded is a connection that keeps what goes over it.
type recorded struct {
	net.Conn
	mu         sync.Mutex
	said, came bytes.Buffer
	writes     int
}

func (r *recorded) Write(p []byte) (int, error) {
	r.mu.Lock()
	r.said.Write(p)
	r.writes++
	r.mu.Unlock()
	return r.Conn.Write(p)
}

func (r *recorded) wrote() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes
}

func (r *recorded) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	r.came.Write(p[:n])
	r.mu.Unlock()
	return n, err
}

// ends are both ends of a TCP connection.
func ends(t testing.TB) (client *recorded, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{dialled, accepted} {
		c.SetDeadline(time.Now().Add(20 * time.Second))
		t.Cleanup(func() { c.Close() })
	}
	return &recorded{Conn: dialled}, accepted
}

// met is a server's side of a handshake.
type met struct {
	conn *Conn
	err  error
}

func serve(t testing.TB, nc net.Conn, as ...*Identity) <-chan met {
	t.Helper()
	done := make(chan met, 1)
	go func() {
		c, err := Server(context.Background(), nc, as)
		if err != nil {
			nc.Close()
		}
		done <- met{c, err}
	}()
	return done
}

// Both ends know who the other one is, and what they speak is TLS 1.3 without tickets. On the wire
// there is nothing of what they have: not the key, not its ID, not a peer id, not what is said.
func TestConnection(t *testing.T) {
	k := testKey(t)
	a, b := identity(t, k), identity(t, k)
	here, there := ends(t)
	done := serve(t, there, identity(t, testKey(t)), b)
	client, err := a.Client(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	server := <-done
	if server.err != nil {
		t.Fatal(server.err)
	}
	if client.PeerID() != b.PeerID() || server.conn.PeerID() != a.PeerID() || a.PeerID() == b.PeerID() {
		t.Errorf("%v met %v, and %v met %v", a.PeerID(), client.PeerID(), b.PeerID(), server.conn.PeerID())
	}
	if !server.conn.Key().Is(k) || !a.PeerID().Stable() {
		t.Error("the server does not know which key it was, or the peer id is of another program")
	}
	if _, ok := client.session.(*records); !ok && cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ {
		t.Errorf("what follows the handshake is %T", client.session)
	}

	content := make([]byte, 300_000)
	rand.Read(content)
	copy(content, "what is said")
	go func() {
		client.Write(content[:10])
		client.Write(content[10:])
		client.CloseWrite()
	}()
	got, err := io.ReadAll(server.conn)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came, want %d: %v", len(got), len(content), err)
	}
	server.conn.Write([]byte("what is answered"))
	answer := make([]byte, 16)
	if _, err := io.ReadFull(client, answer); err != nil || string(answer) != "what is answered" {
		t.Errorf("answered %q, %v", answer, err)
	}
	if here.said.Bytes()[0] != FirstByte {
		t.Errorf("it begins with %x", here.said.Bytes()[0])
	}
	for _, wire := range [][]byte{here.said.Bytes(), here.came.Bytes()} {
		for _, secret := range [][]byte{
			k.secret[:], []byte(k.Text()), k.id[:], []byte(k.ID()), k.hail, k.signer.Seed(),
			k.signer.Public().(ed25519.PublicKey), k.peer,
			idBytes(a), idBytes(b), []byte("what is said"), []byte("what is answered"), content[5000:5032],
			a.cert.Certificate[0], b.cert.Certificate[0],
		} {
			if bytes.Contains(wire, secret) {
				t.Errorf("on the wire there is %s", hex.EncodeToString(secret))
			}
		}
	}
}

func idBytes(i *Identity) []byte { id := i.PeerID(); return id[8:] }

// Without the key of the other end neither says anything of itself: no certificate, not even
// TLS's answer.
func TestOtherKey(t *testing.T) {
	ours, theirs := testKey(t), testKey(t)
	here, there := ends(t)
	done := serve(t, there, identity(t, ours))
	_, err := identity(t, theirs).Client(t.Context(), here)
	if !errors.Is(err, ErrOtherKey) {
		t.Errorf("the client: %v", err)
	}
	if m := <-done; !errors.Is(m.err, ErrNoKey) {
		t.Errorf("the server: %v", m.err)
	}
	if n := here.came.Len(); n > 7 { // an alert
		t.Errorf("the server said %d bytes: %x", n, here.came.Bytes())
	}
}

// Who has heard a client's hail and says it again gets no further: it is no holder of the key.
func TestStolenHail(t *testing.T) {
	k := testKey(t)
	hail, err := k.newHail()
	if err != nil {
		t.Fatal(err)
	}
	self := forged(t)
	for _, test := range []struct {
		name string
		cert []tls.Certificate
	}{{"no certificate", nil}, {"a certificate of its own", []tls.Certificate{self}}} {
		t.Run(test.name, func(t *testing.T) {
			here, there := ends(t)
			done := serve(t, there, identity(t, k))
			thief := tls.Client(here, &tls.Config{
				InsecureSkipVerify: true, NextProtos: []string{hail}, Certificates: test.cert,
			})
			if err := thief.Handshake(); err == nil {
				_, err = thief.Read(make([]byte, 1)) // a client of TLS 1.3 hears of it late
				if err == nil {
					t.Error("the server goes on")
				}
			}
			if m := <-done; m.err == nil {
				t.Error("the server took it")
			}
		})
	}
}

// forged is a certificate made with another key than the swarm's.
func forged(t *testing.T) tls.Certificate {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: private}
}

// A client tells nothing to a server that took its hail and has no certificate of the swarm: it
// sends neither its own certificate nor anything that it has to say.
func TestFalseServer(t *testing.T) {
	k := testKey(t)
	here, there := ends(t)
	type heard struct {
		said  int
		shown int
	}
	done := make(chan heard, 1)
	go func() {
		server := tls.Server(there, &tls.Config{
			Certificates: []tls.Certificate{forged(t)}, ClientAuth: tls.RequireAnyClientCert,
		})
		n, _ := server.Read(make([]byte, 1))
		done <- heard{n, len(server.ConnectionState().PeerCertificates)}
	}()
	if _, err := identity(t, k).Client(t.Context(), here); !errors.Is(err, ErrOtherKey) {
		t.Errorf("the client: %v", err)
	}
	here.Close()
	if h := <-done; h != (heard{}) {
		t.Errorf("it heard %d bytes, and saw %d certificates", h.said, h.shown)
	}
}

// A man in the middle cannot come between two holders: each would see another one's certificate.
func TestManInTheMiddle(t *testing.T) {
	k := testKey(t)
	toClient, fromMiddle := ends(t)
	toServer, atServer := ends(t)
	done := serve(t, atServer, identity(t, k))
	go func() { // it passes the hail on, and answers the client itself
		middle := tls.Server(fromMiddle, &tls.Config{
			ClientAuth: tls.RequestClientCert,
			GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				on := tls.Client(toServer, &tls.Config{InsecureSkipVerify: true, NextProtos: hello.SupportedProtos})
				if err := on.Handshake(); err != nil {
					return nil, err
				}
				shown := on.ConnectionState().PeerCertificates[0].Raw
				_, own, _ := ed25519.GenerateKey(rand.Reader)
				// it has not the key pair
				cert := tls.Certificate{Certificate: [][]byte{shown}, PrivateKey: own}
				return &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert}, nil
			},
		})
		_ = middle.Handshake()
		fromMiddle.Close()
		toServer.Close()
	}()
	if _, err := identity(t, k).Client(t.Context(), toClient); err == nil {
		t.Error("the client believes it")
	}
	if m := <-done; m.err == nil {
		t.Error("the server believes it")
	}
}

// What one end of a connection said is of no use to who says it again.
func TestReplay(t *testing.T) {
	k := testKey(t)
	server := identity(t, k)
	here, there := ends(t)
	done := serve(t, there, server)
	client, err := identity(t, k).Client(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	client.Write([]byte("once"))
	once := <-done
	if once.err != nil {
		t.Fatal(once.err)
	}
	if _, err := io.ReadFull(once.conn, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	again, there := ends(t)
	done = serve(t, there, server)
	go again.Write(here.said.Bytes())
	if m := <-done; m.err == nil {
		t.Error("a replay is taken for a client")
	}
}

// No certificate but those that holders of the key make is taken for one.
func TestCertificates(t *testing.T) {
	k := testKey(t)
	good := identity(t, k)
	if id, err := k.certified(parsed(t, good.cert)); err != nil || id != good.PeerID() {
		t.Errorf("a good one: %v, %v", id, err)
	}
	twice := append(parsed(t, good.cert), parsed(t, good.cert)...)
	changed := parsed(t, good.cert)
	changed[0].RawTBSCertificate = bytes.Clone(changed[0].RawTBSCertificate)
	changed[0].RawTBSCertificate[20] ^= 1
	for _, test := range []struct {
		name string
		cert []*x509.Certificate
	}{
		{"none", nil},
		{"two", twice},
		{"changed", changed},
		{"of another key", parsed(t, identity(t, testKey(t)).cert)},
		{"signed by itself", parsed(t, forged(t))},
	} {
		if id, err := k.certified(test.cert); err == nil || id != (proto.PeerID{}) {
			t.Errorf("%s: %v, %v", test.name, id, err)
		}
	}
}

func parsed(t *testing.T, c tls.Certificate) []*x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return []*x509.Certificate{cert}
}

// To close a connection waits for nobody, whatever the far end does.
func TestCloseDoesNotWait(t *testing.T) {
	k := testKey(t)
	here, there := ends(t)
	done := serve(t, there, identity(t, k))
	client, err := identity(t, k).Client(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	<-done
	stuck := make(chan struct{})
	go func() {
		defer close(stuck)
		for {
			if _, err := client.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}()
	begun := time.Now()
	client.Close()
	<-stuck
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

// What is written at once goes out at once, in however many records, and what cannot be written is
// told.
func TestRecordsGoTogether(t *testing.T) {
	k := testKey(t)
	here, there := ends(t)
	done := serve(t, there, identity(t, k))
	client, err := identity(t, k).Client(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	server := <-done
	if server.err != nil {
		t.Fatal(server.err)
	}
	for _, test := range []struct{ size, writes int }{
		{1, 1}, {100, 1}, {16 << 10, 1}, {128 << 10, 1}, {1 << 20, 8},
	} {
		content := make([]byte, test.size)
		rand.Read(content)
		before := here.wrote()
		go client.Write(content)
		got := make([]byte, test.size)
		if _, err := io.ReadFull(server.conn, got); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes come otherwise: %v", test.size, err)
		}
		if n := here.wrote() - before; n != test.writes {
			t.Errorf("%d bytes take %d writes, want %d", test.size, n, test.writes)
		}
	}
	if client.NetConn() != net.Conn(here) {
		t.Error("the connection goes over another one")
	}
	here.Close()
	for range 2 {
		if n, err := client.Write(make([]byte, 100)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed connection takes %d bytes: %v", n, err)
		}
	}
}

// BenchmarkConnection moves content over loopback, as much at a time as members do.
func BenchmarkConnection(b *testing.B) {
	k := testKey(b)
	here, there := ends(b)
	done := serve(b, there, identity(b, k))
	client, err := identity(b, k).Client(b.Context(), here.Conn)
	if err != nil {
		b.Fatal(err)
	}
	server := <-done
	piece := make([]byte, 128<<10)
	b.SetBytes(int64(len(piece)))
	go func() {
		for range b.N {
			client.Write(piece)
		}
	}()
	b.ResetTimer()
	got := make([]byte, 2*len(piece))
	for left := b.N * len(piece); left > 0; {
		n, err := server.conn.Read(got[:min(left, len(got))])
		if err != nil {
			b.Fatal(err)
		}
		left -= n
	}
}

// FuzzServer answers to whatever a stranger says first.
func FuzzServer(f *testing.F) {
	k := testKey(f)
	i, err := k.NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("\x13Orchestra"))
	f.Add([]byte{FirstByte, 3, 1, 0, 4, 1, 0, 0, 0})
	f.Add([]byte{FirstByte, 3, 1, 0xff, 0xff, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, said []byte) {
		here, there := net.Pipe()
		defer here.Close()
		there.SetDeadline(time.Now().Add(5 * time.Second))
		go func() {
			here.Write(said)
			here.Close()
		}()
		go io.Copy(io.Discard, here)
		if c, err := Server(context.Background(), there, []*Identity{i}); err == nil {
			t.Errorf("%x is of the swarm: %v", said, c.PeerID())
		}
		there.Close()
	})
}
