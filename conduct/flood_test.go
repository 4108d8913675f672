package conduct

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"orchestra/proto"
)

// from connects from an address of 127.0.0.0/8.
func from(t testing.TB, c *Conductor, a netip.Addr) (net.Conn, error) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: a.AsSlice()}, Timeout: patience}
	return d.Dial("tcp4", c.Addr().String())
}

// needsLoopback skips a test where 127.0.0.1 is all that there is of loopback.
func needsLoopback(t testing.TB) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.1.2.3:0")
	if err != nil {
		t.Skip("this system has one address of 127.0.0.0/8 alone")
	}
	ln.Close()
}

// apart takes each address of loopback, but 127.0.0.1, for a host of its own.
func apart(from, local netip.AddrPort) seat {
	a := from.Addr().As4()
	if a != [4]byte{127, 0, 0, 1} {
		a[0] = 10
	}
	return newSeat(netip.AddrPortFrom(netip.AddrFrom4(a), from.Port()), local)
}

// loopback is address n of so many.
func loopback(n, of int) netip.Addr {
	n = n % of
	return netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n) + 1})
}

// servingApart starts a conductor that takes the addresses of loopback for hosts.
func servingApart(t testing.TB, cfg Config) *Conductor {
	t.Helper()
	needsLoopback(t)
	return servingChanged(t, cfg, func(c *Conductor) { c.seat = apart })
}

// slow are connections that say nothing, or a byte now and then of what is never
// complete, or stop half-way.
var slow = map[string][]byte{
	"silent":                  nil,
	"half a handshake":        orchestraHello[:40],
	"a handshake":             orchestraHello,
	"half an announcement":    append(orchestraHello[:len(orchestraHello):len(orchestraHello)], wire(proto.Announce{})[:9]...),
	"a request":               []byte("GET /announce?info_hash="),
	"a connection for many":   trunkHello(),
	"a channel that is empty": append(trunkHello(), wire(proto.Open{Channel: 1, ID: testID})...),
	"a first letter":          []byte("G"),
}

func trunkHello() []byte {
	h := proto.Handshake{Protocol: proto.Orchestra, PeerID: peerN(67)}
	h.SetNames()
	h.SetChannels()
	return h.Append(nil)
}

// Under many slow connections of one host or of many, honest members and clients
// are served at once, and what is slow is cut in time.
func TestSlowConnections(t *testing.T) {
	needsLoopback(t)
	const timeout, cutWithin = 2 * time.Second, 20 * time.Second
	for _, c := range []struct {
		name  string
		hosts int
	}{{"one host", 0}, {"many hosts", 200}} {
		t.Run(c.name, func(t *testing.T) {
			cfg := Config{HandshakeTimeout: timeout, MaxMembers: 120, MaxPerAddress: 100}
			start := serving
			if c.hosts > 0 {
				start = servingApart
			}
			con := start(t, cfg)
			var enemies sync.WaitGroup
			began := time.Now()
			n := 0
			for range 100 {
				for what, bytes := range slow {
					nc, err := from(t, con, loopback(n, max(c.hosts, 1)))
					if err != nil {
						t.Fatal(err)
					}
					n++
					_, _ = nc.Write(bytes)
					enemies.Go(func() {
						defer nc.Close()
						for end := began.Add(timeout + cutWithin); ; {
							nc.SetReadDeadline(time.Now().Add(timeout / 8))
							_, err := io.Copy(io.Discard, nc)
							if err == nil || !os.IsTimeout(err) {
								return // it was cut
							}
							if time.Now().After(end) {
								t.Errorf("%s: the connection stands", what)
								return
							}
							if what != "silent" {
								_, _ = nc.Write([]byte{'a'})
							}
						}
					})
				}
			}
			honest(t, con, n)
			enemies.Wait()
			t.Logf("%d connections, the last ended after %v", n, time.Since(began))
		})
	}
}

