package member_test

import (
	"net"
	"testing"
	"time"

	"orchestra/compose"
	"orchestra/member"
	"orchestra/orch"
	"orchestra/proto"
	"orchestra/proto/bencode"
)

// Two that know one member alone find each other by what it tells (BEP 11).
func TestMembersAreIntroduced(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	alone := func(peers ...string) *player { // nobody has anything, so that all go on looking
		return s.join(member.Config{
			Dir: t.TempDir(), Conductors: []string{}, Listen: "127.0.0.1:0", Peers: peers,
		})
	}
	known := alone()
	at := known.Addr().String()
	first, second := alone(at), alone(at)
	s.wait(func() bool {
		return first.Progress().Members == 2 && second.Progress().Members == 2
	})
	if n := first.Progress().Known + second.Progress().Known; n != 2 {
		t.Errorf("%d members are known, want the one each that the user named", n)
	}
}

// hail is the extension handshake of a member that shares a composition.
func hail(t *testing.T, m *player, id orch.ID) (ext proto.ExtHandshake, conn net.Conn, in *proto.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	hs := proto.Handshake{Protocol: proto.BitTorrent, ID: id, PeerID: proto.PeerID{'-', 'X'}}
	hs.SetExtended()
	said := proto.ExtHandshake{Messages: map[string]int{proto.ExtMetadata: 9, proto.ExtPeers: 8}}
	conn.Write(proto.Append(hs.Append(nil), proto.Extended{Payload: said.Append(nil)}))
	if _, err := proto.ReadHandshake(conn, proto.BitTorrent); err != nil {
		t.Fatal(err)
	}
	in = proto.NewReader(conn, proto.MaxFrame(1<<20), 4<<10)
	msg, err := in.Next()
	if err != nil {
		t.Fatal(err)
	}
	if ext, err = proto.ParseExtHandshake(msg.(proto.Extended).Payload); err != nil {
		t.Fatal(err)
	}
	return ext, conn, in
}

// What a member offers to clients that come by magnet (BEP 9) and tells of others (BEP 11), and
// where trackers alone may bring members together (BEP 27) neither.
func TestOffersOfCompositions(t *testing.T) {
	s := newScore(t, 100_000, 64<<10)
	info, err := s.file.Info()
	if err != nil {
		t.Fatal(err)
	}
	open := s.file
	dict, err := bencode.Decode(info)
	if err != nil {
		t.Fatal(err)
	}
	dict.(map[string]any)["private"] = 1
	info, err = bencode.Encode(dict)
	if err != nil {
		t.Fatal(err)
	}
	closed, err := orch.ParseInfo(info)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := compose.Compose(t.Context(), compose.Config{
		Path: s.dir + "/content.bin", Conductors: []string{"localhost:1"}, PartSize: 64 << 10,
		Hash: orch.SHA256,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file            *orch.File
		metadata, peers bool
	}{
		"open":               {open, true, true},
		"for trackers alone": {closed, false, false},
		"SHA-256 checksums":  {strong, false, true},
	} {
		m := s.join(member.Config{File: test.file, Dir: t.TempDir(), Conductors: []string{}, Listen: "127.0.0.1:0"})
		ext, _, _ := hail(t, m, test.file.ID())
		if got := ext.Metadata > 0 && ext.Messages[proto.ExtMetadata] > 0; got != test.metadata {
			t.Errorf("%s: metadata is offered: %v, of %d bytes", name, got, ext.Metadata)
		}
		if got := ext.Messages[proto.ExtPeers] > 0; got != test.peers {
			t.Errorf("%s: peers are exchanged: %v", name, got)
		}
	}
}

// A client that asks for all of the metadata again and again gets it a few times.
func TestMetadataIsNotSentWithoutEnd(t *testing.T) {
	s := newScore(t, 16<<20, 16<<10)
	m := s.join(member.Config{Dir: t.TempDir(), Conductors: []string{}, Listen: "127.0.0.1:0"})
	ext, conn, in := hail(t, m, s.file.ID())
	pieces := (ext.Metadata + proto.MetadataPiece - 1) / proto.MetadataPiece
	const rounds = 5
	for i := range rounds * pieces {
		request := proto.Metadata{Kind: proto.MetadataRequest, Piece: i % pieces}
		msg := proto.Extended{ID: uint8(ext.Messages[proto.ExtMetadata]), Payload: request.Append(nil)}
		if _, err := conn.Write(proto.Append(nil, msg)); err != nil {
			t.Fatal(err)
		}
	}
	sent, rejected := 0, 0
	for sent+rejected < rounds*pieces {
		msg, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := msg.(proto.Extended); ok && e.ID == 9 {
			m, err := proto.ParseMetadata(e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if m.Kind == proto.MetadataData {
				sent++
			} else {
				rejected++
			}
		}
	}
	if sent < pieces || sent >= rounds*pieces {
		t.Errorf("%d pieces are sent of %d, and %d are rejected", sent, pieces, rejected)
	}
}
