package secure

import (
	"net"
	"sync"
)

// A wire is what TLS writes its records to, which are of 16 KiB at most, one call of the system
// each. Those of one Write of a [Conn] go out together.
type wire struct {
	net.Conn

	mu      sync.Mutex // an answer of TLS to what it reads may come between
	holding bool
	held    *[]byte // records that wait; nil: none
	err     error   // of a write: what would follow is not what the far end waits for
}

// wireMost is how many bytes wait at most: the records of 128 KiB, with their headers and codes.
const wireMost = 132 << 10

var wires = sync.Pool{New: func() any {
	b := make([]byte, 0, wireMost)
	return &b
}}

// Write writes at once, or keeps what is written until there is enough of it while that is held.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held != nil && len(*w.held)+len(p) > wireMost {
		w.flush()
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case !w.holding || len(p) > wireMost:
		return w.write(p)
	case w.held == nil:
		w.held = wires.Get().(*[]byte)
	}
	*w.held = append(*w.held, p...)
	return len(p), nil
}

// hold lets what is written wait for release.
func (w *wire) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holding = true
}

// release writes what waits, and returns the error of any write.
func (w *wire) release() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holding = false
	w.flush()
	return w.err
}

// flush is called with mu held.
func (w *wire) flush() {
	if w.held == nil {
		return
	}
	_, _ = w.write(*w.held)
	*w.held = (*w.held)[:0]
	wires.Put(w.held)
	w.held = nil
}

// write is called with mu held.
func (w *wire) write(p []byte) (n int, err error) {
	n, w.err = w.Conn.Write(p)
	return n, w.err
}
