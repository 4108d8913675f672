package intake

import (
	"context"
	"io"
	"sync"

	"orchestra/member/swarm"
)

// Stream is a run on its way from a link to the disk. Its chunks are written and hashed in the
// order in which they came, by one worker at a time, while more come in. One goroutine reads it.
type Stream struct {
	pipe *Pipe
	peer int
	run  swarm.Run

	chunk // being filled

	mu     sync.Mutex
	chunks []chunk
	busy   bool // a worker has it, or it waits for one
	whole  bool // no chunk follows
	gone   bool // abandoned, or not written
}

// chunk is a stretch of a run.
type chunk struct {
	buf  *buffer // nil: none
	from int64   // where it begins in the run
	n    int
}

// Begin returns the way in for a run that a peer is asked for. The peer's number is only told
// again.
func (p *Pipe) Begin(peer int, run swarm.Run) *Stream {
	return &Stream{pipe: p, peer: peer, run: run}
}

// Read takes n bytes in that belong at an offset of the run. Blocks that follow each other share a
// buffer, unless what comes is passed on.
func (s *Stream) Read(ctx context.Context, r io.Reader, at int64, n int) error {
	for n > 0 {
		want := min(n, bufferSize)
		if s.buf != nil && (s.from+int64(s.n) != at || s.n+want > bufferSize) {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
		if s.buf == nil {
			if s.buf = s.buffer(ctx); s.buf == nil {
				return s.readThrough(ctx, r, at, n)
			}
			s.from, s.n = at, 0
		}
		hop := s.pipe.Step()
		least := min(hop, want)
		if want < hop+hop/2 {
			least = want // a little rest is not passed on by itself
		}
		k, err := io.ReadAtLeast(r, s.buf[s.n:s.n+want], least)
		if err != nil {
			return err
		}
		s.n, at, n = s.n+k, at+int64(k), n-k
		if s.n >= hop && (n == 0 || n >= hop/2) {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// buffer gets a buffer. While workers have some of the run, it waits for one: what it wrote itself
// then would be out of order, and be read back to be hashed.
func (s *Stream) buffer(ctx context.Context) *buffer {
	if b := s.pipe.take(); b != nil {
		return b
	}
	s.mu.Lock()
	busy := s.busy
	s.mu.Unlock()
	if !busy {
		return nil
	}
	return s.pipe.await(ctx)
}

// flush hands the buffer to the workers.
func (s *Stream) flush(ctx context.Context) error {
	if s.buf == nil {
		return nil
	}
	c := s.chunk
	s.buf = nil
	return s.submit(ctx, func() { s.chunks = append(s.chunks, c) })
}

// End hands the rest to the workers: the run is whole.
func (s *Stream) End(ctx context.Context) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	return s.submit(ctx, func() { s.whole = true })
}

func (s *Stream) submit(ctx context.Context, change func()) error {
	s.mu.Lock()
	change()
	busy := s.busy
	s.busy = true
	s.mu.Unlock()
	if busy {
		return nil
	}
	select {
	case s.pipe.streams <- s:
		s.pipe.crew.call()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release gives the buffer back that is being filled. It must not be called while Read is.
func (s *Stream) Release() {
	if s.buf != nil {
		s.pipe.giveBack(s.buf)
		s.buf = nil
	}
}

// Abandon lets all that still comes of the run go nowhere: it was taken back, and what is written
// now is of whoever is asked for it next. It may be called while Read is.
func (s *Stream) Abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
}

func (s *Stream) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// readThrough writes while every buffer is in use, so that a link does not wait for others.
func (s *Stream) readThrough(ctx context.Context, r io.Reader, at int64, n int) error {
	var block [throughSize]byte
	for n > 0 {
		p := block[:min(n, len(block))]
		if _, err := io.ReadFull(r, p); err != nil {
			return err
		}
		s.store(ctx, at, p)
		at += int64(len(p))
		n -= len(p)
	}
	return nil
}

// write is what a worker does: it writes what there is of the run, and closes it when it is whole.
func (s *Stream) write(ctx context.Context) {
	for {
		chunks, whole, gone := s.take()
		if len(chunks) == 0 {
			if whole && !gone {
				s.close(ctx)
			}
			return
		}
		for _, c := range chunks {
			if !gone {
				gone = !s.store(ctx, c.from, c.buf[:c.n])
			}
			s.pipe.giveBack(c.buf)
		}
	}
}

// take gives a worker what waits for it. If that is nothing, the stream is no longer busy.
func (s *Stream) take() (chunks []chunk, whole, gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	chunks, s.chunks = s.chunks, nil
	s.busy = len(chunks) > 0
	return chunks, s.whole, s.gone
}

// store writes a stretch of the run, hashes it if it is not better hashed with other parts, and
// wakes who waits for it. Of a run that was taken back it writes nothing. It reports whether the
// disk took it.
func (s *Stream) store(ctx context.Context, at int64, p []byte) bool {
	if s.isGone() {
		return false
	}
	write := s.pipe.cfg.Disk.Write
	if s.pipe.gathering.fast.Load() {
		write = s.pipe.cfg.Disk.WriteOnly
	}
	if err := write(s.run.Part, int64(s.run.Begin)+at, p); err != nil {
		s.fails(ctx, err)
		return false
	}
	s.pipe.followers.wake(s.run.Part)
	return true
}

// fails lets the rest of the run go nowhere, and tells why.
func (s *Stream) fails(ctx context.Context, err error) {
	s.mu.Lock()
	told := s.gone
	s.gone = true
	s.mu.Unlock()
	if !told {
		s.pipe.cfg.Unwritten(ctx, s.peer, s.run, err)
	}
}

// close reports a run that is written; if it is the whole part, it is verified.
func (s *Stream) close(ctx context.Context) {
	if int64(s.run.Length) == s.pipe.cfg.PartLen(int(s.run.Part)) {
		s.pipe.Verify(ctx, s.run.Part)
		return
	}
	s.pipe.cfg.Written(ctx, s.peer, s.run)
}
