package magnet

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"

	"orchestra/proto"
)

// gathering is an info dictionary as it comes from one peer, which says how long it is. What it
// takes in memory is what came.
type gathering struct {
	id     [20]byte
	size   int
	pieces [][]byte // nil: did not come
	asked  int      // pieces, in order
	here   int      // pieces
	bytes  int      // of them
}

func newGathering(id [20]byte, size int) *gathering {
	n := (size + proto.MetadataPiece - 1) / proto.MetadataPiece
	return &gathering{id: id, size: size, pieces: make([][]byte, n)}
}

// next is the next piece to ask for, if one may be.
func (g *gathering) next() (piece int, ok bool) {
	if g.asked == len(g.pieces) || g.asked-g.here >= window {
		return 0, false
	}
	g.asked++
	return g.asked - 1, true
}

// take takes a piece in, or that the peer does not send it.
func (g *gathering) take(m proto.Metadata) error {
	switch {
	case m.Kind == proto.MetadataReject:
		return errNone
	case m.Piece >= g.asked || g.pieces[m.Piece] != nil:
		return fmt.Errorf("it sends piece %d of the description unasked", m.Piece)
	}
	want := min(g.size-m.Piece*proto.MetadataPiece, proto.MetadataPiece)
	if len(m.Data) != want || m.Total > 0 && m.Total != g.size {
		return fmt.Errorf("piece %d of its description has %d bytes, and %d are missing",
			m.Piece, len(m.Data), want)
	}
	g.pieces[m.Piece] = bytes.Clone(m.Data)
	g.here++
	g.bytes += want
	return nil
}

func (g *gathering) whole() bool { return g.here == len(g.pieces) }

var errLie = errors.New("it sent another description")

// info gives the whole, if it is what the ID stands for.
func (g *gathering) info() ([]byte, error) {
	h := sha1.New()
	for _, p := range g.pieces {
		h.Write(p)
	}
	if [20]byte(h.Sum(nil)) != g.id {
		return nil, errLie
	}
	return bytes.Join(g.pieces, nil), nil
}
