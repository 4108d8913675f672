package member_test

import (
	"net"
	"slices"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/member/swarm"
	"orchestra/proto"
)

// A source is a peer that has everything, and sends what it is told to.
type source struct {
	t    *testing.T
	conn net.Conn
	in   *proto.Reader
}

// source links a source to a member.
func (s *score) source(of *player, id byte) *source {
	s.t.Helper()
	conn, err := net.Dial("tcp", of.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	hello := proto.Handshake{
		Protocol: proto.BitTorrent, ID: s.file.ID(), PeerID: proto.PeerID{id},
	}
	hello.SetFast()
	hello.SetExtended()
	ext := proto.ExtHandshake{MaxRequest: proto.MaxRequest, Reqq: 100}
	first := proto.Append(hello.Append(nil), proto.Extended{Payload: ext.Append(nil)})
	first = proto.Append(proto.Append(first, proto.HaveAll{}), proto.Unchoke{})
	if _, err := conn.Write(first); err != nil {
		s.t.Fatal(err)
	}
	if _, err := proto.ReadHandshake(conn, proto.BitTorrent); err != nil {
		s.t.Fatal(err)
	}
	return &source{s.t, conn, proto.NewReader(conn, proto.MaxFrame(s.file.NumParts()), 0)}
}

// request waits until something is asked for.
func (o *source) request() proto.Request {
	o.t.Helper()
	for {
		msg, err := o.in.Next()
		if err != nil {
			o.t.Fatal(err)
		}
		if r, ok := msg.(proto.Request); ok {
			return r
		}
	}
}

// sends sends content that belongs at an offset of a part.
func (o *source) sends(part, begin uint32, content []byte) {
	o.t.Helper()
	for stretch := range slices.Chunk(content, 64<<10) {
		piece := proto.Piece{Part: part, Begin: begin, Length: len(stretch)}
		if _, err := o.conn.Write(append(proto.Append(nil, piece), stretch...)); err != nil {
			o.t.Fatal(err)
		}
		begin += uint32(len(stretch))
	}
}

// A liar begins a run and falls silent until somebody honest is asked for it as well and has sent
// half of it; then it sends what is wrong. The honest one is not blamed, and has it all.
func TestFramedMemberIsNotBlamed(t *testing.T) {
	const size = swarm.RunSize // a part that comes in one run
	s := newScore(t, size, size)
	p, says := s.noted(member.Config{Dir: t.TempDir()})
	rot := make([]byte, size)

	liar := s.source(p, 1)
	r := liar.request()
	liar.sends(r.Part, r.Begin, rot[:64<<10])

	honest := s.source(p, 2)
	r = honest.request()
	content := s.content[r.Begin : r.Begin+r.Length]
	honest.sends(r.Part, r.Begin, content[:r.Length/2])
	liar.sends(r.Part, r.Begin+64<<10, rot[64<<10:r.Length])
	s.wait(func() bool { return p.Progress().Wasted >= size })
	liar.conn.Close()

	honest.sends(r.Part, r.Begin+r.Length/2, content[r.Length/2:]) // which it cancelled meanwhile
	r = honest.request()
	honest.sends(r.Part, r.Begin, s.content[r.Begin:r.Begin+r.Length])
	s.wantComplete(p)
	if lines := says.lines("does not verify|no connection to"); len(lines) > 0 {
		t.Errorf("somebody was blamed: %q", lines)
	}
	end(t, p)
}
