// Package switchboard is for tests in which a server goes away and comes back:
// it keeps one address for all of the test, and passes on what comes there to
// whichever server stands behind it at the time. So no test gives a port back
// and takes it again, which somebody else may have taken meanwhile.
package switchboard

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A Switchboard listens on one address of loopback until the test ends.
type Switchboard struct {
	ln net.Listener
	wg sync.WaitGroup

	mu     sync.Mutex
	behind string // HOST:PORT; "": nobody, and who connects is cut off
	open   map[net.Conn]struct{}
	ended  bool
}

// New returns a switchboard with nobody behind it.
func New(t testing.TB) *Switchboard {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Switchboard{ln: ln, open: make(map[net.Conn]struct{})}
	s.wg.Go(s.accept)
	t.Cleanup(func() {
		ln.Close()
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
		s.Connect("")
		s.wg.Wait()
	})
	return s
}

// Addr returns its address.
func (s *Switchboard) Addr() string { return s.ln.Addr().String() }

// Connect puts the server at HOST:PORT behind it, or nobody if that is empty.
// Connections to the one before are cut.
func (s *Switchboard) Connect(server string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind = server
	for nc := range s.open {
		nc.Close()
	}
	clear(s.open)
}

func (s *Switchboard) accept() {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { s.serve(nc) })
	}
}

// serve passes on what comes on a connection, in both directions, until either
// end has said all and the other has closed.
func (s *Switchboard) serve(nc net.Conn) {
	defer s.cut(nc)
	server := s.serverOf(nc)
	if server == "" {
		return
	}
	there, err := net.Dial("tcp", server)
	if err != nil || s.serverOf(there) != server {
		if err == nil {
			s.cut(there)
		}
		return
	}
	defer s.cut(there)
	var back sync.WaitGroup
	back.Go(func() { pass(nc, there) })
	pass(there, nc)
	back.Wait()
}

// serverOf returns who stands behind the switchboard, and takes note of a
// connection that is to be cut when that changes.
func (s *Switchboard) serverOf(nc net.Conn) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.behind == "" || s.ended {
		return ""
	}
	s.open[nc] = struct{}{}
	return s.behind
}

func (s *Switchboard) cut(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, nc)
	nc.Close()
}

// pass copies what comes from one end, and says to the other that it was all.
func pass(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	if half, ok := to.(*net.TCPConn); ok {
		half.CloseWrite()
	}
}
