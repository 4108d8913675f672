package member_test

import (
	"io"
	"net"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/proto"
)

// stranger opens a connection to a member, speaks as one does, and says what follows.
func stranger(t *testing.T, to *player, s *score, name byte, says ...proto.Message) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", to.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	hs := proto.Handshake{Protocol: proto.BitTorrent, ID: s.file.ID(), PeerID: proto.PeerID{name}}
	hs.SetFast()
	hs.SetExtended()
	b := hs.Append(nil)
	b = proto.Append(b, proto.Extended{Payload: proto.ExtHandshake{Version: "stranger"}.Append(nil)})
	for _, msg := range says {
		b = proto.Append(b, msg)
	}
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
	return conn
}

// flood says the same again and again until the far end has had enough, and reports whether it had.
func flood(conn net.Conn, frames []byte) bool {
	conn.SetDeadline(time.Now().Add(patience))
	go io.Copy(io.Discard, conn)
	for {
		if _, err := conn.Write(frames); err != nil {
			timeout, ok := err.(net.Error)
			return !ok || !timeout.Timeout()
		}
	}
}

// Whatever a stranger floods a member with, its link is ended, and who comes is served meanwhile.
func TestFloodsAreEnded(t *testing.T) {
	s := newScore(t, 4<<20, 256<<10)
	seed := s.join(member.Config{Dir: s.dir})
	request := proto.Request{Part: 1, Length: proto.Block}
	floods := map[string][]proto.Message{
		"parts":         {proto.Have{Part: 1}},
		"interest":      {proto.Interested{}, proto.NotInterested{}},
		"nothing":       {proto.KeepAlive{}},
		"taken back":    {request, proto.Cancel(request)},
		"bitfields":     {proto.Bitfield{Bits: []byte{0x80, 0}}},
		"handshakes":    {proto.Extended{Payload: []byte("d1:md2:xxi1eee")}},
		"from tomorrow": {proto.Unknown{ID: 200}},
	}
	name := byte('a')
	for what, says := range floods {
		name++
		var frames []byte
		for range 500 {
			for _, msg := range says {
				frames = proto.Append(frames, msg)
			}
		}
		if !flood(stranger(t, seed, s, name, proto.HaveNone{}, proto.Interested{}), frames) {
			t.Errorf("a flood of %s is borne", what)
		}
	}
	content := proto.Append(nil, proto.Piece{Part: 1, Length: proto.Block})
	content = append(content, make([]byte, proto.Block)...)
	if !flood(stranger(t, seed, s, 'Z', proto.HaveNone{}), content) {
		t.Error("a flood of content that nobody asked for is borne")
	}
	newcomer := s.join(member.Config{Dir: t.TempDir(), Peers: []string{seed.Addr().String()}})
	s.wantComplete(newcomer)
	end(t, newcomer, seed)
}

// Strangers that say nothing, or a byte now and then, keep nobody out, and are sent away.
func TestSilentStrangersKeepNobodyOut(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	seed := s.join(member.Config{Dir: s.dir})
	for range 700 {
		conn, err := net.Dial("tcp", seed.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.Write([]byte{19})
	}
	newcomer := s.join(member.Config{Dir: t.TempDir(), Peers: []string{seed.Addr().String()}})
	s.wantComplete(newcomer)
	end(t, newcomer, seed)
}

// A member that has all, takes requests and answers nothing is waited for by nobody, with parts of
// which it was asked for most.
func TestWithholdersAreNotWaitedFor(t *testing.T) {
	s := newScore(t, 16<<20, 2<<20)
	newcomer := s.join(member.Config{Dir: t.TempDir()})
	for name := range byte(3) {
		conn := stranger(t, newcomer, s, 'a'+name, proto.HaveAll{}, proto.Unchoke{})
		go io.Copy(io.Discard, conn)
	}
	begun := time.Now()
	seed := s.join(member.Config{Dir: s.dir, Peers: []string{newcomer.Addr().String()}})
	s.wantComplete(newcomer)
	end(t, newcomer, seed)
	t.Logf("complete after %v", time.Since(begun))
}
