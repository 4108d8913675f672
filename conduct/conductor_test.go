package conduct

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"orchestra/orch"
	"orchestra/proto"
)

func TestMembersMeet(t *testing.T) {
	c := serving(t, Config{})
	a := visit(t, c, 1)
	port := answering(t, a.peer)
	a.send(proto.Announce{Port: port, Want: 50})
	if you := next[proto.Welcome](a).You; you.String() != a.nc.LocalAddr().String() {
		t.Errorf("welcomed as %v, connected from %v", you, a.nc.LocalAddr())
	}
	if n := next[proto.Listed](a).Members; n != 1 {
		t.Errorf("the first was told that %d are listed", n)
	}
	here := netip.AddrPortFrom(addr("127.0.0.1"), port)
	if r := next[proto.Reachable](a); !r.OK || r.Addr != here {
		t.Errorf("told %+v, want reachable at %v", r, here)
	}

	b := visit(t, c, 2)
	b.send(proto.Announce{Want: 50})
	got := next[proto.Joined](b).Members
	if len(got) != 1 || got[0].PeerID != a.peer || got[0].Addrs[0] != here {
		t.Errorf("the second was told %v", got)
	}
	if n := next[proto.Listed](b).Members; n != 2 {
		t.Errorf("the second was told that %d are listed", n)
	}

	d := visit(t, c, 3)
	d.send(proto.Announce{Port: 7, Want: 50})
	if got := next[proto.Joined](a).Members; len(got) != 1 || got[0].PeerID != d.peer {
		t.Errorf("the first was told %v", got)
	}
	if n := next[proto.Listed](a).Members; n != 3 {
		t.Errorf("the first was then told that %d are listed", n)
	}
	if r := next[proto.Reachable](d); r.OK {
		t.Errorf("told %+v of a port where nobody listens", r)
	}
	d.send(proto.KeepAlive{})
	next[proto.KeepAlive](d)

	a.nc.Close()
	for _, g := range []*guest{b, d} {
		if got := next[proto.Left](g).PeerIDs; len(got) != 1 || got[0] != a.peer {
			t.Errorf("told that %v left", got)
		}
	}
}

// A member on the conductor's machine, seen over loopback, is found under the
// address by which the other end knows the conductor.
func TestLoopbackMemberIsFoundFromElsewhere(t *testing.T) {
	outside := ""
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && routable(p.Addr()) {
			outside = p.Addr().String()
		}
	}
	if outside == "" {
		t.Skip("this machine has no address but loopback")
	}
	c := serving(t, Config{Listen: "0.0.0.0:0"})
	port := netip.AddrPortFrom(addr("0.0.0.0"), c.Addr().Port()).String()[len("0.0.0.0"):]

	a := call(t, dial(t, "127.0.0.1"+port), 1)
	listens := answering(t, a.peer)
	a.send(proto.Announce{Port: listens, Want: 50})
	next[proto.Welcome](a)
	b := call(t, dial(t, outside+port), 2)
	b.send(proto.Announce{Want: 50})
	want := netip.AddrPortFrom(addr(outside), listens)
	if got := next[proto.Joined](b).Members[0].Addrs; len(got) != 1 || got[0] != want {
		t.Errorf("handed out under %v, want %v", got, want)
	}
}

func TestAdvertisedNameIsDialled(t *testing.T) {
	c := serving(t, Config{})
	a := visit(t, c, 1)
	port := netip.AddrPortFrom(addr("127.0.0.1"), answering(t, a.peer)).String()[len("127.0.0.1"):]
	a.send(proto.Announce{Port: 9, Advertise: "localhost" + port, Want: 50})
	good := 0
	for range 2 { // the observed address leads nowhere, the name does
		if next[proto.Reachable](a).OK {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d of 2 addresses reached, want the advertised one", good)
	}
}

func TestImpostorIsNotReachable(t *testing.T) {
	c := serving(t, Config{})
	a := visit(t, c, 1)
	a.send(proto.Announce{Port: answering(t, peerN(9)), Want: 50})
	if r := next[proto.Reachable](a); r.OK {
		t.Error("another peer id answered and was taken for the member")
	}
}

// A dial back to somebody who accepts and says nothing ends by its timeout.
func TestSilentDialBackEnds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c := serving(t, Config{DialTimeout: 50 * time.Millisecond})
	a := visit(t, c, 1)
	a.send(proto.Announce{Port: uint16(ln.Addr().(*net.TCPAddr).Port), Want: 50})
	if next[proto.Reachable](a).OK {
		t.Error("silence was taken for an answer")
	}
}

