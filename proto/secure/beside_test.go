package secure

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// far is an end as Go's TLS makes it all by itself.
func far(i *Identity, nc net.Conn, client bool) (*tls.Conn, error) {
	cfg := i.config(&Conn{}, &handshake{})
	if !client {
		return tls.Server(nc, cfg), nil
	}
	hail, err := i.key.newHail()
	cfg.NextProtos = []string{hail}
	return tls.Client(nc, cfg), err
}

// meet makes a connection of which one end is ours and the other one that of Go's TLS. What the
// latter's wire is wrapped in may change what goes over it.
func meet(t *testing.T, weAre string, wrap func(net.Conn) net.Conn) (*Conn, *tls.Conn) {
	t.Helper()
	k := testKey(t)
	ours, theirs := identity(t, k), identity(t, k)
	here, there := ends(t)
	other, err := far(theirs, wrap(there), weAre == "server")
	if err != nil {
		t.Fatal(err)
	}
	agreed := make(chan error, 1)
	go func() { agreed <- other.Handshake() }()
	var c *Conn
	if weAre == "client" {
		c, err = ours.Client(t.Context(), here.Conn)
	} else {
		c, err = Server(t.Context(), here.Conn, []*Identity{ours})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := <-agreed; err != nil {
		t.Fatal(err)
	}
	state := other.ConnectionState()
	if state.Version != tls.VersionTLS13 || state.DidResume || state.NegotiatedProtocol != "" {
		t.Errorf("version %x, resumed %v, protocol %q",
			state.Version, state.DidResume, state.NegotiatedProtocol)
	}
	return c, other
}

func unchanged(nc net.Conn) net.Conn { return nc }

// echo has one end send and the other one send it back, and the former say that nothing follows.
func echo(t *testing.T, one, other net.Conn) {
	t.Helper()
	content := noise(1<<20 + 12345)
	go io.Copy(other, struct{ io.Reader }{io.LimitReader(other, int64(len(content)))})
	go func() {
		for rest, n := content, 1; len(rest) > 0; n *= 3 {
			n = min(n, len(rest))
			one.Write(rest[:n])
			rest = rest[n:]
		}
	}()
	got := make([]byte, len(content))
	if _, err := io.ReadFull(one, got); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%T: what comes back is another thing: %v", one, err)
	}
}

// To an end that is Go's TLS all along there is nothing to be seen.
func TestBesideTLS(t *testing.T) {
	for _, weAre := range []string{"client", "server"} {
		t.Run(weAre, func(t *testing.T) {
			c, other := meet(t, weAre, unchanged)
			echo(t, c, other)
			echo(t, other, c)
			if r, ok := c.session.(*records); ok {
				r.outgoing.mu.Lock()
				r.rekey()
				r.outgoing.mu.Unlock()
				echo(t, c, other)
				r.outgoing.mu.Lock()
				r.send(kindHandshake, []byte(keyUpdate+"\x01")) // which it answers
				r.outgoing.traffic.update()
				r.outgoing.mu.Unlock()
				echo(t, c, other)
				echo(t, other, c)
				if r.incoming.traffic.number > 200 {
					t.Error("it did not answer with new keys")
				}
			}
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if n, err := other.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("after the end %d bytes come: %v", n, err)
			}
			if n, err := c.Write([]byte("more")); n != 0 || err == nil {
				t.Errorf("after the end %d bytes are taken: %v", n, err)
			}
			other.Write([]byte("last words"))
			other.CloseWrite()
			if got, err := io.ReadAll(c); err != nil || string(got) != "last words" {
				t.Errorf("the last words are %q: %v", got, err)
			}
		})
	}
}

// damaged changes a bit of what goes over it once it is told to.
type damaged struct {
	net.Conn
	mu  sync.Mutex
	now bool
}

func (d *damaged) damage(p []byte, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now && n > 0 {
		p[n-1] ^= 1
	}
}

func (d *damaged) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = true
}

func (d *damaged) Read(p []byte) (int, error) {
	n, err := d.Conn.Read(p)
	d.damage(p, n)
	return n, err
}

// Either end finds what was damaged, and tells the other one with TLS's alert.
func TestDamage(t *testing.T) {
	var wire *damaged
	c, other := meet(t, "client", func(nc net.Conn) net.Conn {
		wire = &damaged{Conn: nc}
		return wire
	})
	wire.begin()
	c.Write([]byte("what is damaged"))
	if n, err := other.Read(make([]byte, 100)); n != 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	_, err := c.Read(make([]byte, 100))
	if told := (*net.OpError)(nil); !errors.Is(err, badRecordMAC) && !errors.As(err, &told) {
		t.Errorf("the alert is told as %v", err)
	}

	wire = &damaged{}
	k := testKey(t)
	here, there := ends(t)
	wire.Conn = here.Conn
	other, err = far(identity(t, k), there, false)
	if err != nil {
		t.Fatal(err)
	}
	agreed := make(chan error, 1)
	go func() { agreed <- other.Handshake() }()
	if c, err = identity(t, k).Client(t.Context(), wire); err != nil {
		t.Fatal(err)
	}
	if err := <-agreed; err != nil {
		t.Fatal(err)
	}
	wire.begin()
	other.Write([]byte("what is damaged"))
	for range 2 {
		if n, err := c.Read(make([]byte, 100)); n != 0 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
	_, err = other.Read(make([]byte, 1))
	if err == nil || !strings.Contains(err.Error(), "bad record MAC") {
		t.Errorf("the far end is told %v", err)
	}
	if n, err := c.Write([]byte("more")); n != 0 || err == nil {
		t.Errorf("after that %d bytes are taken: %v", n, err)
	}
}

// noAES has the tests run once more where the processor seems to have no instructions for AES: TLS
// goes on itself then, with ChaCha20-Poly1305.
const noAES = "GODEBUG=cpu.aes=off"

func TestWithoutAES(t *testing.T) {
	if testing.Short() || strings.Contains(os.Getenv("GODEBUG"), "cpu.aes=off") {
		t.Skip("is run by itself")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	const names = "^(TestConnection|TestBesideTLS|TestDamage|TestOtherKey|TestCloseDoesNotWait)$"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-test.run", names)
	cmd.Env = append(os.Environ(), noAES)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
