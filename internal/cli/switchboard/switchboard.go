// Package switchboard is for tests in which a server goes away and comes back:
// it keeps one address for all of the test, and passes on what comes there to
// whichever server stands behind it at the time. So no test gives a port back
// and takes it again, which somebody else may have taken meanwhile. It is a bad
// line too, if a test wants one: see [Switchboard.Hold], [Switchboard.Reset] and
// [Switchboard.Delay].
package switchboard

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A Switchboard listens on one address of loopback until the test ends.
type Switchboard struct {
	ln net.Listener
	wg sync.WaitGroup

	mu     sync.Mutex
	behind string // HOST:PORT; "": nobody, and who connects is cut off
	open   map[net.Conn]struct{}
	ended  bool
	held   chan struct{} // closed when what comes is passed on again; nil: it is
	delay  time.Duration
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
		s.Delay(0)
		s.Release()
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

// Hold passes nothing on until Release. What is sent meanwhile is taken, as far as
// buffers go, and new connections are too.
func (s *Switchboard) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = make(chan struct{})
	}
}

// Release ends a Hold.
func (s *Switchboard) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		close(s.held)
		s.held = nil
	}
}

// Reset resets the connections that there are, at both ends.
func (s *Switchboard) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for nc := range s.open {
		if nc, ok := nc.(*net.TCPConn); ok {
			nc.SetLinger(0)
		}
	}
	for nc := range s.open {
		nc.Close()
	}
	clear(s.open)
}

// Delay has what comes from now on wait for so long, all that came together.
func (s *Switchboard) Delay(delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = delay
}

// wait waits until what came may be passed on.
func (s *Switchboard) wait() {
	s.mu.Lock()
	held, delay := s.held, s.delay
	s.mu.Unlock()
	if held != nil {
		<-held
	}
	time.Sleep(delay)
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
	back.Go(func() { s.pass(nc, there) })
	s.pass(there, nc)
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
func (s *Switchboard) pass(to, from net.Conn) {
	if _, err := io.Copy(late{to, s}, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	if half, ok := to.(*net.TCPConn); ok {
		half.CloseWrite()
	}
}

// late writes when the switchboard lets it.
type late struct {
	io.Writer
	s *Switchboard
}

func (l late) Write(p []byte) (int, error) {
	l.s.wait()
	return l.Writer.Write(p)
}