func TestRefusals(t *testing.T) {
	t.Run("composition", func(t *testing.T) {
		c := serving(t, Config{Allow: func(id orch.ID) bool { return id != testID }})
		g := visit(t, c, 1)
		g.send(proto.Announce{})
		if r := next[proto.Refused](g); !strings.Contains(r.Reason, "composition") {
			t.Errorf("refused: %q", r.Reason)
		}
		g.ends()
	})
	t.Run("key", func(t *testing.T) {
		c := serving(t, Config{})
		a := visit(t, c, 1)
		a.send(proto.Announce{Key: [16]byte{1}})
		next[proto.Welcome](a)
		thief := visit(t, c, 1)
		thief.send(proto.Announce{Key: [16]byte{2}})
		next[proto.Refused](thief)
		thief.ends()
		again := visit(t, c, 1)
		again.send(proto.Announce{Key: [16]byte{1}})
		next[proto.Welcome](again)
		a.ends()
	})
	t.Run("too many from one address", func(t *testing.T) {
		c := serving(t, Config{MaxPerAddress: 1})
		a := visit(t, c, 1)
		a.send(proto.Announce{})
		next[proto.Welcome](a)
		b := visit(t, c, 2)
		b.send(proto.Announce{})
		next[proto.Refused](b)
		b.ends()
	})
}

// Whoever does not speak the protocol is cut off, and disturbs nobody.
func TestHostileConnections(t *testing.T) {
	c := serving(t, Config{HandshakeTimeout: 2 * time.Second})
	witness := visit(t, c, 1)
	witness.send(proto.Announce{Want: 50})
	next[proto.Welcome](witness)

	announce := wire(proto.Announce{})
	var all sync.WaitGroup
	for _, h := range []struct {
		name string
		send [][]byte
	}{
		{"garbage", [][]byte{bytes.Repeat([]byte{0xff}, 4096)}},
		{"http", [][]byte{[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")}},
		{"another protocol's handshake", [][]byte{proto.Handshake{Protocol: proto.BitTorrent, ID: testID}.Append(nil)}},
		{"another name of that length", [][]byte{append([]byte("\x09orchestro"), make([]byte, 48)...)}},
		{"nothing", nil},
		{"half a handshake", [][]byte{orchestraHello[:30]}},
		{"no announcement", [][]byte{orchestraHello}},
		{"half an announcement", [][]byte{orchestraHello, announce[:10]}},
		{"progress first", [][]byte{orchestraHello, wire(proto.Progress{})}},
		{"an oversize frame first", [][]byte{orchestraHello, {0xff, 0xff, 0xff, 0xff}}},
		{"an oversize frame", [][]byte{orchestraHello, announce, {0x7f, 0xff, 0xff, 0xff, 64}}},
		{"left-over bytes", [][]byte{orchestraHello, announce, {0, 0, 0, 23, 65}, make([]byte, 22)}},
		{"a conductor's message", [][]byte{orchestraHello, announce, wire(proto.Refused{Reason: "go away"})}},
	} {
		nc := dial(t, c.Addr().String())
		for _, b := range h.send {
			if _, err := nc.Write(b); err != nil {
				break // cut off already
			}
		}
		nc.SetReadDeadline(time.Now().Add(patience))
		all.Go(func() { // some are cut off by the timeout only
			if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: the connection stands", h.name)
			}
		})
	}
	all.Wait()
	witness.send(proto.KeepAlive{})
	next[proto.KeepAlive](witness)
}

// Floods wait at their sender's end; others are served at once.
func TestFloodsWait(t *testing.T) {
	c := serving(t, Config{})
	victim := visit(t, c, 1)
	victim.send(proto.Announce{Port: 1, Want: 50})
	next[proto.Welcome](victim)

	flood := bytes.Repeat(wire(proto.Complain{PeerID: victim.peer}, proto.Progress{}, proto.KeepAlive{}, proto.Announce{Port: 2, Want: 50}), 1000)
	ended := make(chan struct{})
	for i := range 4 {
		g := visit(t, c, 10+i)
		g.send(proto.Announce{Port: 1, Want: 50})
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				if _, err := g.nc.Write(flood); err != nil {
					return
				}
			}
		}()
		defer func() { g.nc.Close(); <-ended }()
	}
	late := visit(t, c, 2)
	late.send(proto.Announce{Want: 50})
	if got := next[proto.Joined](late).Members; len(got) == 0 {
		t.Error("a newcomer was told of nobody")
	}
}

