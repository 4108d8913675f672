package member_test

import (
	"bytes"
	"net"
	"os"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/proto"
)

// complaintTo answers one member as a conductor does, and returns the first complaint that it hears.
func complaintTo(l net.Listener) (bad proto.Complain, err error) {
	conn, err := l.Accept()
	if err != nil {
		return bad, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
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

// A member that was sent bad data tells its conductor by whom.
func TestComplainsOfBadData(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	liar := s.join(member.Config{Dir: s.dir})
	s.wantComplete(liar)
	if err := os.WriteFile(liar.Progress().Path, bytes.Repeat([]byte{1}, 1<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := s.join(member.Config{Dir: t.TempDir(), Conductors: []string{l.Addr().String()}, Peers: []string{liar.Addr().String()}})
	bad, err := complaintTo(l)
	if err != nil {
		t.Fatal(err)
	}
	if !bad.PeerID.Stable() {
		t.Errorf("it complains of %v", bad.PeerID)
	}
	for _, p := range []*player{p, liar} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}
