package intake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"orchestra/member/swarm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testPart = 1 << 20

// write is one that a disk was given.
type write struct {
	part  uint32
	begin int64
	n     int
}

// disk is one in memory, whose writes wait for gate if there is one, and fail with err.
type disk struct {
	gate chan struct{}
	err  error

	mu       sync.Mutex
	content  map[uint32][]byte
	writes   []write
	upto     map[uint32]int64
	verified map[uint32]bool
	bad      bool // no part is right
}

func newDisk() *disk {
	return &disk{content: map[uint32][]byte{}, upto: map[uint32]int64{}, verified: map[uint32]bool{}}
}

func (d *disk) Write(part uint32, begin int64, p []byte) error {
	if d.gate != nil {
		<-d.gate
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes = append(d.writes, write{part, begin, len(p)})
	if d.err != nil {
		return d.err
	}
	if d.content[part] == nil {
		d.content[part] = make([]byte, testPart)
	}
	copy(d.content[part][begin:], p)
	if d.upto[part] == begin {
		d.upto[part] += int64(len(p))
	}
	return nil
}

func (d *disk) WriteOnly(part uint32, begin int64, p []byte) error {
	return d.Write(part, begin, p)
}

func (d *disk) VerifyAll(parts []uint32, tell func(part uint32, good bool, err error)) {
	for _, part := range parts {
		d.mu.Lock()
		d.verified[part] = !d.bad
		d.mu.Unlock()
		tell(part, !d.bad, nil)
	}
}

func (d *disk) Upto(part uint32) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.upto[part]
}

func (d *disk) Verified(part uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.verified[part]
}

func (d *disk) Together() int { return 1 }

func (d *disk) wrote() []write {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.writes)
}

// report is what a pipe tells.
type report struct {
	part uint32
	run  swarm.Run
	good bool
	err  error
}

