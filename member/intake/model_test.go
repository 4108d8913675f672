package intake

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"orchestra/compose"
	"orchestra/member/store"
	"orchestra/member/swarm"
	"orchestra/orch"
)

// composed returns the composition of content in parts of testPart.
func composed(t *testing.T, content []byte) *orch.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "content.bin")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := compose.Compose(t.Context(), compose.Config{Path: path, PartSize: testPart})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// openStore opens a store that has nothing yet.
func openStore(t *testing.T, f *orch.File, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(store.Config{File: f, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// laned is a disk that verifies as many parts together on every machine.
type laned struct {
	*store.Store
	together int
}

func (d laned) Together() int { return d.together }

// TestModel lets parts come in blocks of random order and length, by several links at once, some
// runs twice and some given up, at any pace. Each part that is whole is told to be good, and of
// none is more here than is on disk.
func TestModel(t *testing.T) {
	content := randomBytes(6*testPart - 1000)
	f, base := composed(t, content), t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(dir)
		d := laned{openStore(t, f, dir), rapid.SampledFrom([]int{1, 8}).Draw(r, "together")}
		defer d.Close()
		partLen := func(part int) int64 { return min(testPart, int64(len(content)-part*testPart)) }
		var mu sync.Mutex
		stored := map[uint32]bool{}
		p := New(Config{
			Disk: d, PartLen: partLen,
			Written: func(context.Context, int, swarm.Run) { t.Error("a run is no part") },
			Verified: func(_ context.Context, part uint32, good bool, err error) {
				mu.Lock()
				defer mu.Unlock()
				if stored[part] = good; !good {
					t.Errorf("part %d: %v", part, err)
				}
			},
			Unwritten: func(_ context.Context, _ int, _ swarm.Run, err error) { t.Error(err) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		var work, links sync.WaitGroup
		work.Go(func() { p.Work(ctx) })

		const parts = 6
		twice := map[uint32]bool{}
		streams := make([]uint32, 0, 2*parts)
		for part := range uint32(parts) {
			streams = append(streams, part)
			if twice[part] = rapid.Bool().Draw(r, "twice"); twice[part] {
				streams = append(streams, part)
			}
		}
		streams = rapid.Permutation(streams).Draw(r, "order")
		p.Lacks(rapid.SampledFrom([]int{1, 3, 100}).Draw(r, "missing"))
		p.Pace(rapid.SampledFrom([]int{0, 16 << 10, 100_000, bufferSize}).Draw(r, "hop"), 1e6)
		for _, part := range streams {
			length := int(partLen(int(part)))
			blocks := cut(r, length)
			var given int
			if twice[part] {
				given = rapid.IntRange(0, len(blocks)).Draw(r, "given up after")
				twice[part] = false // the other one is whole
			} else {
				given = len(blocks) + 1
			}
			links.Go(func() {
				s := p.Begin(0, swarm.Run{Part: part, Length: uint32(length)})
				for n, b := range blocks {
					if n == given {
						s.Abandon()
						s.Release()
						return
					}
					at := int(part)*testPart + b.from
					if err := s.Read(ctx, bytes.NewReader(content[at:at+b.n]), int64(b.from), b.n); err != nil {
						t.Error(err)
					}
				}
				if err := s.End(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		done := make(chan struct{})
		var look sync.WaitGroup
		look.Go(func() { watch(t, p, d.Store, content, done) })
		links.Wait()
		for part := range uint32(parts) { // all that came is written when it is verified
			wake := make(chan struct{}, 1)
			for p.Follow(part, wake); !d.Verified(part); {
				select {
				case <-wake:
				case <-time.After(time.Minute):
					r.Fatalf("part %d does not come to its end", part)
				}
			}
		}
		close(done)
		look.Wait()
		cancel()
		work.Wait()
		for len(p.streams) > 0 { // what came twice, and too late
			(<-p.streams).write(t.Context())
		}
		if len(stored) != parts {
			r.Errorf("%d parts were told of, want %d", len(stored), parts)
		}
		if n := p.InUse(); n != 0 {
			r.Errorf("%d buffers are in use", n)
		}
		got := make([]byte, len(content))
		if err := d.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
			r.Errorf("something else is on disk: %v", err)
		}
	})
}

// stretch is one of a part.
type stretch struct{ from, n int }

// cut cuts a part into blocks, in order or not.
func cut(r *rapid.T, length int) (blocks []stretch) {
	size := rapid.SampledFrom([]int{16 << 10, 100_000, bufferSize, testPart}).Draw(r, "block")
	for at := 0; at < length; at += size {
		blocks = append(blocks, stretch{at, min(size, length-at)})
	}
	if rapid.Bool().Draw(r, "out of order") {
		blocks = rapid.Permutation(blocks).Draw(r, "blocks")
	}
	return blocks
}

// watch looks at what is here of each part: it is on disk.
func watch(t *testing.T, p *Pipe, st *store.Store, content []byte, done chan struct{}) {
	buf := make([]byte, testPart)
	for {
		for at := 0; at < len(content); at += testPart {
			here := buf[:p.Here(uint32(at/testPart))]
			err := st.ReadAt(here, int64(at))
			if err != nil || !bytes.Equal(here, content[at:at+len(here)]) {
				t.Errorf("%d bytes of part %d are not on disk: %v", len(here), at/testPart, err)
				return
			}
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// What is here of a part that comes once only grows, by what is passed on at once.
func TestHereGrows(t *testing.T) {
	content := randomBytes(testPart)
	st := openStore(t, composed(t, content), t.TempDir())
	p, told := pipe(t, st)
	p.Pace(32<<10, 0)
	wake := make(chan struct{}, 1)
	p.Follow(0, wake)
	s := p.Begin(0, swarm.Run{Length: testPart})
	last := int64(0)
	for at := 0; at < testPart; at += 64 << 10 {
		b := content[at : at+64<<10]
		if err := s.Read(t.Context(), bytes.NewReader(b), int64(at), len(b)); err != nil {
			t.Fatal(err)
		}
		for last < int64(at+64<<10) {
			<-wake
			here := p.Here(0)
			if here < last || here > int64(at+64<<10) {
				t.Fatalf("%d bytes are here after %d, and %d came", here, last, at+64<<10)
			}
			last = here
		}
	}
	if err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-told; !got.good {
		t.Errorf("told %+v", got)
	}
}
