package secure

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	mrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

// pairOfKeys are what one direction of a connection is sealed with, at both its ends.
func pairOfKeys(t testing.TB) (write, read *traffic) {
	t.Helper()
	secret := make([]byte, 32)
	rand.Read(secret)
	for _, end := range []**traffic{&write, &read} {
		var err error
		if *end, err = newTraffic(secret); err != nil {
			t.Fatal(err)
		}
	}
	return write, read
}

// deafConn is a connection that nobody hears and that takes all.
type deafConn struct{ net.Conn }

func (deafConn) Write(p []byte) (int, error)      { return len(p), nil }
func (deafConn) SetWriteDeadline(time.Time) error { return nil }

// reading is an end that reads what was sealed.
func reading(t testing.TB, from io.Reader, key *traffic) *incoming {
	t.Helper()
	out, _ := pairOfKeys(t)
	return &incoming{from: from, traffic: key, answer: &outgoing{to: deafConn{}, traffic: out}}
}

func noise(size int) []byte {
	b := make([]byte, size)
	rand.Read(b)
	return b
}

// However records come and are read, what was written is read.
func TestRecords(t *testing.T) {
	ways := map[string]func(io.Reader) io.Reader{
		"at once":           func(r io.Reader) io.Reader { return r },
		"halves":            iotest.HalfReader,
		"bytes":             iotest.OneByteReader,
		"end with the last": iotest.DataErrReader,
	}
	sizes := []int{1, 100, contentMost - 1, contentMost, contentMost + 1, 40_000, 3 * together * contentMost}
	for name, way := range ways {
		for _, least := range []int{1, 100, contentMost - 1, contentMost + 1, 100_000, 256 << 10} {
			write, read := pairOfKeys(t)
			var want, wire []byte
			for range 12 {
				p := noise(sizes[mrand.N(len(sizes))])
				want = append(want, p...)
				for len(p) > 0 {
					n := min(len(p), contentMost)
					wire = write.seal(wire, kindContent, p[:n])
					p = p[n:]
				}
			}
			in := reading(t, way(bytes.NewReader(wire)), read)
			var got []byte
			p := make([]byte, least)
			for {
				n, err := in.Read(p)
				got = append(got, p[:n]...)
				if err == io.EOF {
					break
				}
				if err != nil || n == 0 {
					t.Fatalf("%s, %d at a time: %d bytes and %v", name, least, n, err)
				}
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%s, %d at a time: %d bytes come otherwise", name, least, len(want))
			}
		}
	}
}

