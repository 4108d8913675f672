package link

import (
	"testing"
	"time"

	"orchestra/proto"
)

// TestPieceFitsTheLine lets pieces be quick and slow.
func TestPieceFitsTheLine(t *testing.T) {
	l := member(1)
	for _, test := range []struct {
		took time.Duration
		want int
	}{
		{time.Millisecond, 2 * leastPiece},
		{time.Millisecond, proto.MaxPiece},
		{time.Millisecond, proto.MaxPiece},
		{pieceTime, proto.MaxPiece},
		{time.Second, proto.MaxPiece / 2},
		{time.Second, leastPiece},
		{time.Second, leastPiece},
	} {
		if l.Fit(test.took); l.size != test.want {
			t.Errorf("after %v the next piece has %d bytes, want %d", test.took, l.size, test.want)
		}
	}
}
