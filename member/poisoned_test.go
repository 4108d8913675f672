package member_test

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/proto"
)

// poisons sends rot for whatever a member asks for, over link after link and under a fresh peer id
// each time, until it is told to stop. Each link ends after one part.
func (s *score) poisons(of *player, from string, stop *atomic.Bool) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	for !stop.Load() {
		if conn, err := dialer.Dial("tcp", of.Addr().String()); err == nil {
			s.rots(conn, stop)
			conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// rots sends rot over one link until a part's worth went out, or nothing is asked for.
func (s *score) rots(conn net.Conn, stop *atomic.Bool) {
	hello := proto.Handshake{Protocol: proto.BitTorrent, ID: s.file.ID()}
	for i := range hello.PeerID {
		hello.PeerID[i] = byte(rand.Uint32())
	}
	hello.SetFast()
	hello.SetExtended()
	ext := proto.ExtHandshake{MaxRequest: proto.MaxRequest, Reqq: 100}
	first := proto.Append(hello.Append(nil), proto.Extended{Payload: ext.Append(nil)})
	first = proto.Append(proto.Append(first, proto.HaveAll{}), proto.Unchoke{})
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(first); err != nil {
		return
	}
	if _, err := proto.ReadHandshake(conn, proto.BitTorrent); err != nil {
		return
	}
	in := proto.NewReader(conn, proto.MaxFrame(s.file.NumParts()), 0)
	for sent := int64(0); sent < s.file.PartLen(0) && !stop.Load(); {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		msg, err := in.Next()
		if err != nil {
			return
		}
		r, ok := msg.(proto.Request)
		if !ok {
			continue
		}
		for at := uint32(0); at < r.Length; {
			n := min(r.Length-at, 64<<10)
			piece := proto.Piece{Part: r.Part, Begin: r.Begin + at, Length: int(n)}
			if _, err := conn.Write(append(proto.Append(nil, piece), make([]byte, n)...)); err != nil {
				return
			}
			at, sent = at+n, sent+int64(n)
		}
	}
}

// Three liars at one address and one elsewhere, under ever new ids, cost a member that has an
// honest source a few parts, and it gets the right content.
func TestPoisonUnderFreshIDs(t *testing.T) {
	const part = 4 << 20
	s := newScore(t, 24*part, part)
	p := s.join(member.Config{Dir: t.TempDir(), DownloadLimit: 32 << 20})
	src := s.join(member.Config{Dir: s.dir, Peers: []string{p.Addr().String()}})
	s.wait(func() bool { return p.Progress().PartsDone > 0 })
	var stop atomic.Bool
	var group sync.WaitGroup
	for _, from := range []string{"127.0.0.7", "127.0.0.7", "127.0.0.7", "127.0.0.8"} {
		group.Go(func() { s.poisons(p, from, &stop) })
	}
	s.wantComplete(p)
	stop.Store(true)
	group.Wait()
	// A part and a MiB are asked of each of two addresses before anything is known to be bad, and a
	// part after that. What others sent of the same parts may be thrown away with it.
	if got, most := p.Progress().Wasted, int64(8*part); got > most {
		t.Errorf("%d bytes came for nothing, want %d at most", got, most)
	}
	end(t, p)
	end(t, src)
}