// honest joins members and announces clients, which takes no time at all.
func honest(t *testing.T, c *Conductor, first int) {
	t.Helper()
	var worst time.Duration
	for n := range 20 {
		began := time.Now()
		g := visit(t, c, 1000+first+n)
		g.send(proto.Announce{Port: 1, Want: 50})
		next[proto.Welcome](g)
		g.nc.Close()
		d := announceHTTP(t, c.Addr().String(), func(q url.Values) { q.Set("peer_id", fmt.Sprintf("-XX0000-%012d", n)) })
		if why, ok := d["failure reason"]; ok {
			t.Errorf("a client is told %v", why)
		}
		worst = max(worst, time.Since(began))
	}
	t.Logf("a join and an announce take %v at most", worst)
	if worst > 5*time.Second { // a second, on a machine that has nothing else to do
		t.Errorf("a join and an announce took %v", worst)
	}
}

// Connections without end, each malformed in its way, disturb nobody.
func TestMalformedConnections(t *testing.T) {
	needsLoopback(t)
	c := serving(t, Config{})
	witness := visit(t, c, 1)
	witness.send(proto.Announce{Want: 50})
	next[proto.Welcome](witness)
	texts := [][]byte{
		{},
		{0xff},
		{0, 0, 0, 0},
		[]byte(strings.Repeat("G", 70_000)), []byte("GET / HTTP/9.9\r\n\r\n"),
		append(orchestraHello[:len(orchestraHello):len(orchestraHello)], 0xff, 0xff, 0xff, 0xff),
		append(trunkHello(), wire(proto.Shut{Channel: 7}, proto.Within{Channel: 7, Frame: []byte{1}})...),
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := range soaked(500, 25_000) {
				nc, err := from(t, c, loopback(n, 250)) // each has ports for some thousands
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = nc.Write(texts[(n+w)%len(texts)])
				nc.Close()
			}
		})
	}
	wg.Wait()
	honest(t, c, 0)
	witness.send(proto.KeepAlive{})
	next[proto.KeepAlive](witness)
}

// Guests over HTTP from a few hosts take their share of the places, and so do
// copies; others are listed and counted all the same.
func TestGuestsOfAFewHosts(t *testing.T) {
	// 80 guests, 40 of a source, 20 of a composition
	c := servingApart(t, Config{MaxMembers: 320, MaxPerAddress: 160})
	waits := visit(t, c, 1)
	waits.send(proto.Announce{Port: 1, Parts: 10, Want: 50})
	next[proto.Welcome](waits)
	listed := 0
	for n := range 800 {
		nc, err := from(t, c, loopback(n, 8))
		if err != nil {
			t.Fatal(err)
		}
		q := url.Values{
			"info_hash": {string(testID[:19]) + string(rune('a'+n%8))}, "port": {"6881"}, "left": {"0"},
			"peer_id": {fmt.Sprintf("-XX0001-%012d", n)},
		}
		_, _ = io.WriteString(nc, "GET /announce?"+q.Encode()+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		answer, _ := io.ReadAll(nc)
		nc.Close()
		if !strings.Contains(string(answer), "failure reason") {
			listed++
		}
	}
	honest(t, c, 0)
	for n := range 700 { // one host claims copies without end, of another composition
		nc, err := from(t, c, loopback(1, 8))
		if err != nil {
			t.Fatal(err)
		}
		g := greetOf(t, nc, otherID, 3000+n)
		g.send(proto.Announce{Parts: 1, Have: 1})
		next[proto.Welcome](g)
		nc.Close()
	}
	if status := awaitCopy(t, c, otherID); status.Complete > 320 {
		t.Errorf("%d copies are counted", status.Complete)
	}
	copies := awaitCopy(t, c, testID).Complete // members that came a moment ago, as they say
	waits.send(proto.Await{Copies: uint32(copies) + 1})
	waits.send(proto.Progress{Have: 10})
	next[proto.Copies](waits)
	c.post(t.Context(), reads(func(_ time.Time, r *registry) {
		if n := len(r.guests.list); n > 80 {
			t.Errorf("%d guests are listed, 80 are the most", n)
		}
		if err := r.recount(); err != nil {
			t.Error(err)
		}
	}))
	waits.send(proto.KeepAlive{}) // which is answered after that
	next[proto.KeepAlive](waits)
	t.Logf("%d guests of 800 were let in", listed)
}
