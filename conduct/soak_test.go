package conduct

import (
	"math/rand/v2"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"orchestra/proto"
)

// soakFor is how long tests go on that look for what only time brings: as long as
// ORCHESTRA_TEST_SOAK says, or else a moment.
func soakFor(t testing.TB) (time.Duration, bool) {
	text := os.Getenv("ORCHESTRA_TEST_SOAK")
	if text == "" {
		return 2 * time.Second, false
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("ORCHESTRA_TEST_SOAK: %v", err)
	}
	return d, true
}

// soaked returns the second number in a long run, and else the first.
func soaked(short, long int) int {
	if os.Getenv("ORCHESTRA_TEST_SOAK") != "" {
		return long
	}
	return short
}

// TestSoak has members come and go over real connections, a thousand a minute and
// in a short run as fast as it goes, in every way that they do: alone and many on
// one connection, with clients among them, complete or not, parting with or
// without a word. Memory and goroutines stay as they were after the beginning, and
// what is counted is what is there.
func TestSoak(t *testing.T) {
	needsLoopback(t)
	length, long := soakFor(t)
	c := servingChanged(t, Config{MaxMembers: 400, MaxPerAddress: 60}, func(c *Conductor) {
		c.seat = apart
		c.log, c.rare, c.news = zerolog.Nop(), zerolog.Nop(), newNews(zerolog.Nop())
	})
	// Those that stay hold the compositions, so that copies are remembered.
	for n := range 4 {
		g := visit(t, c, n)
		g.send(proto.Announce{Port: 1, Parts: 100, Want: 50})
		next[proto.Welcome](g)
		g.nc.SetReadDeadline(time.Time{})
		var pings sync.WaitGroup
		ended := make(chan struct{})
		pings.Go(func() {
			for {
				if _, err := g.in.Next(); err != nil {
					return
				}
			}
		})
		pings.Go(func() {
			for {
				select {
				case <-ended:
					return
				case <-time.After(20 * time.Second):
					_, _ = g.nc.Write(proto.Append(nil, proto.KeepAlive{}))
				}
			}
		})
		t.Cleanup(func() { close(ended); g.nc.Close(); pings.Wait() })
	}
	var pace *time.Ticker
	if long {
		pace = time.NewTicker(60 * time.Millisecond)
		defer pace.Stop()
	}
	random := rand.New(rand.NewPCG(1, 2))
	type sample struct {
		heap       uint64
		goroutines int
	}
	look := func() sample {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return sample{m.HeapAlloc, runtime.NumGoroutine()}
	}
	var joins, turn int
	var open []*soaking
	begun, told := time.Now(), time.Now()
	churn := func(until time.Time) {
		for time.Now().Before(until) {
			if time.Since(told) > time.Minute {
				told = time.Now()
				t.Logf("%v, %d joins: %d goroutines",
					time.Since(begun).Round(time.Second), joins, runtime.NumGoroutine())
			}
			if pace != nil {
				<-pace.C
			}
			turn++
			if s := join(t, c, turn, random); s != nil {
				joins++
				open = append(open, s)
			}
			for len(open) > 60 || len(open) > 0 && random.IntN(3) == 0 {
				i := random.IntN(len(open))
				open[i].part(random.IntN(2) == 0)
				open[i] = open[len(open)-1]
				open = open[:len(open)-1]
			}
		}
		for _, s := range open {
			s.part(true)
		}
		open = open[:0]
	}
	churn(time.Now().Add(length / 3))
	atRest(t, c, 4)
	before := look()
	churn(time.Now().Add(2 * length / 3))
	atRest(t, c, 4)
	after := look()
	t.Logf("%d joins; %d and %d KiB, %d and %d goroutines",
		joins, before.heap>>10, after.heap>>10, before.goroutines, after.goroutines)
	if joins < 20 {
		t.Errorf("%d joins", joins)
	}
	if after.heap > before.heap+before.heap/2+4<<20 {
		t.Errorf("%d KiB are in use, after %d", after.heap>>10, before.heap>>10)
	}
	if after.goroutines > before.goroutines+8 {
		t.Errorf("%d goroutines, after %d", after.goroutines, before.goroutines)
	}
}

// atRest waits until only those that stay are connected, and holds what is counted
// to what is there.
func atRest(t *testing.T, c *Conductor, members int) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		var recount error
		linked, visitors := 0, 0
		read := make(chan struct{})
		c.post(t.Context(), reads(func(_ time.Time, r *registry) {
			recount, linked = r.recount(), len(r.links)
			close(read)
		}))
		<-read
		c.gate.mu.Lock()
		visitors = len(c.gate.visitors)
		c.gate.mu.Unlock()
		if recount != nil {
			t.Fatal(recount)
		}
		if linked == members && visitors == 0 && c.gate.count() == members {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d members, %d visitors, %d connections after all but %d left",
				linked, visitors, c.gate.count(), members)
		}
	}
}

// A soaking is a member, or several on one connection, for the while that it is there.
type soaking struct {
	g        *guest
	channels []uint16
}

// join has somebody come; nil if that was a client, which has no connection.
func join(t *testing.T, c *Conductor, n int, random *rand.Rand) *soaking {
	t.Helper()
	if random.IntN(8) == 0 {
		announceHTTP(t, c.Addr().String(), func(q url.Values) {
			q.Set("peer_id", "-XX0002-"+netip.AddrFrom4([4]byte{100, 100, 100, byte(100 + n%100)}).String()[:12])
		})
		return nil
	}
	ann := proto.Announce{Port: uint16(random.IntN(3)), Parts: 100, Have: uint32(random.IntN(2) * 100), Want: 50}
	ann.Key[0] = byte(n)
	if random.IntN(4) == 0 {
		ann.Advertise = "127.0.0.1:1"
	}
	if random.IntN(4) == 0 {
		nc, err := from(t, c, loopback(n, 20))
		if err != nil {
			t.Fatal(err)
		}
		s := &soaking{g: greetTrunk(t, nc, true)}
		for ch := range uint16(1 + random.IntN(5)) {
			id := idN(int(ch))
			s.g.send(proto.Open{Channel: ch, ID: id, PeerID: peerN(100_000 + 10*n + int(ch))})
			s.g.within(ch, ann, proto.Named{Label: "soak"}, proto.Titled{})
			nextWithin[proto.Welcome](s.g, ch)
			s.channels = append(s.channels, ch)
		}
		return s
	}
	nc, err := from(t, c, loopback(n, 20))
	if err != nil {
		t.Fatal(err)
	}
	g := greet(t, nc, 1000+n)
	g.send(ann)
	next[proto.Welcome](g)
	g.send(proto.Progress{Have: 50, Downloaded: 1 << 20})
	return &soaking{g: g}
}

func (s *soaking) part(politely bool) {
	if politely {
		for _, ch := range s.channels {
			_, _ = s.g.nc.Write(proto.Append(nil, proto.Shut{Channel: ch}))
		}
	} else if tcp, ok := s.g.nc.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // it is reset
	}
	s.g.nc.Close()
}
