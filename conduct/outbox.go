package conduct

import "sync"

// maxQueued is how many bytes may wait for one connection: far more than a
// member is told in the time that a write may take. One for many compositions
// may have more.
const maxQueued = 256 << 10

// An outbox holds what is to be written to one connection. The loop puts in
// without ever waiting, the connection's writer takes out; the lock is held
// for a copy at most.
type outbox struct {
	wake chan struct{} // one place: something changed

	mu       sync.Mutex
	buf      []byte
	more     int // bytes that may wait beyond maxQueued
	finished bool
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// put queues a frame. It reports false if the reader of the other end is too
// slow for what it is told; the connection is to be cut then.
func (o *outbox) put(frame []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		return true
	}
	if len(o.buf)+len(frame) > maxQueued+o.more {
		return false
	}
	o.buf = append(o.buf, frame...)
	o.signal()
	return true
}

// allow sets how many bytes may wait beyond maxQueued.
func (o *outbox) allow(more int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.more = more
}

// finish lets the writer end once it has written what was put in before.
func (o *outbox) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take waits for something to write and returns it; spare is a buffer that the
// outbox may fill next. more is false when nothing follows what it returned.
func (o *outbox) take(spare []byte) (buf []byte, more bool) {
	for {
		o.mu.Lock()
		buf, finished := o.buf, o.finished
		if len(buf) > 0 || finished {
			o.buf = spare[:0]
			o.mu.Unlock()
			return buf, !finished
		}
		o.mu.Unlock()
		<-o.wake
	}
}
