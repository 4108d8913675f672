package member_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"orchestra/member"
)

// copied is what came of a WriteContent.
type copied struct {
	n   int64
	err error
}

func writeContent(ctx context.Context, p *player, w io.Writer) <-chan copied {
	done := make(chan copied, 1)
	go func() {
		n, err := p.WriteContent(ctx, w)
		done <- copied{n, err}
	}()
	return done
}

func TestContentIsWrittenInOrder(t *testing.T) {
	for _, test := range []struct {
		name     string
		size     int
		partSize int64
	}{
		{"empty", 0, 16 << 10},
		{"one byte", 1, 16 << 10},
		{"small parts", 3<<20 + 1, 16 << 10},
		{"tiny parts", 3000, 1},
		{"parts of several runs", 21<<20 + 7, 4 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScore(t, test.size, test.partSize)
			first := s.join(member.Config{Dir: s.dir})
			p := s.join(member.Config{Dir: t.TempDir(), Peers: []string{first.Addr().String()}, Sequential: true})
			var got bytes.Buffer
			if c := <-writeContent(t.Context(), p, &got); c.err != nil || c.n != int64(test.size) {
				t.Errorf("wrote %d bytes: %v", c.n, c.err)
			}
			if !bytes.Equal(got.Bytes(), s.content) {
				t.Error("what was written differs from the content")
			}
			s.wantComplete(p)
			// What is there already is written from the start, as it is checked.
			got.Reset()
			if c := <-writeContent(t.Context(), first, &got); c.err != nil || !bytes.Equal(got.Bytes(), s.content) {
				t.Errorf("wrote %d bytes of what was there: %v", c.n, c.err)
			}
			for _, p := range []*player{p, first} {
				if err := p.end(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A reader that takes nothing holds nothing up but itself.
func TestSlowReaderWaitsAlone(t *testing.T) {
	s := newScore(t, 8<<20+1, 64<<10)
	first := s.join(member.Config{Dir: s.dir})
	p := s.join(member.Config{Dir: t.TempDir(), Peers: []string{first.Addr().String()}, Sequential: true})
	r, w := io.Pipe()
	done := writeContent(t.Context(), p, w)
	begin := make([]byte, 1000)
	if _, err := io.ReadFull(r, begin); err != nil {
		t.Fatal(err)
	}
	s.wantComplete(p)
	other := s.join(member.Config{Dir: t.TempDir(), Peers: []string{p.Addr().String()}})
	s.wantComplete(other)
	select {
	case c := <-done:
		t.Fatalf("wrote %d bytes that nobody has read: %v", c.n, c.err)
	default:
	}
	go func() {
		c := <-done
		if c.n != int64(len(s.content)) {
			c.err = errors.Join(c.err, io.ErrShortWrite)
		}
		w.CloseWithError(c.err)
	}()
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(begin, rest...), s.content) {
		t.Errorf("read %d bytes: %v", len(begin)+len(rest), err)
	}
	for _, p := range []*player{p, first, other} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

// Content comes as far as it is verified, and no further.
func TestReaderWaitsForWhatIsMissing(t *testing.T) {
	const bad, partSize = 7, 64 << 10
	s := newScore(t, 2<<20, partSize)
	dir := t.TempDir()
	content := bytes.Clone(s.content)
	content[bad*partSize+5]++
	path := filepath.Join(dir, s.file.Name)
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	sharer := s.join(member.Config{Dir: dir})
	getter := s.join(member.Config{Dir: t.TempDir(), Peers: []string{sharer.Addr().String()}, Sequential: true})

	var got bytes.Buffer
	c := <-writeContent(t.Context(), sharer, &got)
	if e, ok := errors.AsType[*member.BadPartError](c.err); !ok || e.Part != bad || e.Path != path {
		t.Errorf("of bad content: %v, want that part %d of %s is bad", c.err, bad, path)
	}
	if c.n != bad*partSize || !bytes.Equal(got.Bytes(), s.content[:bad*partSize]) {
		t.Errorf("wrote %d bytes, want the %d before the bad part", c.n, bad*partSize)
	}

	ctx, cancel := context.WithCancel(t.Context())
	for _, test := range []struct {
		name string
		ctx  context.Context
		stop func()
		want error
	}{
		{"its context ends", ctx, cancel, context.Canceled},
		{"the member ends", t.Context(), func() {
			if err := getter.end(); err != nil {
				t.Error(err)
			}
		}, member.ErrEnded},
	} {
		r, w := io.Pipe()
		done := writeContent(test.ctx, getter, w)
		begin := make([]byte, bad*partSize)
		if _, err := io.ReadFull(r, begin); err != nil || !bytes.Equal(begin, s.content[:len(begin)]) {
			t.Fatalf("%s: the parts before the missing one: %v", test.name, err)
		}
		test.stop()
		if c := <-done; c.n != bad*partSize || !errors.Is(c.err, test.want) {
			t.Errorf("%s: %d bytes, %v; want %d, %v", test.name, c.n, c.err, bad*partSize, test.want)
		}
	}
	if c := <-writeContent(t.Context(), getter, io.Discard); !errors.Is(c.err, member.ErrEnded) {
		t.Errorf("after the end: %v", c.err)
	}
	if err := sharer.end(); err != nil {
		t.Error(err)
	}
}

func TestWriterThatFails(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	p := s.join(member.Config{Dir: s.dir})
	r, w := io.Pipe()
	done := writeContent(t.Context(), p, w)
	if _, err := io.CopyN(io.Discard, r, 1000); err != nil {
		t.Fatal(err)
	}
	r.CloseWithError(io.ErrClosedPipe)
	c := <-done
	if e, ok := errors.AsType[*member.WriteError](c.err); !ok || e.At != 1000 || !errors.Is(e, io.ErrClosedPipe) {
		t.Errorf("got %v, want that the pipe was closed after 1000 bytes", c.err)
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}
