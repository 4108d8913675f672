package member_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/proto"
)

// complaintTo answers one member as a conductor does, and returns the first complaint that it
// hears. A connection that the member gave up while nobody answered makes room for the next one.
func complaintTo(l net.Listener) (bad proto.Complain, err error) {
	for range 10 {
		conn, err := l.Accept()
		if err != nil {
			return bad, err
		}
		bad, err = complaintOver(conn)
		conn.Close()
		if err == nil {
			return bad, nil
		}
	}
	return bad, errors.New("the member ends each of its connections")
}

func complaintOver(conn net.Conn) (bad proto.Complain, err error) {
	conn.SetDeadline(time.Now().Add(patience))
	hello, err := proto.ReadHandshake(conn, proto.Orchestra)
	if err != nil {
		return bad, err
	}
	out := proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil)
	if _, err := conn.Write(proto.Append(out, proto.Welcome{})); err != nil {
		return bad, err
	}
	for in := proto.NewConductorReader(conn); ; {
		msg, err := in.Next()
		if err != nil {
			return bad, err
		}
		if bad, ok := msg.(proto.Complain); ok {
			return bad, nil
		}
	}
}

// peerID asks a member who it is, as another member would.
func (s *score) peerID(p *player) proto.PeerID {
	s.t.Helper()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(proto.Handshake{Protocol: proto.BitTorrent, ID: s.file.ID(), PeerID: proto.PeerID{1}}.Append(nil)); err != nil {
		s.t.Fatal(err)
	}
	hello, err := proto.ReadHandshake(conn, proto.BitTorrent)
	if err != nil {
		s.t.Fatal(err)
	}
	return hello.PeerID
}

// A member that was sent bad data tells all its conductors by whom, and one that does not answer
// yet when it does.
func TestComplainsOfBadData(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	liar := s.join(member.Config{Dir: s.dir})
	s.wantComplete(liar)
	if err := os.WriteFile(liar.Progress().Path, bytes.Repeat([]byte{1}, 1<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	want := s.peerID(liar)
	var conductors []net.Listener
	var addrs []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		conductors, addrs = append(conductors, l), append(addrs, l.Addr().String())
	}
	p := s.join(member.Config{Dir: t.TempDir(), Conductors: addrs, Peers: []string{liar.Addr().String()}})
	for i, l := range conductors { // the second answers once the first has heard
		bad, err := complaintTo(l)
		if err != nil {
			t.Fatal(err)
		}
		if bad.PeerID != want {
			t.Errorf("conductor %d hears of %v, want %v", i, bad.PeerID, want)
		}
	}
	for _, p := range []*player{p, liar} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}
