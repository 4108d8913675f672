package link

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// What a peer has in flight follows its share of the line; a fast line is the system's business.
func TestInFlight(t *testing.T) {
	for _, test := range []struct {
		share     int64
		roundTrip time.Duration
		packet    int
		want      int
	}{
		{100_000, 0, 1448, flightLeast},
		{4 << 20, 0, 1448, 62914},
		{2 << 20, 16 * time.Millisecond, 1448, 73400},
		{1 << 30, 0, 1448, 0},
		{100_000, 0, 64 << 10, 0},
	} {
		if got := InFlight(test.share, test.roundTrip, test.packet); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}

// What cannot be read is rejected with what follows of its request, and not with what follows of
// another.
func TestUnsendable(t *testing.T) {
	for _, test := range []struct {
		name  string
		asked []proto.Request
		want  proto.Reject
	}{
		{"begun", []proto.Request{{Length: 1 << 20}}, proto.Reject{Length: 1 << 20}},
		{
			"the last of it",
			[]proto.Request{{Length: 150_000}, {Begin: 150_000, Length: 150_000}},
			proto.Reject{Length: 150_000},
		},
		{
			"a block",
			[]proto.Request{{Length: 100}, {Begin: 100, Length: 100}},
			proto.Reject{Length: 100},
		},
	} {
		l := member(1 << 20)
		l.setChoke(false)
		for _, r := range test.asked {
			l.order(r)
		}
		l.grant([]uint32{0}, func(uint32) bool { return true })
		l.says(t)
		p := l.Next(0, Room{Most: 1 << 20, Alone: true}, nil).Pieces[0]
		if !l.Unsendable(p) {
			t.Fatal("is not rejected")
		}
		if diff := cmp.Diff([]proto.Message{test.want}, l.says(t)); diff != "" {
			t.Errorf("%s (-want +got): %s", test.name, diff)
		}
	}
	if New(Config{Size: 1, PartSize: 1, Terms: NewTerms(false)}).Unsendable(proto.Piece{Length: 1}) {
		t.Error("who takes no rejection gets one")
	}
}
