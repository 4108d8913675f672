package member

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"orchestra/orch"
	"orchestra/proto"
)

// A stage is a member's side of a connection to its conductor, in a bubble of time, and what each
// dial meets.
type stage struct {
	*conductor
	log   bytes.Buffer
	dials chan net.Conn // the far ends
	ended chan struct{}
	end   context.CancelFunc
}

func newStage(t *testing.T) *stage {
	s := &stage{dials: make(chan net.Conn, 100), ended: make(chan struct{})}
	m := &Member{
		comp: &orch.File{Size: 1, PartSize: 1}, addr: netip.MustParseAddrPort("127.0.0.1:10001"),
		cfg: Config{Log: zerolog.New(&s.log)}, inbox: make(chan event, 1000), states: make([]conductorState, 1),
		machine: &machine{changed: make(chan struct{})},
	}
	complaints := make(chan proto.Complain, maxComplaints)
	m.complaints = append(m.complaints, complaints)
	s.conductor = &conductor{Member: m, addr: "conductor:9999", complaints: complaints}
	s.dial = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		s.dials <- there
		return here, nil
	}
	return s
}

func (s *stage) begin(t *testing.T) {
	var ctx context.Context
	ctx, s.end = context.WithCancel(t.Context())
	go func() { defer close(s.ended); s.run(ctx) }()
}

// welcome takes the next connection as a conductor does, and returns what the member says next.
func (s *stage) welcome(t *testing.T) (net.Conn, *proto.ConductorReader) {
	t.Helper()
	conn := <-s.dials
	hello, err := proto.ReadHandshake(conn, proto.Orchestra)
	if err != nil {
		t.Fatal(err)
	}
	in := proto.NewConductorReader(conn)
	for range 2 { // it announces itself, and its name
		if _, err := in.Next(); err != nil {
			t.Fatal(err)
		}
	}
	b := proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil)
	if _, err := conn.Write(proto.Append(b, proto.Welcome{})); err != nil {
		t.Fatal(err)
	}
	return conn, in
}

// What answers in a conductor's place is named, from the first moment on.
func TestConductorInWords(t *testing.T) {
	op := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	serves := func(said string) func(net.Conn) {
		return func(conn net.Conn) {
			defer conn.Close()
			go io.Copy(io.Discard, conn)
			io.WriteString(conn, said)
		}
	}
	silent := func(conn net.Conn) { io.Copy(io.Discard, conn) }
	for name, test := range map[string]struct {
		err     error
		answers func(net.Conn)
		after   time.Duration
		want    string
	}{
		"at first":       {nil, silent, time.Second, "conductor conductor:9999 does not answer yet"},
		"nobody answers": {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, nil, 0, "conductor conductor:9999 unreachable: it does not answer"},
		"nothing there":  {op(syscall.ECONNREFUSED), nil, 0, "conductor conductor:9999 unreachable: nothing listens there"},
		"no way":         {op(syscall.ENETUNREACH), nil, 0, "conductor conductor:9999 unreachable: the network has no way there"},
		"no such name": {
			&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, nil, 0,
			"conductor conductor:9999 unreachable: there is no host of this name",
		},
		"web server": {
			nil, serves("HTTP/1.1 400 Bad Request\r\n\r\n"), time.Second,
			"conductor conductor:9999 cannot be used: a web server answers there, and no conductor",
		},
		"tracker": {
			nil, serves("HTTP/1.0 400 Bad Request\r\n\r\nd14:failure reason7:invalide"), time.Second,
			"conductor conductor:9999 cannot be used: a BitTorrent tracker answers there, and no conductor",
		},
		"another program": {
			nil, serves("220 mail.example.org ESMTP\r\n"), time.Second,
			"conductor conductor:9999 cannot be used: something else answers there, and no conductor",
		},
		"it hangs up": {
			nil, func(conn net.Conn) { io.ReadFull(conn, make([]byte, 10)); conn.Close() }, time.Second,
			"conductor conductor:9999 unreachable: it ends the connection without an answer; is that a conductor?",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				open := s.dial
				s.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					if test.err != nil {
						return nil, test.err
					}
					conn, err := open(ctx, network, addr)
					go test.answers(<-s.dials)
					return conn, err
				}
				s.begin(t)
				time.Sleep(test.after)
				synctest.Wait()
				if diff := cmp.Diff(test.want, s.Progress().Conductor); diff != "" {
					t.Error("(-want +got):", diff)
				}
				s.end()
				<-s.ended
			})
		})
	}
}

