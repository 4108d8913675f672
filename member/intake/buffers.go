package intake

import (
	"context"
	"sync"
	"time"
)

// There are bufferCount buffers for all links together, so memory is bounded whatever the number of
// links and the size of parts. A link that finds none writes what it reads itself, throughSize at a
// time.
const (
	bufferSize  = 256 << 10
	bufferCount = 96
	throughSize = 16 << 10
	// bufferPatience is how long a link waits for a buffer while workers have some of its run: much
	// longer than they take to write it.
	bufferPatience = 50 * time.Millisecond
)

type buffer [bufferSize]byte

// buffers are made when they are needed.
type buffers struct {
	free chan *buffer
	mu   sync.Mutex
	made int
}

func newBuffers() buffers { return buffers{free: make(chan *buffer, bufferCount)} }

// get returns a buffer, or nil if all are in use.
func (b *buffers) get() *buffer {
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
	return new(buffer)
}

func (b *buffers) inUse() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.made - len(b.free)
}

func (b *buffers) put(p *buffer) { b.free <- p }

// await waits a little for a buffer that somebody gives back; nil: nobody did.
func (b *buffers) await(ctx context.Context) *buffer {
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
