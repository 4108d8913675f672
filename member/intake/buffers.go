package intake

import (
	"context"
	"sync"
	"time"
)

// There are bufferCount buffers for all links together, so memory is bounded whatever the number of
// links and the size of parts. A link that finds none writes what it reads itself, throughSize at a
// time. Where several pipes share the buffers, none holds more than bufferShare: the disk of one
// may take its time.
const (
	bufferSize  = 256 << 10
	bufferCount = 96
	bufferShare = 72
	throughSize = 16 << 10
	// bufferPatience is how long a link waits for a buffer while workers have some of its run: much
	// longer than they take to write it.
	bufferPatience = 50 * time.Millisecond
)

type buffer [bufferSize]byte

// Buffers are what links read into. They are made when they are needed. Several pipes may share
// them.
type Buffers struct {
	free chan *buffer
	mu   sync.Mutex
	made int
}

// NewBuffers returns buffers of which none is made yet.
func NewBuffers() *Buffers { return &Buffers{free: make(chan *buffer, bufferCount)} }

// get returns a buffer, or nil if all are in use.
func (b *Buffers) get() *buffer {
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

func (b *Buffers) inUse() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.made - len(b.free)
}

func (b *Buffers) put(p *buffer) { b.free <- p }

// await waits a little for a buffer that somebody gives back; nil: nobody did.
func (b *Buffers) await(ctx context.Context) *buffer {
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
