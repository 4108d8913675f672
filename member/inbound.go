package member

import (
	"context"
	"io"
	"runtime"
	"sync"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Content on its way to the disk. There are bufferCount buffers for all links together, so memory
// is bounded whatever the number of links and the size of parts; a link that finds none writes what
// it reads itself, in small pieces.
const (
	bufferSize  = proto.MaxPiece
	bufferCount = 96
)

var workers = runtime.GOMAXPROCS(0)

type buffers struct {
	free chan *[bufferSize]byte
	mu   sync.Mutex
	made int
}

func newBuffers() *buffers { return &buffers{free: make(chan *[bufferSize]byte, bufferCount)} }

// get returns a buffer, or nil if all are in use.
func (b *buffers) get() *[bufferSize]byte {
	select {
	case p := <-b.free:
		return p
	default:
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.made == bufferCount {
		return nil
	}
	b.made++
	return new([bufferSize]byte)
}

func (b *buffers) put(p *[bufferSize]byte) { b.free <- p }

// await waits a little for a buffer that somebody gives back; nil: nobody did.
func (b *buffers) await(ctx context.Context) *[bufferSize]byte {
	patience := time.NewTimer(bufferPatience)
	defer patience.Stop()
	select {
	case p := <-b.free:
		return p
	case <-patience.C:
	case <-ctx.Done():
	}
	return nil
}

// bufferPatience is how long a link waits for a buffer while workers have some of its run: much
// longer than they take to write it.
const bufferPatience = 50 * time.Millisecond

// inbound is a run on its way from a link to the disk. Its chunks are written and hashed in the
// order they came, by one worker at a time, while more come in.
type inbound struct {
	m    *Member
	peer int
	run  swarm.Run

	// The chunk being filled; the link's reader alone touches it.
	buf  *[bufferSize]byte
	from int64 // where it begins in the run
	n    int

	mu     sync.Mutex
	chunks []chunk
	busy   bool // a worker has it, or it waits for one
	whole  bool // no chunk follows
	gone   bool // taken back
}

type chunk struct {
	buf  *[bufferSize]byte
	from int64
	n    int
}

func (m *Member) inbound(peer int, run swarm.Run) *inbound {
	return &inbound{m: m, peer: peer, run: run}
}

// read takes n bytes in that belong at an offset of the run. Blocks that follow each other share a
// buffer, unless what comes is passed on.
func (in *inbound) read(ctx context.Context, r io.Reader, at int64, n int) error {
	for n > 0 {
		if in.buf != nil && (in.from+int64(in.n) != at || in.n+n > bufferSize) {
			if err := in.flush(ctx); err != nil {
				return err
			}
		}
		if in.buf == nil {
			if in.buf = in.buffer(ctx); in.buf == nil {
				return in.readThrough(ctx, r, at, n)
			}
			in.from, in.n = at, 0
		}
		hop := in.m.step()
		least := hop
		if n < hop+hop/2 {
			least = n // a little rest is not passed on by itself
		}
		k, err := io.ReadAtLeast(r, in.buf[in.n:in.n+n], least)
		if err != nil {
			return err
		}
		in.n, at, n = in.n+k, at+int64(k), n-k
		if in.n >= hop && (n == 0 || n >= hop/2) {
			if err := in.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// buffer gets a buffer. While workers have some of the run, it waits for one: what it wrote itself
// then would be out of order, and be read back to be hashed.
func (in *inbound) buffer(ctx context.Context) *[bufferSize]byte {
	if p := in.m.buffers.get(); p != nil {
		return p
	}
	in.mu.Lock()
	busy := in.busy
	in.mu.Unlock()
	if !busy {
		return nil
	}
	return in.m.buffers.await(ctx)
}

// step is how many bytes are taken in at once.
func (m *Member) step() int {
	if m.inChain() {
		return int(m.hop.Load())
	}
	return bufferSize
}

// inChain tells whether parts are passed on as they come.
func (m *Member) inChain() bool { return m.hop.Load() > 0 && !m.unchained.Load() }

// flush hands the buffer to the workers.
func (in *inbound) flush(ctx context.Context) error {
	if in.buf == nil {
		return nil
	}
	c := chunk{in.buf, in.from, in.n}
	in.buf = nil
	return in.submit(ctx, func() { in.chunks = append(in.chunks, c) })
}

// end tells the workers that the run is whole.
func (in *inbound) end(ctx context.Context) error {
	if err := in.flush(ctx); err != nil {
		return err
	}
	return in.submit(ctx, func() { in.whole = true })
}

func (in *inbound) submit(ctx context.Context, change func()) error {
	in.mu.Lock()
	change()
	busy := in.busy
	in.busy = true
	in.mu.Unlock()
	if busy {
		return nil
	}
	select {
	case in.m.writes <- in:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// release gives the buffer back that is being filled.
func (in *inbound) release() {
	if in.buf != nil {
		in.m.buffers.put(in.buf)
		in.buf = nil
	}
}

// abandon lets what comes of a run that was taken back go nowhere.
func (in *inbound) abandon() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.gone = true
}

// readThrough writes while every buffer is in use, so that a link does not wait for others.
func (in *inbound) readThrough(ctx context.Context, r io.Reader, at int64, n int) error {
	var block [proto.Block]byte
	for n > 0 {
		p := block[:min(n, len(block))]
		if _, err := io.ReadFull(r, p); err != nil {
			return err
		}
		if err := in.m.store.Write(in.run.Part, int64(in.run.Begin)+at, p); err != nil {
			in.m.tell(ctx, broken{err})
			return err
		}
		in.m.cameOn()
		at += int64(len(p))
		n -= len(p)
	}
	return nil
}

// cameOn lets what came be passed on.
func (m *Member) cameOn() {
	if l := m.relay.Load(); l != nil {
		l.rouse()
	}
}

// writeLoop is one worker.
func (m *Member) writeLoop(ctx context.Context) {
	for {
		select {
		case in := <-m.writes:
			in.write(ctx)
		case <-m.verifier.due.C:
			m.verify(ctx, m.verifier.overdue())
		case <-ctx.Done():
			return
		}
	}
}

// write writes what there is of a run, and closes it when it is whole.
func (in *inbound) write(ctx context.Context) {
	for {
		in.mu.Lock()
		chunks, whole, gone := in.chunks, in.whole, in.gone
		in.chunks = nil
		if len(chunks) == 0 {
			in.busy = false
			in.mu.Unlock()
			if whole && !gone {
				in.close(ctx)
			}
			return
		}
		in.mu.Unlock()
		for _, c := range chunks {
			var err error
			if !gone {
				err = in.store(c)
			}
			in.m.buffers.put(c.buf)
			in.m.cameOn()
			if err != nil {
				in.m.tell(ctx, broken{err})
				return
			}
		}
	}
}

// store writes a chunk, and hashes it if it is not better hashed with others.
func (in *inbound) store(c chunk) error {
	write := in.m.store.Write
	if in.m.verifier.fast.Load() {
		write = in.m.store.WriteOnly
	}
	return write(in.run.Part, int64(in.run.Begin)+c.from, c.buf[:c.n])
}

// close reports a run that is written; if it is the whole part, it is verified.
func (in *inbound) close(ctx context.Context) {
	if int64(in.run.Length) == in.m.comp.PartLen(int(in.run.Part)) {
		in.m.written(ctx, in.run.Part)
		return
	}
	in.m.tell(ctx, swarm.Written{Peer: in.peer, Run: in.run})
}