func TestStop(t *testing.T) {
	defer goleak.VerifyNone(t)
	c, err := New(Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ln := &closing{Listener: c.ln}
	c.ln = ln
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	member := visit(t, c, 1)
	member.send(proto.Announce{Want: 50})
	next[proto.Welcome](member)
	halfway := visit(t, c, 2)
	silent := dial(t, c.Addr().String())
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	member.ends()
	halfway.ends()
	silent.Close()
	if !ln.closed.Load() {
		t.Error("the port is not free afterwards")
	}
}

// A closing listener notes that it was closed.
type closing struct {
	net.Listener
	closed atomic.Bool
}

func (l *closing) Close() error {
	defer l.closed.Store(true)
	return l.Listener.Close()
}

func TestBusyPortIsSaid(t *testing.T) {
	c := serving(t, Config{})
	_, err := New(Config{Listen: c.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), c.Addr().String()) {
		t.Errorf("listening twice: %v", err)
	}
}

// piped runs a conductor without a listener in a synctest bubble; connect
// gives the member's end of a connection.
func piped(t *testing.T, cfg Config) (connect func(n int) net.Conn) {
	return pipedTo(t, cfg, func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done() // nobody answers here
		return nil, ctx.Err()
	})
}

// pipedTo does so with those who answer dial backs.
func pipedTo(
	t *testing.T, cfg Config, dial func(ctx context.Context, network, address string) (net.Conn, error),
) (connect func(n int) net.Conn) {
	t.Helper()
	c, err := newConductor(cfg.withDefaults(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.dial = dial
	ctx, cancel := context.WithCancel(t.Context())
	c.wg.Go(func() { c.loop(ctx) })
	t.Cleanup(func() { cancel(); c.wg.Wait() })
	return func(n int) net.Conn {
		here, there := net.Pipe()
		t.Cleanup(func() { here.Close() })
		place := c.gate.enter(farAddr(n), there)
		c.wg.Go(func() {
			defer place.leave()
			c.serve(ctx, there, farSeat(n), place)
		})
		return here
	}
}

func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect := piped(t, Config{})
		for _, send := range [][]byte{nil, orchestraHello[:5]} {
			nc := connect(1)
			began := time.Now()
			if len(send) > 0 {
				nc.Write(send)
			}
			io.Copy(io.Discard, nc)
			if took := time.Since(began); took != 10*time.Second {
				t.Errorf("after %d bytes, cut after %v, want 10s", len(send), took)
			}
		}
	})
}

func TestSilenceTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect := piped(t, Config{})
		silent, alive := call(t, connect(1), 1), call(t, connect(2), 2)
		for _, g := range []*guest{silent, alive} {
			g.nc.SetReadDeadline(time.Time{})
		}
		silent.send(proto.Announce{Want: 50, Port: 1})
		next[proto.Welcome](silent)
		began := time.Now()
		alive.send(proto.Announce{Want: 50})
		next[proto.Joined](alive)
		go func() {
			for range 5 {
				<-time.After(30 * time.Second)
				if _, err := alive.nc.Write(proto.Append(nil, proto.KeepAlive{})); err != nil {
					return
				}
			}
		}()
		go io.Copy(io.Discard, silent.nc)
		next[proto.Left](alive)
		if took := time.Since(began); took != 75*time.Second {
			t.Errorf("the silent one left after %v, want 75s", took)
		}
		for range 5 {
			next[proto.KeepAlive](alive)
		}
	})
}

// A member that reads nothing is cut when a write stood for too long.
func TestSlowReaderIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect := piped(t, Config{})
		watcher, slow := call(t, connect(1), 1), call(t, connect(2), 2)
		for _, g := range []*guest{watcher, slow} {
			g.nc.SetReadDeadline(time.Time{})
		}
		watcher.send(proto.Announce{Want: 50})
		slow.send(proto.Announce{Want: 50, Port: 1})
		began := time.Now()
		next[proto.Left](watcher)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("cut after %v, want 10s", took)
		}
	})
}

func TestOutboxIsBounded(t *testing.T) {
	o := newOutbox()
	frame := make([]byte, 1000)
	taken := 0
	for o.put(frame) {
		taken += len(frame)
	}
	if taken > maxQueued || taken < maxQueued-len(frame) {
		t.Errorf("%d bytes fit, want about %d", taken, maxQueued)
	}
	if buf, more := o.take(nil); len(buf) != taken || !more {
		t.Errorf("took %d bytes, more %v", len(buf), more)
	}
	if !o.put(frame) {
		t.Error("nothing fits into an outbox that was emptied")
	}
	o.finish()
	if buf, more := o.take(nil); len(buf) != len(frame) || more {
		t.Errorf("took %d bytes at the end, more %v", len(buf), more)
	}
}
