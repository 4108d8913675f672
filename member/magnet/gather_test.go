package magnet

import (
	"bytes"
	"crypto/sha1"
	"testing"

	"orchestra/proto"
)

func piecesOf(info []byte) (list []proto.Metadata) {
	for at := 0; at < len(info); at += proto.MetadataPiece {
		list = append(list, proto.Metadata{
			Kind: proto.MetadataData, Piece: at / proto.MetadataPiece, Total: len(info),
			Data: info[at:min(at+proto.MetadataPiece, len(info))],
		})
	}
	return list
}

func TestGather(t *testing.T) {
	for _, size := range []int{1, proto.MetadataPiece, 6*proto.MetadataPiece + 1} {
		info := bytes.Repeat([]byte("metadata"), size)[:size]
		all := piecesOf(info)
		g := newGathering(sha1.Sum(info), size)
		for !g.whole() {
			var asked []int
			for piece, ok := g.next(); ok; piece, ok = g.next() {
				asked = append(asked, piece)
			}
			if len(asked) == 0 || len(asked) > window {
				t.Fatalf("%d pieces are asked for", len(asked))
			}
			for i := len(asked) - 1; i >= 0; i-- {
				if err := g.take(all[asked[i]]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got, err := g.info(); err != nil || !bytes.Equal(got, info) {
			t.Errorf("of %d bytes come %d, %v", size, len(got), err)
		}
	}
}

func TestGatherRefuses(t *testing.T) {
	info := make([]byte, proto.MetadataPiece+100)
	for name, change := range map[string]func(m *proto.Metadata){
		"a piece that is cut off":    func(m *proto.Metadata) { m.Data = m.Data[:5] },
		"a piece that is too long":   func(m *proto.Metadata) { m.Data = append(m.Data, 0) },
		"a piece that was not asked": func(m *proto.Metadata) { m.Piece = 2 },
		"another size than before":   func(m *proto.Metadata) { m.Total = 5 },
		"that it does not give it":   func(m *proto.Metadata) { m.Kind = proto.MetadataReject },
	} {
		g := newGathering(sha1.Sum(info), len(info))
		g.next()
		g.next()
		m := piecesOf(info)[1]
		change(&m)
		if err := g.take(m); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	g := newGathering([20]byte{1}, len(info))
	for range 2 {
		g.next()
	}
	for _, m := range piecesOf(info) {
		if err := g.take(m); err != nil {
			t.Fatal(err)
		}
		if err := g.take(m); err == nil {
			t.Error("a piece is taken twice")
		}
	}
	if _, err := g.info(); err != errLie {
		t.Errorf("what the ID does not stand for is %v", err)
	}
}

// A peer may say anything: what it sends takes no more memory than it has, and is never taken for
// something else.
func FuzzGather(f *testing.F) {
	f.Add(20, []byte("d8:msg_typei1e5:piecei0e10:total_sizei20ee01234567890123456789"))
	f.Add(1<<26, []byte("d8:msg_typei1e5:piecei1ee"))
	f.Fuzz(func(t *testing.T, size int, payload []byte) {
		if size < 1 || size > proto.MaxMetadata {
			return
		}
		m, err := proto.ParseMetadata(payload)
		if err != nil || m.Kind == proto.MetadataRequest {
			return
		}
		g := newGathering(sha1.Sum(m.Data), size)
		g.next()
		if g.take(m) != nil {
			return
		}
		if g.bytes > len(payload) || g.here != 1 {
			t.Fatalf("of a message of %d bytes come %d", len(payload), g.bytes)
		}
		if g.whole() {
			if info, err := g.info(); err != nil || !bytes.Equal(info, m.Data) {
				t.Fatalf("what was sent comes back as %q, %v", info, err)
			}
		}
	})
}
