package conduct

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"orchestra/proto"
)

// FuzzServe holds that a stranger may say anything to a conductor, as a member, as
// a member of many compositions, as one who asks, or over HTTP: it counts right,
// keeps its bounds, and the connection ends with its other end.
func FuzzServe(f *testing.F) {
	announce := wire(proto.Announce{Port: 1, Parts: 8, Have: 8, Want: 9, Advertise: "h.example:1"})
	for _, texts := range [][][]byte{
		{orchestraHello, announce, wire(proto.KeepAlive{}, proto.Progress{Have: 3}, proto.Await{Copies: 1})},
		{orchestraHello, announce, announce, wire(proto.Complain{PeerID: peerN(66), Part: 1})},
		{orchestraHello, wire(proto.Ask{Members: 3}, proto.Ask{})},
		{
			trunkHello(), wire(proto.Open{Channel: 1, ID: testID, PeerID: peerN(3)}),
			proto.AppendWithin(nil, 1, proto.Announce{Port: 1}), proto.AppendWithin(nil, 1, proto.Named{Label: "x", Place: [8]byte{1}}),
			proto.AppendWithin(nil, 1, proto.Titled{Title: "t"}), proto.AppendWithin(nil, 1, proto.Progress{Have: 1}), wire(proto.Shut{Channel: 1}),
		},
		{[]byte("GET /announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1 HTTP/1.1\r\nHost: x\r\n\r\n")},
		{[]byte("GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n")},
		{[]byte("HEAD /x.orch HTTP/1.0\r\n\r\n")},
		{orchestraHello, {0xff, 0xff, 0xff, 0xff}},
	} {
		var all []byte
		for _, text := range texts {
			all = append(all, text...)
		}
		f.Add(byte(len(texts)), all)
	}
	f.Fuzz(func(t *testing.T, from byte, said []byte) {
		synctest.Test(t, func(t *testing.T) { strange(t, from, said) })
	})
}

// strange says something to a conductor, in a bubble, where waiting takes no time.
func strange(t *testing.T, from byte, said []byte) {
	cfg := Config{MaxMembers: 8, MaxPerAddress: 4, HandshakeTimeout: 50 * time.Millisecond}
	c, err := newConductor(cfg.withDefaults(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.dial = func(context.Context, string, string) (net.Conn, error) { return nil, io.EOF }
	c.lookUp = func(context.Context, string, string) ([]netip.Addr, error) { return []netip.Addr{farAddr(9)}, nil }
	ctx, cancel := context.WithCancel(context.Background())
	c.running, c.http = ctx, c.newHTTP()
	ended := make(chan struct{})
	go func() { defer close(ended); c.loop(ctx) }()

	for turn := range byte(3) { // it comes again
		said := said[:len(said)/int(turn+1)]
		here, there := net.Pipe()
		place := c.gate.enter(farAddr(int(from+turn)), there)
		left := make(chan struct{})
		serving, hangUp := context.WithCancel(ctx)
		go func() {
			defer close(left)
			defer place.leave()
			c.serve(serving, there, farSeat(int(from+turn)), place)
		}()
		heard := make(chan struct{})
		go func() { defer close(heard); io.Copy(io.Discard, here) }()
		here.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)) // it may be read slowly
		here.Write(said)
		here.Close()
		hangUp()
		<-left
		<-heard
	}
	counted := make(chan error, 1)
	c.post(ctx, reads(func(_ time.Time, r *registry) { counted <- r.recount() }))
	if err := <-counted; err != nil {
		t.Error(err)
	}
	if n := c.gate.count(); n != 0 {
		t.Errorf("%d connections are open", n)
	}
	cancel()
	<-ended
	c.wg.Wait()
}

// FuzzTarget holds that however an address is spelt, it is one target, which is
// none but its own.
func FuzzTarget(f *testing.F) {
	for _, host := range []string{"203.0.113.1:80", "[::ffff:203.0.113.1]:080", "[2001:db8::1%x]:1", "[fe80::1%eth0]:1", "Name.example:1", ""} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		one := targetOf(host)
		if again := targetOf(one); again != one {
			t.Errorf("%q is %q, which is %q", host, one, again)
		}
		e := &entry{seat: farSeat(1)}
		a, b := hostOf(waiting{e: e, host: host}), hostOf(waiting{e: e, host: one})
		if a != b {
			t.Errorf("%q is bounded by %v, and %q by %v", host, a, one, b)
		}
	})
}