// pipe returns one that works until the test ends, and what it tells.
func pipe(t *testing.T, d Disk) (*Pipe, chan report) {
	t.Helper()
	told := make(chan report, 100)
	p := New(Config{
		Disk: d, PartLen: func(int) int64 { return testPart },
		Written: func(_ context.Context, _ int, run swarm.Run) { told <- report{run: run} },
		Verified: func(_ context.Context, part uint32, good bool, err error) {
			told <- report{part: part, good: good, err: err}
		},
		Unwritten: func(_ context.Context, _ int, run swarm.Run, err error) {
			told <- report{run: run, err: err}
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		p.Work(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return p, told
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

// packets are what comes of a piece, some KiB at a time.
type packets struct{ left []byte }

func (p *packets) Read(b []byte) (int, error) {
	n := copy(b[:min(len(b), 8<<10)], p.left)
	p.left = p.left[n:]
	return n, nil
}

// take has a stream read all of p, n bytes at a time.
func take(t *testing.T, s *Stream, p []byte, n int) {
	t.Helper()
	for at := 0; at < len(p); at += n {
		b := p[at:min(at+n, len(p))]
		if err := s.Read(t.Context(), bytes.NewReader(b), int64(at), len(b)); err != nil {
			t.Fatal(err)
		}
	}
}

// The chunks of a run are written in the order in which they came, whatever their sizes, and the
// part is verified when the last one is.
func TestOrder(t *testing.T) {
	content := randomBytes(testPart)
	for name, test := range map[string]struct{ hop, blocks, most int }{
		"pieces":              {0, 256 << 10, 256 << 10},
		"blocks":              {0, 16 << 10, 256 << 10},
		"passed on":           {32 << 10, 256 << 10, 40 << 10},
		"more than a buffer":  {0, testPart, 256 << 10},
		"of an odd length":    {20_000, 77_777, 32 << 10},
		"hops of many blocks": {64 << 10, 16 << 10, 64 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk()
			p, told := pipe(t, d)
			p.Pace(test.hop, 0)
			s := p.Begin(3, swarm.Run{Part: 5, Length: testPart})
			for at := 0; at < testPart; at += test.blocks {
				b := content[at:min(at+test.blocks, testPart)]
				if err := s.Read(t.Context(), &packets{b}, int64(at), len(b)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.End(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := <-told; got != (report{part: 5, good: true}) {
				t.Errorf("told %+v", got)
			}
			at := int64(0)
			for _, w := range d.wrote() {
				if w.begin != at || w.n > test.most {
					t.Errorf("%d bytes are written at %d, after %d", w.n, w.begin, at)
				}
				at = w.begin + int64(w.n)
			}
			if !bytes.Equal(d.content[5], content) {
				t.Error("something else is on disk")
			}
			if n := p.InUse(); n != 0 {
				t.Errorf("%d buffers are in use", n)
			}
		})
	}
}

// A run that is not all of its part is told, and its part verified when that is asked for.
func TestRunsOfAPart(t *testing.T) {
	d := newDisk()
	p, told := pipe(t, d)
	content := randomBytes(testPart / 2)
	run := swarm.Run{Part: 1, Begin: testPart / 2, Length: testPart / 2}
	s := p.Begin(0, run)
	take(t, s, content, 100_000)
	if err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-told; got != (report{run: run}) {
		t.Errorf("told %+v", got)
	}
	d.bad = true
	p.Verify(t.Context(), 1)
	if got := <-told; got != (report{part: 1}) {
		t.Errorf("told %+v", got)
	}
}

// Blocks that do not follow each other do not share a buffer.
func TestBlocksOutOfOrder(t *testing.T) {
	content := randomBytes(testPart)
	d := newDisk()
	p, told := pipe(t, d)
	s := p.Begin(0, swarm.Run{Length: testPart})
	const block = 16 << 10
	for _, n := range rand.New(rand.NewPCG(1, 2)).Perm(testPart / block) {
		b := content[n*block:][:block]
		if err := s.Read(t.Context(), bytes.NewReader(b), int64(n*block), block); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-told; !got.good || !bytes.Equal(d.content[0], content) {
		t.Errorf("told %+v, or something else is on disk", got)
	}
}

// While every buffer is in use, what waits for one is written by who reads it, if workers have
// nothing of its run. Memory is bounded.
func TestAllBuffersInUse(t *testing.T) {
	d := newDisk()
	p, told := pipe(t, d)
	var taken []*buffer
	for b := p.take(); b != nil; b = p.take() {
		taken = append(taken, b)
	}
	if len(taken) != bufferCount || p.InUse() != bufferCount {
		t.Fatalf("%d buffers were made, %d are in use", len(taken), p.InUse())
	}
	content := randomBytes(testPart)
	s := p.Begin(0, swarm.Run{Length: testPart})
	take(t, s, content[:testPart/2], 100_000)
	if n := int64(testPart / 2); p.Here(0) != n {
		t.Errorf("%d bytes are here of %d that were read", p.Here(0), n)
	}
	for _, w := range d.wrote() {
		if w.n > throughSize {
			t.Errorf("%d bytes were written at once", w.n)
		}
	}
	for _, b := range taken {
		p.giveBack(b)
	}
	rest := bytes.NewReader(content[testPart/2:])
	if err := s.Read(t.Context(), rest, testPart/2, testPart/2); err != nil {
		t.Fatal(err)
	}
	if err := s.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-told; !got.good || !bytes.Equal(d.content[0], content) {
		t.Errorf("told %+v, or something else is on disk", got)
	}
}

// A run of which workers have some waits for a buffer, so that it stays in order; not for ever.
func TestWaitsForABuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		d.gate = make(chan struct{})
		p, _ := pipe(t, d)
		s := p.Begin(0, swarm.Run{Length: testPart})
		take(t, s, make([]byte, bufferSize), bufferSize) // a worker has it, and waits for the disk
		for p.take() != nil {
		}
		begun := time.Now()
		done := make(chan error, 1)
		go func() { done <- s.Read(t.Context(), bytes.NewReader(make([]byte, 10)), bufferSize, 10) }()
		synctest.Wait()
		time.Sleep(bufferPatience)
		d.gate <- struct{}{}
		d.gate <- struct{}{}
		if err := <-done; err != nil || time.Since(begun) != bufferPatience {
			t.Errorf("it waited for %v: %v", time.Since(begun), err)
		}
	})
}

// A run that was taken back gives its buffers back, what workers had of it is not written any more,
// and nothing is told.
func TestAbandon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		d.gate = make(chan struct{})
		p, told := pipe(t, d)
		s := p.Begin(0, swarm.Run{Length: testPart})
		take(t, s, make([]byte, bufferSize), bufferSize)
		synctest.Wait() // a worker writes the first chunk, and the next ones wait
		take(t, s, make([]byte, bufferSize), bufferSize)
		if err := s.Read(t.Context(), bytes.NewReader(make([]byte, 100)), 3*bufferSize, 100); err != nil {
			t.Fatal(err)
		}
		s.Abandon()
		s.Release()
		close(d.gate)
		if err := s.End(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := p.InUse(); n != 0 {
			t.Errorf("%d buffers are in use", n)
		}
		if n := len(d.wrote()); n != 1 || len(told) != 0 {
			t.Errorf("%d chunks were written, %d reports", n, len(told))
		}
	})
}

// What comes of a run after it was taken back is not written, also while no buffer is to be had.
func TestAbandonedRunIsNotWrittenThrough(t *testing.T) {
	d := newDisk()
	p, told := pipe(t, d)
	for p.take() != nil { // others have all buffers
	}
	s := p.Begin(0, swarm.Run{Length: testPart})
	take(t, s, make([]byte, 100), 100)
	if n := len(d.wrote()); n != 1 {
		t.Fatalf("%d stretches were written through, want 1", n)
	}
	s.Abandon()
	if err := s.Read(t.Context(), bytes.NewReader(make([]byte, 100)), 100, 100); err != nil {
		t.Fatal(err)
	}
	if n := len(d.wrote()); n != 1 || len(told) != 0 {
		t.Errorf("%d stretches were written, %d reports", n, len(told))
	}
}

// A link that ends in the middle of a chunk keeps nothing.
func TestReadFails(t *testing.T) {
	d := newDisk()
	p, _ := pipe(t, d)
	s := p.Begin(0, swarm.Run{Length: testPart})
	why := errors.New("the link ended")
	r := io.MultiReader(bytes.NewReader(make([]byte, 1000)), iotest.ErrReader(why))
	if err := s.Read(t.Context(), r, 0, bufferSize); !errors.Is(err, why) {
		t.Error(err)
	}
	s.Release()
	if n := p.InUse(); n != 0 {
		t.Errorf("%d buffers are in use", n)
	}
}

// That the disk does not take a run is told once for it, nothing more of it is written, and others
// are tried.
func TestDiskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		d.err = errors.New("no space left")
		p, told := pipe(t, d)
		for part := range uint32(20) {
			s := p.Begin(0, swarm.Run{Part: part, Length: testPart})
			take(t, s, make([]byte, testPart), bufferSize)
			if err := s.End(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		failed := map[uint32]bool{}
		for len(told) > 0 {
			got := <-told
			if !errors.Is(got.err, d.err) || failed[got.run.Part] {
				t.Errorf("told %+v", got)
			}
			failed[got.run.Part] = true
		}
		if len(failed) != 20 || len(d.wrote()) != 20 || p.InUse() != 0 {
			t.Errorf("%d runs failed after %d writes, %d buffers in use", len(failed), len(d.wrote()), p.InUse())
		}
	})
}

// Nobody who reads waits for a slow disk beyond the buffers there are, and who must not wait does
// not: what is here can be asked for, and followed, while all workers wait.
func TestSlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := randomBytes(4 * testPart)
		dir := t.TempDir()
		st := openStore(t, composed(t, content), dir)
		d := &slow{Disk: st, gate: make(chan struct{})}
		p, told := pipe(t, d)
		for part := range uint32(4) {
			s := p.Begin(0, swarm.Run{Part: part, Length: testPart})
			take(t, s, content[part*testPart:][:testPart], bufferSize)
			if err := s.End(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		wake := make(chan struct{}, 1)
		p.Follow(0, wake)
		if n := p.Here(0); n != 0 || len(wake) != 0 {
			t.Errorf("%d bytes are here", n)
		}
		close(d.gate)
		for range 4 {
			if got := <-told; !got.good {
				t.Errorf("told %+v", got)
			}
		}
		if len(wake) != 1 || p.Here(0) != testPart {
			t.Errorf("woken %d times, %d bytes are here", len(wake), p.Here(0))
		}
	})
}

// slow is a disk that holds up what is written.
type slow struct {
	Disk
	gate chan struct{}
}

func (d *slow) Write(part uint32, begin int64, p []byte) error {
	<-d.gate
	return d.Disk.Write(part, begin, p)
}

// Who follows a part is woken for each chunk of it and for its end, and not for others.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		p, told := pipe(t, d)
		p.Pace(64<<10, 0)
		one, two := make(chan struct{}, 1), make(chan struct{}, 1)
		p.Follow(0, one)
		p.Follow(0, one)
		p.Follow(0, two)
		woken := func(when string, want ...int) {
			t.Helper()
			synctest.Wait()
			got := []int{len(one), len(two)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
			for _, c := range []chan struct{}{one, two} {
				select {
				case <-c:
				default:
				}
			}
		}
		woken("before", 0, 0)
		s := p.Begin(0, swarm.Run{Length: testPart})
		other := p.Begin(0, swarm.Run{Part: 1, Length: testPart})
		take(t, s, make([]byte, 64<<10), 64<<10)
		woken("a chunk", 1, 1)
		take(t, other, make([]byte, testPart), 64<<10)
		woken("of another part", 0, 0)
		p.Follow(1, two)
		if err := other.End(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-told
		woken("the end of another", 0, 1)
		p.Follow(1, two)
		woken("it ended before", 0, 1)
		p.Verify(t.Context(), 0)
		<-told
		woken("the end", 1, 1)
		if len(p.followers.part) != 0 || p.followers.any.Load() {
			t.Errorf("they are still followed: %v", p.followers.part)
		}
	})
}

// A part that does not verify is followed on: it comes again.
func TestFollowABadPart(t *testing.T) {
	d := newDisk()
	d.bad = true
	p, told := pipe(t, d)
	wake := make(chan struct{}, 1)
	p.Follow(0, wake)
	p.Verify(t.Context(), 0)
	<-told
	if len(p.followers.part[0]) != 1 {
		t.Error("nobody hears when it comes again")
	}
}

// Workers end with the context, whatever waits, and who reads ends with its own.
func TestShutdown(t *testing.T) {
	d := newDisk()
	p := New(Config{Disk: d, PartLen: func(int) int64 { return testPart }})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		p.Work(ctx)
		close(ended)
	}()
	cancel()
	<-ended
	for range cap(p.streams) {
		if err := p.Begin(0, swarm.Run{Length: testPart}).End(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Begin(0, swarm.Run{Length: testPart}).End(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("who hands something to no worker is told %v", err)
	}
}