// A web server that waits for a line of a request is found out by one.
func TestServerThatWaitsIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.begin(t)
		conn := <-s.dials
		go io.Copy(io.Discard, conn) // it reads, and says nothing
		conn = <-s.dials
		p := make([]byte, 4)
		if _, err := io.ReadFull(conn, p); err != nil || string(p) != "GET " {
			t.Errorf("it is asked %q, %v", p, err)
		}
		go io.Copy(io.Discard, conn)
		io.WriteString(conn, "HTTP/1.0 404 Not Found\r\n\r\n")
		conn.Close()
		synctest.Wait()
		if got := s.Progress().Conductor; !strings.Contains(got, "a web server answers there") {
			t.Error(got)
		}
		s.end()
		<-s.ended
	})
}

// A complaint that may not have arrived, since the connection died, is said again over the next
// one.
func TestComplaintIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.begin(t)
		hears := func(in *proto.ConductorReader) (proto.Complain, bool) {
			for {
				msg, err := in.Next()
				if err != nil {
					return proto.Complain{}, false
				}
				if c, ok := msg.(proto.Complain); ok {
					return c, true
				}
			}
		}
		old, bad := proto.Complain{PeerID: proto.PeerID{1}}, proto.Complain{PeerID: proto.PeerID{2}, Part: 7}
		conn, in := s.welcome(t)
		alive := time.NewTicker(30 * time.Second)
		defer alive.Stop()
		lives := func(span time.Duration) { // a conductor says something now and then
			for end := time.Now().Add(span); time.Now().Before(end); {
				<-alive.C
				conn.Write(proto.Append(nil, proto.KeepAlive{}))
			}
		}
		s.complain(old)
		if got, _ := hears(in); got != old {
			t.Errorf("it hears %+v", got)
		}
		go hears(in)
		lives(2 * sureAfter)
		s.complain(bad)
		time.Sleep(time.Second)
		conn.Close() // it heard, or did not: the member cannot know
		conn, in = s.welcome(t)
		if got, _ := hears(in); got != bad {
			t.Errorf("over the next connection it hears %+v, want %+v", got, bad)
		}
		s.end()
		conn.Close()
		<-s.ended
	})
}

// The last word of a member that was quiet for long does not fall under an old deadline.
func TestFarewellAfterLongQuiet(t *testing.T) {
	s := newStage(t)
	s.complete = make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	here, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	there, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	here.SetWriteDeadline(time.Now().Add(-time.Second)) // of what was said before
	s.update(func(p *Progress) { p.Stored, p.Complete = 1, true })
	s.farewell(here, proto.Progress{})
	there.SetReadDeadline(time.Now().Add(time.Minute))
	if msg, err := proto.NewConductorReader(there).Next(); err != nil || msg != (proto.Progress{Have: 1}) {
		t.Errorf("its last word is %+v, %v", msg, err)
	}
}

// A conductor is told when this member has other addresses, and connected anew when the one is gone
// that the connection is from.
func TestConductorHearsOfOtherAddresses(t *testing.T) {
	local := netip.MustParseAddr("127.0.0.1")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newStage(t)
	s.machine.addrs = map[netip.Addr]bool{local: true}
	s.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				close(s.dials)
				return
			}
			s.dials <- conn
		}
	}()
	s.begin(t)
	conn, in := s.welcome(t)
	defer conn.Close()
	for !s.Progress().ConductorUp {
		time.Sleep(time.Millisecond)
	}
	other := netip.MustParseAddr("10.0.0.9")
	s.machine.set(map[netip.Addr]bool{local: true, other: true})
	for {
		msg, err := in.Next()
		if err != nil {
			t.Fatal("no word of the new address:", err)
		}
		if _, ok := msg.(proto.Announce); ok {
			break
		}
	}
	s.machine.set(map[netip.Addr]bool{other: true})
	again, _ := s.welcome(t)
	defer again.Close()
	s.end()
	<-s.ended
}
