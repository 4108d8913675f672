package secure

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	mrand "math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
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
	sizes := []int{
		1, 100, contentMost - 1, contentMost, contentMost + 1, 40_000, 3 * together * contentMost,
	}
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
	add := func(s *sealer, kind byte, content string) {
		s.wire = s.seal(s.wire, kind, []byte(content))
	}
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
		{"a key update of another kind", func(s *sealer) {
			add(s, kindHandshake, keyUpdate+"\x02")
		}, errKind, ""},
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
				if in.borrowed != nil && test.want != io.ErrUnexpectedEOF {
					t.Errorf("%d at a time: it goes on to hold %d bytes", room, len(in.buf))
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

// A time that is up costs nothing that came.
func TestReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	})
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
				}
				c.CloseWrite()
				c.Close()
			})
		}
	}
	work.Wait()
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
					// A kind of 0 is padding: what is before it counts.
					inner := bytes.TrimRight(append(content, rest[0]), "\x00")
					if last := len(inner) - 1; last >= 0 && inner[last] == kindContent {
						want = append(want, inner[:last]...)
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
			if in.borrowed != nil && in.start == in.end {
				t.Error("it holds a buffer with nothing in it")
			}
		}
	})
}
