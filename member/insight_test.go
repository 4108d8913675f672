package member_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"orchestra/internal/cli/switchboard"
	"orchestra/member"
	"orchestra/proto"
)

// What a member says of itself and its peers is what they have and what moved.
func TestInsight(t *testing.T) {
	// All of it takes long enough that it is not there when it is looked at.
	s := newScore(t, 12<<20, 256<<10)
	first := s.join(member.Config{Dir: s.dir, UploadLimit: 1 << 20, Conductors: []string{}})
	second := s.join(member.Config{Dir: t.TempDir(), Conductors: []string{}, Peers: []string{first.Addr().String()}})
	all := bytes.Repeat([]byte{0xff}, 6)
	s.wait(func() bool {
		in, ok := first.Insight(t.Context())
		return ok && bytes.Equal(in.Bits, all) && len(in.Peers) == 1 && in.Peers[0].Parts > 2 && len(in.Peers[0].Bits) == 6 &&
			in.Peers[0].Sent > 512<<10 && in.Peers[0].Received == 0 && in.Progress.Complete
	})
	in, ok := second.Insight(t.Context())
	if !ok || len(in.Peers) != 1 || in.Peers[0].Addr != first.Addr() || in.Peers[0].Received < 512<<10 ||
		in.Peers[0].Parts != 48 || in.Peers[0].Bits != nil || bytes.Equal(in.Bits, all) {
		t.Errorf("the second knows %+v", in)
	}
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
		if _, ok := p.Insight(t.Context()); ok {
			t.Error("one that ended answers")
		}
	}
}

// A member reports when it is asked, and not otherwise; what moved before the connection began does
// not count on it.
func TestReportsToAConductor(t *testing.T) {
	s := newScore(t, 3<<20, 64<<10)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	board := switchboard.New(t)
	// The first lacks a part, which comes when the conductor watches.
	first := s.join(member.Config{Dir: s.spoilt(64<<10, 5), Conductors: []string{}})
	second := s.join(member.Config{
		Dir: t.TempDir(), Version: "1.2", Conductors: []string{board.Addr()},
		Peers: []string{first.Addr().String()},
	})
	s.wait(func() bool { return second.Progress().PartsDone == 47 })
	board.Connect(l.Addr().String())
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	hello, err := proto.ReadHandshake(conn, proto.Orchestra)
	if err != nil {
		t.Fatal(err)
	}
	out := proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil)
	conn.Write(proto.Append(proto.Append(out, proto.Welcome{}), proto.Watch{Every: 1}))
	in := proto.NewConductorReader(conn)
	third := &player{}
	var content, holds, received bool
	bits := make([]byte, 6)
	for complete := false; !complete || !content || !holds || !received; {
		msg, err := in.Next()
		if err != nil {
			t.Fatalf("content %t, holds %t, received %t, complete %t: %v", content, holds, received, complete, err)
		}
		switch m := msg.(type) {
		case proto.Content:
			content = m == proto.Content{Size: 3 << 20, PartSize: 64 << 10, Version: "1.2"}
		case proto.Holds:
			holds = true
			copy(bits[m.First:], m.Bits)
			if third.Member == nil { // it watches
				third = s.join(member.Config{Dir: s.dir, Peers: []string{second.Addr().String()}})
			}
		case proto.Received:
			received = len(m.From) == 1 && m.From[0].Bytes > 0
		case proto.Progress:
			complete = m.Have == 48
			if m.Downloaded > 64<<10 {
				t.Errorf("%d bytes came while it was connected", m.Downloaded)
			}
		}
	}
	if !holds || bytes.Equal(bits, make([]byte, 6)) {
		t.Errorf("it told of the parts % x", bits)
	}
	for _, p := range []*player{first, second, third} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}
