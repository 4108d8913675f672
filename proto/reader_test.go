package proto

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// pattern returns n bytes in which a shift shows.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}

func withContent(b []byte, m Piece, content []byte) []byte {
	return append(Append(b, m), content...)
}

func TestReaderStreamsContent(t *testing.T) {
	content := pattern(MaxPiece)
	var stream []byte
	stream = withContent(stream, Piece{3, 0, len(content)}, content)
	stream = Append(stream, Have{7})
	stream = withContent(stream, Piece{4, 9, 5}, content[:5])
	for _, bufSize := range []int{0, 100, 4096, 1 << 20} {
		for name, in := range map[string]io.Reader{
			"at once":      bytes.NewReader(stream),
			"byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
			"half by half": iotest.HalfReader(bytes.NewReader(stream)),
		} {
			r := NewReader(in, MaxFrame(10), bufSize)
			wantNext(t, r, Piece{3, 0, len(content)})
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%s, buffer %d: %d bytes of content, error %v, or they differ", name, bufSize, len(got), err)
			}
			wantNext(t, r, Have{7})
			if n, err := r.Read(make([]byte, 10)); n != 0 || err != io.EOF {
				t.Errorf("Read after a Have: %d, %v", n, err)
			}
			wantNext(t, r, Piece{4, 9, 5})
			p := make([]byte, 3)
			if _, err := io.ReadFull(r, p); err != nil || !bytes.Equal(p, content[:3]) {
				t.Errorf("%s: the first bytes of a piece: % x, %v", name, p, err)
			}
			if _, err := r.Next(); err != io.EOF {
				t.Errorf("%s: after the rest of the content: %v, expected io.EOF", name, err)
			}
		}
	}
}

func wantNext(t *testing.T, r *Reader, want Message) {
	t.Helper()
	got, err := r.Next()
	if err != nil {
		t.Fatalf("expected %#v, found %v", want, err)
	}
	if got != want {
		t.Fatalf("read %#v, expected %#v", got, want)
	}
}

func TestReaderDiscardsContent(t *testing.T) {
	const most = 200
	var stream []byte
	for n := range most {
		stream = withContent(stream, Piece{uint32(n), 0, n}, pattern(n))
		stream = append(stream, 0, 0, 0, byte(n+1), 200) // an unknown message
		stream = append(stream, pattern(n)...)
	}
	r := NewReader(bytes.NewReader(stream), MaxFrame(10), 0)
	for n := range most {
		wantNext(t, r, Piece{uint32(n), 0, n})
		if n%3 == 1 {
			if _, err := io.CopyN(io.Discard, r, int64(n/2)); err != nil {
				t.Fatal(err)
			}
		}
		wantNext(t, r, Unknown{200})
	}
}

func TestReaderContentCutShort(t *testing.T) {
	stream := withContent(nil, Piece{0, 0, 100}, pattern(60))
	for _, in := range []io.Reader{bytes.NewReader(stream), iotest.DataErrReader(bytes.NewReader(stream))} {
		r := NewReader(in, 1000, 0)
		wantNext(t, r, Piece{0, 0, 100})
		got, err := io.ReadAll(r)
		if len(got) != 60 || err != io.ErrUnexpectedEOF {
			t.Errorf("%d bytes and %v, expected 60 and io.ErrUnexpectedEOF", len(got), err)
		}
		if _, err := r.Next(); err != io.ErrUnexpectedEOF {
			t.Errorf("then %v, expected io.ErrUnexpectedEOF", err)
		}
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	for cut := range len(peerStream(t)) {
		r := NewReader(io.MultiReader(bytes.NewReader(peerStream(t)[:cut]), iotest.ErrReader(broken)), 100, 0)
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if err != broken {
			t.Fatalf("cut at byte %d: %v, expected %v", cut, err, broken)
		}
	}
}

// counted counts reads and remembers the largest.
type counted struct {
	r       io.Reader
	reads   int
	largest int
}

func (c *counted) Read(p []byte) (int, error) {
	c.reads++
	c.largest = max(c.largest, len(p))
	return c.r.Read(p)
}

func TestReaderLargeReadsGoStraight(t *testing.T) {
	const bufSize = 4096
	content := pattern(MaxPiece)
	in := &counted{r: bytes.NewReader(withContent(nil, Piece{0, 0, MaxPiece}, content))}
	r := NewReader(in, MaxFrame(1), bufSize)
	wantNext(t, r, Piece{0, 0, MaxPiece})
	got := make([]byte, MaxPiece)
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("content differs, or %v", err)
	}
	if want := MaxPiece - (bufSize - lengthSize - pieceHeader); in.reads != 2 || in.largest != want {
		t.Errorf("%d reads of up to %d bytes, expected 2 of up to %d", in.reads, in.largest, want)
	}
}

func TestReaderReadyAndBuffered(t *testing.T) {
	stream := peerStream(t)
	// With all but the last byte of a stream held, Ready says of each message
	// whether Next needs the connection.
	for cut := 1; cut <= len(stream); cut++ {
		in := &counted{r: bytes.NewReader(stream[:cut])}
		r := NewReader(in, 100, 4096)
		if _, err := r.Next(); err != nil {
			continue
		}
		for {
			ready, buffered, reads := r.Ready(), r.Buffered(), in.reads
			_, err := r.Next()
			if asked := in.reads != reads; ready == asked {
				t.Fatalf("cut at byte %d: ready %t with %d bytes held, but Next read from the connection: %t (%v)", cut, ready, buffered, asked, err)
			}
			if err != nil {
				break
			}
		}
	}
	in := bytes.NewReader(withContent(nil, Piece{0, 0, 10}, pattern(10)))
	r := NewReader(in, 100, 4096)
	wantNext(t, r, Piece{0, 0, 10})
	if got := r.Buffered(); got != 0 {
		t.Errorf("%d bytes for Next within the content, expected 0", got)
	}
	bad := NewReader(bytes.NewReader(unhex(t, "00000000 7fffffff")), 100, 64)
	wantNext(t, bad, KeepAlive{})
	if !bad.Ready() || bad.Buffered() != 4 {
		t.Errorf("ready %t with %d bytes of a frame that is too long", bad.Ready(), bad.Buffered())
	}
	if _, err := bad.Next(); !errors.Is(err, ErrMalformed) || !bad.Ready() {
		t.Errorf("then %v, ready %t", err, bad.Ready())
	}
}
