package member

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"orchestra/orch"
	"orchestra/proto"
)

// A try is what comes of one connection to a conductor.
type try struct {
	end  tryEnd
	up   time.Duration // before that; 0: never
	wait time.Duration // until the next try, give or take half
}

type tryEnd uint8

const (
	unreached tryEnd = iota
	lost
	refusal
)

// speak is the conductor's end of a connection.
func (tr try) speak(conn net.Conn) {
	defer conn.Close()
	hello, err := proto.ReadHandshake(conn, proto.Orchestra)
	if err != nil {
		return
	}
	go io.Copy(io.Discard, conn)
	conn.Write(proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil))
	if tr.up > 0 {
		conn.Write(proto.Append(nil, proto.Welcome{}))
		time.Sleep(tr.up)
	}
	if tr.end == refusal {
		conn.Write(proto.Append(nil, proto.Refused{Reason: "full"}))
	}
}

// A conductor that was up and is lost is tried again soon, whatever came before; one that is not
// there, refuses, or is lost as soon as it is up is left alone for longer each time.
func TestWhenAConductorIsTriedAgain(t *testing.T) {
	const first, second = retryFirst, time.Second
	for name, tries := range map[string][]try{
		"not there": {
			{unreached, 0, first},
			{unreached, 0, 2 * first},
			{unreached, 0, 4 * first},
			{unreached, 0, 8 * first},
			{unreached, 0, retryMost},
			{unreached, 0, retryMost},
		},
		"refuses":                 {{refusal, 0, first}, {refusal, 0, 2 * first}, {refusal, 0, 4 * first}},
		"refuses in the end":      {{refusal, 60 * second, first}, {refusal, 60 * second, 2 * first}, {refusal, 60 * second, 4 * first}},
		"restarts":                {{lost, 10 * second, first}, {unreached, 0, 2 * first}, {unreached, 0, 4 * first}, {lost, 10 * second, first}, {lost, 60 * second, first}},
		"is lost as it is up":     {{lost, 1, first}, {lost, second, 2 * first}, {lost, second, 4 * first}, {lost, second, 8 * first}},
		"refuses after a restart": {{lost, 10 * second, first}, {refusal, 0, 2 * first}, {refusal, 0, 4 * first}, {lost, 10 * second, first}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c := &conductor{Member: &Member{comp: &orch.File{}, inbox: make(chan event, 100), states: make([]conductorState, 1)}, addr: "conductor:9999"}
				var ended time.Time // the try before
				n := 0
				c.dial = func(context.Context, string, string) (net.Conn, error) {
					if n > 0 {
						if got, want := time.Since(ended), tries[n-1].wait; got < want/2 || got >= want/2+want {
							t.Errorf("after try %d it waited for %v, want %v give or take half", n, got, want)
						}
					}
					if n == len(tries) {
						cancel()
						return nil, ctx.Err()
					}
					tr := tries[n]
					n++
					ended = time.Now().Add(tr.up)
					if tr.end == unreached {
						return nil, errors.New("nobody listens there")
					}
					here, there := net.Pipe()
					go tr.speak(there)
					return here, nil
				}
				c.run(ctx)
				if n != len(tries) {
					t.Errorf("%d tries, want %d", n, len(tries))
				}
			})
		})
	}
}

// A conductor is up once it has said anything but no: that it answered the handshake is not enough.
func TestConductorIsUpWhenItSpeaks(t *testing.T) {
	for name, c := range map[string]struct {
		says proto.Message
		up   bool
	}{
		"welcomes": {proto.Welcome{}, true},
		"refuses":  {proto.Refused{Reason: "full"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				here, there := net.Pipe()
				defer there.Close()
				m := &Member{comp: &orch.File{}, inbox: make(chan event, 100), states: make([]conductorState, 1)}
				member := &conductor{Member: m, dial: func(context.Context, string, string) (net.Conn, error) { return here, nil }}
				go member.session(ctx)
				hello, err := proto.ReadHandshake(there, proto.Orchestra)
				if err != nil {
					t.Fatal(err)
				}
				go io.Copy(io.Discard, there)
				there.Write(proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil))
				synctest.Wait()
				if m.Progress().ConductorUp {
					t.Error("up before it spoke")
				}
				there.Write(proto.Append(nil, c.says))
				synctest.Wait()
				if got := m.Progress().ConductorUp; got != c.up {
					t.Errorf("up: %v, want %v", got, c.up)
				}
			})
		})
	}
}

// What changes while the handshakes are on their way is told after them.
func TestProgressBetweenGreetingAndAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		here, there := net.Pipe()
		defer there.Close()
		m := &Member{comp: &orch.File{Size: 1, PartSize: 1}, addr: netip.MustParseAddrPort("127.0.0.1:10001"), states: make([]conductorState, 1)}
		member := &conductor{Member: m, dial: func(context.Context, string, string) (net.Conn, error) { return here, nil }}
		go member.session(ctx)
		hello, err := proto.ReadHandshake(there, proto.Orchestra)
		if err != nil {
			t.Fatal(err)
		}
		in := proto.NewConductorReader(there)
		if msg, err := in.Next(); err != nil || msg.(proto.Announce).Have != 0 {
			t.Fatalf("it announces %+v, %v", msg, err)
		}
		for range 2 { // its name, and that of the content
			if _, err := in.Next(); err != nil {
				t.Fatal(err)
			}
		}
		m.update(func(p *Progress) { p.Stored, p.Complete = 1, true })
		there.Write(proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil))
		if msg, err := in.Next(); err != nil || msg != (proto.Progress{Have: 1}) {
			t.Errorf("after the handshakes it says %+v, %v; it has 1 part", msg, err)
		}
	})
}

// A member that is told to end while its conductor is being connected tells of its copy, if it has
// one, and ends at once if it has none.
func TestEndsWhileTheConductorIsConnected(t *testing.T) {
	for _, complete := range []bool{true, false} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ctx, cancel := context.WithCancel(t.Context())
		m := &Member{
			comp: &orch.File{Size: 1, PartSize: 1}, addr: netip.MustParseAddrPort("127.0.0.1:10001"),
			states: make([]conductorState, 1),
		}
		m.update(func(p *Progress) { p.Complete = complete })
		member := &conductor{Member: m, addr: ln.Addr().String(), dial: new(net.Dialer).DialContext}
		ended := make(chan error, 1)
		go func() { ended <- member.session(ctx) }()
		there, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer there.Close()
		hello, err := proto.ReadHandshake(there, proto.Orchestra)
		if err != nil {
			t.Fatal(err)
		}
		m.update(func(p *Progress) { p.Stored = 1 })
		cancel()
		if !complete {
			<-ended
			continue
		}
		there.Write(proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil))
		in, last := proto.NewConductorReader(there), proto.Message(nil)
		for { // what it is, its name and that of the content, and how far it is
			msg, err := in.Next()
			if err != nil {
				break
			}
			last = msg
		}
		if last != (proto.Progress{Have: 1}) {
			t.Errorf("the last that it says is %+v", last)
		}
		there.Close()
		<-ended
	}
}
