package member_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"orchestra/conduct"
	"orchestra/internal/cli/switchboard"
	"orchestra/member"
	"orchestra/orch"
	"orchestra/proto"
)

func TestConductorComesLateGoesAndComesBack(t *testing.T) {
	s := newScore(t, 3<<20, 64<<10)
	board, never := switchboard.New(t), switchboard.New(t)
	conductors := []string{board.Addr(), never.Addr()} // nobody comes at the second one
	first := s.join(member.Config{Dir: s.dir, Conductors: conductors})
	s.wait(func() bool { return strings.Contains(first.Progress().Conductor, "unreachable") })
	if first.Progress().ConductorUp {
		t.Error("a conductor that is not there is up")
	}

	addr, end := startConductor(t, conduct.Config{})
	board.Connect(addr)
	s.wait(func() bool { return first.Progress().ConductorUp })
	second := s.join(member.Config{Dir: t.TempDir(), Conductors: conductors})
	s.wantComplete(second)

	board.Connect("")
	end()
	s.wait(func() bool { return !first.Progress().ConductorUp })
	addr, end = startConductor(t, conduct.Config{})
	defer end()
	board.Connect(addr)
	third := s.join(member.Config{Dir: t.TempDir(), Conductors: conductors})
	s.wantComplete(third)
	for _, p := range []*player{first, second, third} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

func TestConductorOverIPv6(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here:", err)
	} else {
		l.Close()
	}
	s := newScore(t, 1<<20, 64<<10)
	addr, end := startConductor(t, conduct.Config{Listen: "[::1]:0"})
	defer end()
	first := s.join(member.Config{Dir: s.dir, Listen: "[::1]:0", Conductors: []string{addr}})
	second := s.join(member.Config{Dir: t.TempDir(), Listen: "[::1]:0", Conductors: []string{addr}})
	s.wantComplete(second)
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

// With several conductors one is enough: members find each other by any of them, and the state
// stays up while one is.
func TestSeveralConductors(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	one, endOne := startConductor(t, conduct.Config{})
	two, endTwo := startConductor(t, conduct.Config{})
	defer endTwo()
	first := s.join(member.Config{Dir: s.dir, Conductors: []string{one, two}})
	s.wait(func() bool { return first.Progress().Conductor == "conductor "+one })
	onlyTwo := s.join(member.Config{Dir: t.TempDir(), Conductors: []string{two}})
	s.wantComplete(onlyTwo)
	endOne()
	s.wait(func() bool {
		p := first.Progress()
		if !p.ConductorUp {
			t.Fatal("no conductor is up, it says:", p.Conductor)
		}
		return p.Conductor == "conductor "+two
	})
	for _, p := range []*player{first, onlyTwo} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

func TestConductorRefuses(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	c, err := conduct.New(conduct.Config{Listen: "127.0.0.1:0", Allow: func(orch.ID) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	p := s.join(member.Config{Dir: s.dir, Conductors: []string{c.Addr().String()}})
	s.wait(func() bool {
		if p.Progress().ConductorUp {
			t.Fatal("up, though it refused")
		}
		return strings.Contains(p.Progress().Conductor, "refused")
	})
	if err := p.end(); err != nil {
		t.Error(err)
	}
}

// fakeConductor answers each member with the same messages.
func fakeConductor(t *testing.T, messages ...proto.Message) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			hello, err := proto.ReadHandshake(conn, proto.Orchestra)
			if err != nil { // the member ended meanwhile
				conn.Close()
				continue
			}
			out := proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil)
			for _, msg := range messages {
				out = proto.Append(out, msg)
			}
			conn.Write(out)
			t.Cleanup(func() { conn.Close() })
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

// What the conductor found out by dialling back is not forgotten when something else happens.
func TestReachableStays(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	here := netip.MustParseAddrPort("127.0.0.1:9")
	addr := fakeConductor(t,
		proto.Welcome{You: here},
		proto.Reachable{OK: true, Addr: here},
		proto.Joined{Members: []proto.Member{{PeerID: proto.PeerID{1}, Addrs: []netip.AddrPort{here}}}},
	)
	p := s.join(member.Config{Dir: s.dir, Conductors: []string{addr}})
	s.wait(func() bool { return p.Progress().Known == 1 })
	if !p.Progress().Dialled {
		t.Error("forgotten")
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}

// A member that listens on one address of its machine, and reaches its conductor over another one,
// can be found nevertheless.
func TestListeningOnOneAddress(t *testing.T) {
	cards, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var own netip.Addr
	for _, card := range cards {
		if p, err := netip.ParsePrefix(card.String()); err == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
			own = p.Addr()
		}
	}
	if !own.IsValid() {
		t.Skip("this machine has no IPv4 address but loopback")
	}
	addr, end := startConductor(t, conduct.Config{})
	defer end()
	s := newScore(t, 1<<20, 64<<10)
	m := s.join(member.Config{Dir: s.dir, Listen: netip.AddrPortFrom(own, 0).String(), Conductors: []string{addr}})
	s.wait(func() bool { return m.Progress().Dialled })
}