// What comes in the place of content costs the connection, never more memory than a record takes,
// and nothing of it is read. What came before is.
func TestHostileRecords(t *testing.T) {
	type sealer struct {
		*traffic
		wire []byte
	}
	add := func(s *sealer, kind byte, content string) { s.wire = s.seal(s.wire, kind, []byte(content)) }
	raw := func(s *sealer, b ...byte) { s.wire = append(s.wire, b...) }
	inner := func(s *sealer, b []byte) { // as it stands, padding and all
		head := binary.BigEndian.AppendUint16([]byte{kindContent, 3, 3}, uint16(len(b)+tagSize))
		s.wire = append(s.wire, s.aead.Seal(head, s.step(), b, head)...)
	}
	for _, test := range []struct {
		name string
		says func(*sealer)
		want error
		read string
	}{
		{"an end", func(s *sealer) {}, io.EOF, ""},
		{"an end within a header", func(s *sealer) { raw(s, kindContent, 3) }, io.ErrUnexpectedEOF, ""},
		{"an end within a record", func(s *sealer) {
			add(s, kindContent, "more")
			s.wire = s.wire[:len(s.wire)-1]
		}, io.ErrUnexpectedEOF, ""},
		{"that nothing follows", func(s *sealer) {
			add(s, kindAlert, "\x01\x00")
			add(s, kindContent, "more")
		}, io.EOF, ""},
		{"an alert", func(s *sealer) { add(s, kindAlert, "\x02\x14") }, badRecordMAC, ""},
		{"a warning of what is no end", func(s *sealer) {
			add(s, kindAlert, "\x01\x5a")
			add(s, kindContent, "more")
		}, io.EOF, "more"},
		{"half an alert", func(s *sealer) { add(s, kindAlert, "\x02") }, errKind, ""},
		{"a changed bit", func(s *sealer) {
			add(s, kindContent, "more")
			s.wire[len(s.wire)-1] ^= 1
		}, errForged, ""},
		{"a changed version", func(s *sealer) {
			at := len(s.wire)
			add(s, kindContent, "more")
			s.wire[at+2] ^= 1
		}, errForged, ""},
		{"the same again", func(s *sealer) { s.wire = append(s.wire, s.wire...) }, errForged, ""},
		{"one left out", func(s *sealer) {
			at := len(s.wire)
			add(s, kindContent, "lost")
			s.wire = s.wire[:at]
			add(s, kindContent, "more")
		}, errForged, ""},
		{"an alert in the open", func(s *sealer) { raw(s, kindAlert, 3, 3, 0, 2, 2, 40) }, errKind, ""},
		{"a handshake in the open", func(s *sealer) { raw(s, kindHandshake, 3, 3, 0, 17) }, errKind, ""},
		{"a change of ciphers", func(s *sealer) { raw(s, 20, 3, 3, 0, 1, 1) }, errKind, ""},
		{"noise", func(s *sealer) { raw(s, 0xff, 0xff, 0xff, 0xff, 0xff) }, errKind, ""},
		{"no length", func(s *sealer) { raw(s, kindContent, 3, 3, 0, 0) }, errLength, ""},
		{"a code alone", func(s *sealer) { raw(s, kindContent, 3, 3, 0, tagSize) }, errLength, ""},
		{"a byte too much", func(s *sealer) { raw(s, kindContent, 3, 3, 0x40, 18) }, errLength, ""},
		{"the greatest length", func(s *sealer) { raw(s, kindContent, 3, 3, 0xff, 0xff) }, errLength, ""},
		{"padding", func(s *sealer) { inner(s, []byte("more\x17\x00\x00")) }, io.EOF, "more"},
		{"much padding", func(s *sealer) {
			inner(s, append([]byte{'m', kindContent}, make([]byte, contentMost-1)...))
		}, io.EOF, "m"},
		{"padding alone", func(s *sealer) { inner(s, make([]byte, 100)) }, errKind, ""},
		{"another kind", func(s *sealer) { add(s, 24, "more") }, errKind, ""},
		{"a ticket", func(s *sealer) { add(s, kindHandshake, "\x04\x00\x00\x00") }, errKind, ""},
		{"half a key update", func(s *sealer) { add(s, kindHandshake, keyUpdate) }, errKind, ""},
		{"a key update of another kind", func(s *sealer) { add(s, kindHandshake, keyUpdate+"\x02") }, errKind, ""},
		{"two key updates", func(s *sealer) {
			add(s, kindHandshake, keyUpdate+"\x00"+keyUpdate+"\x00")
		}, errKind, ""},
		{"key updates", func(s *sealer) {
			for range barrenMost {
				add(s, kindHandshake, keyUpdate+"\x00")
				s.update()
			}
			add(s, kindContent, "more")
		}, io.EOF, "more"},
		{"an update with the old keys going on", func(s *sealer) {
			add(s, kindHandshake, keyUpdate+"\x00")
			add(s, kindContent, "more")
		}, errForged, ""},
		{"empty records", func(s *sealer) {
			for range barrenMost {
				add(s, kindContent, "")
			}
			add(s, kindContent, "more")
		}, io.EOF, "more"},
		{"empty records without end", func(s *sealer) {
			for range barrenMost + 1 {
				add(s, kindContent, "")
			}
			add(s, kindContent, "more")
		}, errBarren, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, room := range []int{1, 100, 256 << 10} {
				write, read := pairOfKeys(t)
				s := &sealer{traffic: write}
				add(s, kindContent, "before ")
				test.says(s)
				in := reading(t, bytes.NewReader(s.wire), read)
				p := make([]byte, room)
				var got []byte
				for {
					n, err := in.Read(p)
					got = append(got, p[:n]...)
					if err == nil {
						continue
					}
					if !errors.Is(err, test.want) {
						t.Errorf("%d at a time: %v, want %v", room, err, test.want)
					}
					break
				}
				if want := "before " + test.read; string(got) != want {
					t.Errorf("%d at a time: %q is read, want %q", room, got, want)
				}
				if n, err := in.Read(p); n != 0 || !errors.Is(err, test.want) {
					t.Errorf("%d at a time: then %d bytes and %v", room, n, err)
				}
				if in.borrowed != nil && errors.Is(test.want, errLength) && room <= contentMost {
					t.Errorf("%d at a time: it takes %d bytes of memory", room, len(in.buf))
				}
			}
		})
	}
}

