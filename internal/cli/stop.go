package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// stopWithin is how long a command may take to end once it was told to.
const stopWithin = 5 * time.Second

// A stopper tells the running command to end. The first SIGINT, SIGTERM, SIGHUP or q says so at
// once and cancels ctx; the second one, or the end of stopWithin, gives the exit code to now, and
// Main returns without waiting any more. A signal that was ignored when the program started stays
// ignored: nohup does that with SIGHUP, and shells with the SIGINT of what a script runs in the
// background.
type stopper struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	now      chan int
	terminal *terminal
	signals  chan os.Signal
	ended    chan struct{}

	mu    sync.Mutex
	first *stopError // nil until the first
	guard *time.Timer
	last  func() // done before the program stops at once; nil: nothing
}

func newStopper(t *terminal) *stopper {
	s := &stopper{terminal: t, now: make(chan int, 1), signals: make(chan os.Signal, 2), ended: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			signal.Notify(s.signals, sig)
		}
	}
	go s.listen()
	return s
}

func (s *stopper) listen() {
	defer close(s.ended)
	for sig := range s.signals {
		switch sig {
		case syscall.SIGINT:
			s.request(&stopError{by: "SIGINT", code: exitInt})
		case syscall.SIGTERM:
			s.request(&stopError{by: "SIGTERM", code: exitTerm})
		case syscall.SIGHUP:
			s.request(&stopError{by: "SIGHUP", code: exitHangup})
		}
	}
}

// quit is the q key.
func (s *stopper) quit() { s.request(&stopError{by: "q", code: exitStopped}) }

func (s *stopper) request(why *stopError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first != nil {
		s.force(why.code)
		return
	}
	s.first = why
	s.terminal.note("stopping (%s); once more stops at once", why.by)
	s.cancel(why)
	s.guard = time.AfterFunc(stopWithin, func() { s.force(why.code) })
}

func (s *stopper) force(code int) {
	select {
	case s.now <- code:
	default:
	}
}

// atOnce has f done if the program stops at once before the function that it returns is called.
func (s *stopper) atOnce(f func()) (forget func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = nil
	}
}

// lastly does what atOnce was given.
func (s *stopper) lastly() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		s.last()
	}
}

// end releases the signals and waits for the goroutine.
func (s *stopper) end() {
	signal.Stop(s.signals)
	close(s.signals)
	<-s.ended
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guard != nil {
		s.guard.Stop()
	}
	s.cancel(nil)
}
