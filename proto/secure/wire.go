package secure

import (
	"net"
	"sync"
)

// TLS cuts what is said into records of 16 KiB, and reads and writes each by itself. A wire lets
// several go through the system in one call. What is said little at a time takes little room.
const (
	record    = 16 << 10
	readLeast = 4 << 10
	readMost  = 64 << 10
	writeMost = 4 * (record + 22) // four records with their headers and codes
)

type wire struct {
	net.Conn
	in []byte // read, and not taken yet
	// buffer is what in is a piece of; the reader's own.
	buffer []byte

	mu      sync.Mutex
	holding bool
	held    []byte
}

func newWire(nc net.Conn) *wire { return &wire{Conn: nc} }

func (w *wire) Read(p []byte) (int, error) {
	if len(w.in) == 0 {
		if w.buffer == nil {
			w.buffer = make([]byte, readLeast)
		}
		n, err := w.Conn.Read(w.buffer)
		if w.in = w.buffer[:n]; n == 0 {
			return 0, err
		}
		if n == len(w.buffer) && n < readMost { // more comes at a time
			w.buffer = make([]byte, 4*n)
		}
	}
	n := copy(p, w.in)
	w.in = w.in[n:]
	return n, nil
}

// Write writes at once, or keeps what is written until there is enough of it while that is held.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.holding {
		return w.Conn.Write(p)
	}
	if len(w.held)+len(p) > writeMost {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	w.held = append(w.held, p...)
	return len(p), nil
}

func (w *wire) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holding = true
}

// release writes what was held.
func (w *wire) release() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holding = false
	return w.flush()
}

// flush is called with mu held.
func (w *wire) flush() error {
	if len(w.held) == 0 {
		return nil
	}
	_, err := w.Conn.Write(w.held)
	w.held = w.held[:0]
	return err
}
