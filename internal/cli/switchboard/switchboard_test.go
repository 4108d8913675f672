package switchboard

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// greeter is a server that says a word and then hears all.
func greeter(t *testing.T, word string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			nc.Write([]byte(word))
			io.Copy(nc, nc)
			nc.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-ended })
	return ln.Addr().String()
}

func TestSwitchboard(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	first, second := greeter(t, "first"), greeter(t, "other")
	s := New(t)
	dial := func() net.Conn {
		t.Helper()
		nc, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		return nc
	}
	hears := func(nc net.Conn, want string) {
		t.Helper()
		got := make([]byte, len(want))
		if n, err := io.ReadFull(nc, got); string(got[:n]) != want && err == nil ||
			err != nil && want != "" {
			t.Errorf("heard %q, %v; want %q", got[:n], err, want)
		}
	}
	ends := func(nc net.Conn) {
		t.Helper()
		if n, err := nc.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%d bytes, %v, where nobody is", n, err)
		}
	}
	ends(dial())
	s.Connect(first)
	nc := dial()
	hears(nc, "first")
	s.Connect("")
	ends(nc)
	s.Connect(second)
	nc = dial()
	hears(nc, "other")
	s.Reset()
	if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v after a reset", err)
	}
	s.Hold()
	nc = dial()
	nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := nc.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v, while it is held", n, err)
	}
	nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	s.Release()
	hears(nc, "other")
	const delay = 20 * time.Millisecond
	s.Delay(delay)
	asked := time.Now()
	nc.Write([]byte("late"))
	hears(nc, "late")
	if took := time.Since(asked); took < 2*delay {
		t.Errorf("there and back in %v", took)
	}
	s.Delay(0)
	nc.Write([]byte("and back"))
	nc.(*net.TCPConn).CloseWrite()
	hears(nc, "and back")
	ends(nc)
}
