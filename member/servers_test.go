package member_test

import (
	"context"
	"net"
	"testing"

	"orchestra/conduct"
	"orchestra/member"
	"orchestra/proto"
	"orchestra/proto/secure"
)

// What tests start, and what they put in between.

// start runs something until the test ends, or the function that it returns is called.
func start(t testing.TB, run func(context.Context) error) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := run(ctx); err != nil {
			t.Error(err)
		}
	}()
	end = func() { cancel(); <-ended }
	t.Cleanup(end)
	return end
}

// startHost starts a host, on a port that is free.
func startHost(t testing.TB, cfg member.HostConfig) (*member.Host, func()) {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	h, err := member.NewHost(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h, start(t, h.Run)
}

// startConduct starts a conductor, on a port that is free.
func startConduct(t testing.TB, cfg conduct.Config) (*conduct.Conductor, func()) {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	c, err := conduct.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, start(t, c.Run)
}

// startConductor starts a conductor, and returns where it is.
func startConductor(t testing.TB, cfg conduct.Config) (string, func()) {
	t.Helper()
	c, end := startConduct(t, cfg)
	return c.Addr().String(), end
}

// newKey makes the key of a private swarm.
func newKey(t testing.TB) *secure.Key {
	t.Helper()
	k, err := secure.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// countConnections is an address that leads to another one, and how many connections it has.
func countConnections(t testing.TB, to string) (addr string, count func() int) {
	t.Helper()
	return lead(t, func() string { return to }, false)
}

// lead is countConnections, with a conductor that knows no channels if it is older.
func lead(t testing.TB, to func() string, older bool) (addr string, count func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{}, 1<<12)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- struct{}{}
			far, err := net.Dial("tcp", to())
			if err != nil {
				near.Close()
				continue
			}
			go pipeTo(near, far, older)
			go pipeTo(far, near, older)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String(), func() int { return len(accepted) }
}

func pipeTo(from, to net.Conn, older bool) {
	const bits = 1 + len(proto.Orchestra) + 7 // where channels are in a handshake
	buf := make([]byte, 4096)
	for at := 0; ; {
		n, err := from.Read(buf)
		if older && at <= bits && bits < at+n {
			buf[bits-at] &^= 0x08
		}
		if at += n; n > 0 {
			_, _ = to.Write(buf[:n])
		}
		if err != nil {
			to.(*net.TCPConn).CloseWrite()
			return
		}
	}
}
