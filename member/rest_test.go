package member_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/proto"
)

// doorman counts who comes to an address, and does something with each of them.
func doorman(t *testing.T, does func(net.Conn)) (at netip.AddrPort, count *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	count = new(atomic.Int32)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(patience))
			does(conn)
			conn.Close()
			count.Add(1)
		}
	}()
	t.Cleanup(func() { listener.Close(); <-ended })
	return listener.Addr().(*net.TCPAddr).AddrPort(), count
}

// announces answers announcements with these addresses, when it may.
func announces(t *testing.T, when <-chan struct{}, addrs ...netip.AddrPort) *httptest.Server {
	var peers []byte
	for _, a := range addrs {
		ip := a.Addr().As4()
		peers = append(append(peers, ip[:]...), byte(a.Port()>>8), byte(a.Port()))
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		select {
		case <-when:
			fmt.Fprintf(w, "d8:intervali1800e5:peers%d:%se", len(peers), peers)
		case <-req.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// A member that has everything, and is told by one tracker after the other of a client that has
// too, and of itself, dials each of them once.
func TestCompleteMembersRest(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	hs := proto.Handshake{Protocol: proto.BitTorrent, ID: s.file.ID(), PeerID: proto.PeerID{'s'}}
	hs.SetFast()
	seed, seedMet := doorman(t, func(conn net.Conn) {
		conn.Write(proto.Append(hs.Append(nil), proto.HaveAll{}))
		io.Copy(io.Discard, conn)
	})
	var self atomic.Pointer[player]
	itself, itselfMet := doorman(t, func(conn net.Conn) {
		far, err := net.Dial("tcp", self.Load().Addr().String())
		if err != nil {
			return
		}
		defer far.Close()
		far.SetDeadline(time.Now().Add(patience))
		go io.Copy(far, conn)
		io.Copy(conn, far)
	})
	first, second := make(chan struct{}), make(chan struct{})
	f := s.withTracker(announces(t, first, seed, itself).URL + "/announce")
	last := announces(t, second, seed, itself)
	f.Lines = append(f.Lines, f.Lines[len(f.Lines)-1])
	f.Lines[len(f.Lines)-1].Value = last.URL + "/announce"
	p := s.join(member.Config{File: f, Dir: s.dir})
	self.Store(p)
	s.wantComplete(p)
	close(first)
	s.wait(func() bool { return seedMet.Load() == 1 && itselfMet.Load() == 1 })
	close(second)
	time.Sleep(4 * time.Second) // twice as long as it took before
	if n, m := seedMet.Load(), itselfMet.Load(); n != 1 || m != 1 {
		t.Errorf("it dials who has everything %d times, and itself %d times", n, m)
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}

// A client that is choked gets the parts that BEP 6 has for its address, and no others.
func TestChokedClientGetsFavours(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	seed := s.join(member.Config{Dir: s.dir})
	s.wantComplete(seed)
	conn := stranger(t, seed, s, 'g', proto.HaveNone{})
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := proto.ReadHandshake(conn, proto.BitTorrent); err != nil {
		t.Fatal(err)
	}
	want := proto.FastSet(netip.MustParseAddr("127.0.0.1"), s.file.ID(), 64, proto.FastSetSize)
	in := proto.NewReader(conn, proto.MaxFrame(s.file.NumParts()), 0)
	next := func() proto.Message {
		for {
			msg, err := in.Next()
			if err != nil {
				t.Fatal(err)
			}
			switch msg.(type) {
			case proto.Extended, proto.HaveAll, proto.KeepAlive:
				continue
			}
			return msg
		}
	}
	var got []uint32
	for len(got) < len(want) {
		allowed, ok := next().(proto.AllowedFast)
		if !ok {
			t.Fatalf("after %v something else comes", got)
		}
		got = append(got, allowed.Part)
	}
	if !slices.Equal(got, want) {
		t.Errorf("it may ask for %v, want %v", got, want)
	}
	other := uint32(0)
	for slices.Contains(want, other) {
		other++
	}
	for _, part := range []uint32{other, want[3]} {
		r := proto.Request{Part: part, Length: proto.Block}
		if _, err := conn.Write(proto.Append(nil, r)); err != nil {
			t.Fatal(err)
		}
		answer := proto.Message(proto.Piece{Part: part, Length: proto.Block})
		if part == other {
			answer = proto.Reject(r)
		}
		if msg := next(); msg != answer {
			t.Errorf("part %d is answered by %v, want %v", part, msg, answer)
		}
	}
	conn.Close()
	end(t, seed)
}

// A client that has everything is told that this member has too before the link ends, however soon
// it says so.
func TestLastWordsAreSaid(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	seed := s.join(member.Config{Dir: s.dir})
	s.wantComplete(seed)
	for n := range byte(30) {
		conn := stranger(t, seed, s, 'a'+n, proto.HaveAll{}, proto.Interested{}, proto.KeepAlive{})
		conn.SetDeadline(time.Now().Add(patience))
		if _, err := proto.ReadHandshake(conn, proto.BitTorrent); err != nil {
			t.Fatal(err)
		}
		in := proto.NewReader(conn, proto.MaxFrame(s.file.NumParts()), 0)
		said := false
		for {
			msg, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			_, all := msg.(proto.HaveAll)
			said = said || all
		}
		if conn.Close(); !said {
			t.Fatalf("the %d. link ends before it is said", n)
		}
	}
	end(t, seed)
}
