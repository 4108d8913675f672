package member_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"orchestra/conduct"
	"orchestra/member"
)

// startConductor serves at an address until the answer is called.
func startConductor(t *testing.T, addr string) (string, func()) {
	t.Helper()
	c, err := conduct.New(conduct.Config{Listen: addr})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	return c.Addr().String(), func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestConductorComesLateGoesAndComesBack(t *testing.T) {
	s := newScore(t, 3<<20, 64<<10)
	addr := freeAddr(t)
	conductors := []string{addr, freeAddr(t)} // the second one never comes
	first := s.join(member.Config{Dir: s.dir, Conductors: conductors})
	s.wait(func() bool { return strings.Contains(first.Progress().Conductor, "unreachable") })
	if first.Progress().ConductorUp {
		t.Error("a conductor that is not there is up")
	}

	_, end := startConductor(t, addr)
	s.wait(func() bool { return first.Progress().ConductorUp })
	second := s.join(member.Config{Dir: t.TempDir(), Conductors: conductors})
	s.wantComplete(second)

	end()
	s.wait(func() bool { return !first.Progress().ConductorUp })
	_, end = startConductor(t, addr)
	defer end()
	third := s.join(member.Config{Dir: t.TempDir(), Conductors: conductors})
	s.wantComplete(third)
	for _, p := range []*player{first, second, third} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}