// A connection takes little memory while nothing comes, however much came before, and not much
// while a record is on its way.
func TestIdleMemory(t *testing.T) {
	write, read := pairOfKeys(t)
	in := reading(t, nil, read)
	var comes []byte
	held := 0 // while it waits
	in.from = readerFunc(func(p []byte) (int, error) {
		if len(comes) == 0 {
			held = len(in.buf)
			return 0, os.ErrDeadlineExceeded
		}
		n := copy(p, comes)
		comes = comes[n:]
		return n, nil
	})
	sealed := write.seal(nil, kindContent, noise(contentMost))
	later := write.seal(nil, kindContent, noise(contentMost))
	for _, step := range []struct {
		comes []byte
		room  int // of who reads
		want  int
	}{
		{nil, 16 << 10, len(in.few)},
		{sealed, 1 << 20, together * recordMost},
		{nil, 16 << 10, len(in.few)},
		{later[:2000], 16 << 10, recordMost},
		{later[2000:], 16 << 10, len(in.few)},
	} {
		comes = step.comes
		p := make([]byte, step.room)
		var err error
		for err == nil {
			_, err = in.Read(p)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if held != step.want {
			t.Errorf("after %d bytes, when %d are waited for, %d are held, want %d",
				len(step.comes), step.room, held, step.want)
		}
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

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

// met makes a connection of which one end is ours and the other one that of Go's TLS. What the
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
		t.Errorf("version %x, resumed %v, protocol %q", state.Version, state.DidResume, state.NegotiatedProtocol)
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
	if _, err := other.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "bad record MAC") {
		t.Errorf("the far end is told %v", err)
	}
	if n, err := c.Write([]byte("more")); n != 0 || err == nil {
		t.Errorf("after that %d bytes are taken: %v", n, err)
	}
}

// No key seals more records than it may, and who is asked for new keys goes on with new ones.
func TestNewKeys(t *testing.T) {
	one, other := both(t)
	a, b := one.session.(*records), other.session.(*records)
	a.outgoing.traffic.number = recordsPerKey - 20
	b.incoming.traffic.number = recordsPerKey - 20
	echo(t, one, other)
	if n := a.outgoing.traffic.number; n > 1000 {
		t.Errorf("its key is good for record %d", n)
	}
	was := b.outgoing.traffic
	old := bytes.Clone(was.secret)
	a.outgoing.mu.Lock()
	a.send(kindHandshake, []byte(keyUpdate+"\x01"))
	a.outgoing.traffic.update()
	a.outgoing.mu.Unlock()
	echo(t, one, other)
	if bytes.Equal(b.outgoing.traffic.secret, old) {
		t.Error("it goes on with the old keys")
	}
}

// both are the ends of a connection.
func both(t testing.TB) (client, server *Conn) {
	t.Helper()
	k := testKey(t)
	here, there := ends(t)
	done := serve(t, there, identity(t, k))
	client, err := identity(t, k).Client(t.Context(), here.Conn)
	if err != nil {
		t.Fatal(err)
	}
	m := <-done
	if m.err != nil {
		t.Fatal(m.err)
	}
	if _, ok := client.session.(*records); !ok {
		t.Skip("without instructions for AES it is TLS itself that goes on")
	}
	return client, m.conn
}

// What is said to be due is on its way for sure, and what is here is not due.
func TestDue(t *testing.T) {
	one, other := both(t)
	if n := other.Due(100_000); n != 100_000 {
		t.Errorf("of 100000 bytes %d are due before any came", n)
	}
	one.Write(make([]byte, 50_000))
	got := 0
	for got < 20_000 {
		n, err := other.Read(make([]byte, 20_000-got))
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	// All that came is opened, or counts with what seals it.
	if n := other.Due(30_000); n < 0 || n > 30_000 {
		t.Errorf("of the 30000 bytes that follow %d are due", n)
	}
	if n := other.Due(1); n != 0 {
		t.Errorf("of a byte that is here %d are due", n)
	}
}

// A time that is up costs nothing that came.
func TestReadAgain(t *testing.T) {
	write, read := pairOfKeys(t)
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	in := reading(t, here, read)
	content := noise(contentMost)
	sealed := write.seal(nil, kindContent, content)
	var got []byte
	for part := range 4 {
		at := part * len(sealed) / 4
		here.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
		go there.Write(sealed[at : (part+1)*len(sealed)/4])
		p := make([]byte, contentMost+1)
		n, err := in.Read(p)
		if part < 3 && !errors.Is(err, os.ErrDeadlineExceeded) || part == 3 && err != nil {
			t.Fatalf("part %d: %d bytes, %v", part, n, err)
		}
		got = append(got, p[:n]...)
	}
	if !bytes.Equal(got, content) {
		t.Error("it comes otherwise")
	}
}

// Who reads, writes and ends a connection at a time does not get into the others' way.
func TestTogether(t *testing.T) {
	one, other := both(t)
	var work sync.WaitGroup
	for range 2 {
		for _, c := range []*Conn{one, other} {
			work.Go(func() {
				for range 100 {
					if _, err := c.Write(make([]byte, 10_000)); err != nil {
						return
					}
				}
			})
			work.Go(func() {
				for range 100 {
					if _, err := c.Read(make([]byte, 20_000)); err != nil {
						return
					}
					c.Due(100)
				}
				c.CloseWrite()
				c.Close()
			})
		}
	}
	work.Wait()
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

// FuzzRecords reads what somebody seals who has the keys, and what somebody says who has none.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{kindContent, 0, 5, 1}, uint16(100))
	f.Add([]byte{kindContent, 0, 0, 1, kindAlert, 0, 2, 1}, uint16(1))
	f.Add([]byte{kindHandshake, 0, 5, 1, kindContent, 0x40, 0, 1}, uint16(30_000))
	f.Add([]byte{kindContent, 3, 3, 0xff, 0xff}, uint16(16))
	secret := make([]byte, 32)
	f.Fuzz(func(t *testing.T, said []byte, room uint16) {
		for _, hasKeys := range []bool{true, false} {
			write, _ := newTraffic(secret)
			read, _ := newTraffic(secret)
			wire, want := said, []byte(nil)
			if hasKeys {
				wire = nil
				for rest := said; len(rest) >= 4; rest = rest[4:] {
					size := min(int(binary.BigEndian.Uint16(rest[1:])), contentMost)
					content := bytes.Repeat(rest[3:4], size)
					if rest[0] == kindHandshake && size == 5 {
						content = append([]byte(keyUpdate), rest[3])
					}
					wire = write.seal(wire, rest[0], content)
					if rest[0] == kindHandshake && size == 5 {
						write.update()
					}
					if rest[0] == kindContent {
						want = append(want, content...)
					}
				}
			}
			in := reading(t, bytes.NewReader(wire), read)
			var got []byte
			p := make([]byte, int(room)+1)
			for {
				n, err := in.Read(p)
				got = append(got, p[:n]...)
				if err != nil {
					break
				}
				if n == 0 {
					t.Fatal("it brings nothing")
				}
			}
			if !bytes.HasPrefix(want, got) {
				t.Errorf("%d bytes are read that nobody said", len(got))
			}
			if in.start == in.end && in.borrowed != nil {
				t.Error("it holds a buffer with nothing in it")
			}
		}
	})
}
