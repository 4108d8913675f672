package member

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// TestCancel takes a bulk request back before and after its first piece went out: a cancel of all
// of it comes too late then, one of the rest does not.
func TestCancel(t *testing.T) {
	const length = 1 << 20
	all := proto.Cancel{Length: length}
	rest := proto.Cancel{Begin: 1, Length: length - 1}
	for _, test := range []struct {
		name   string
		pieces int // that went out before
		cancel proto.Cancel
		reject proto.Reject // zero: none
	}{
		{"whole, not begun", 0, all, proto.Reject{Length: length}},
		{"whole, begun", 1, all, proto.Reject{}},
		{"rest, not begun", 0, rest, proto.Reject{Length: length}},
		{"rest, begun", 2, rest, proto.Reject{Begin: 2 * leastPiece, Length: length - 2*leastPiece}},
		{"of another request", 0, proto.Cancel{Length: length - 1}, proto.Reject{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, _ := pair(t, randomBytes(length), Config{})
			l.fast, l.choking = true, false
			l.m.unchained.Store(true)
			l.order(proto.Request{Length: length})
			l.grant([]uint32{0}, func(uint32) bool { return true })
			for range test.pieces {
				if e, _ := l.next(nil); len(e.pieces) != 1 || e.pieces[0].Length != leastPiece {
					t.Fatalf("sends %+v", e.pieces)
				}
			}
			l.cancelled(test.cancel)
			var want []byte
			if test.reject != (proto.Reject{}) {
				want = proto.Append(nil, test.reject)
			}
			if diff := cmp.Diff(want, l.say); diff != "" {
				t.Error("says (-want +got):", diff)
			}
			left := length - test.pieces*leastPiece
			if want != nil {
				left = 0
			}
			for e, _ := l.next(nil); !e.served; e, _ = l.next(nil) {
				for _, p := range e.pieces {
					left -= p.Length
				}
			}
			if left != 0 || l.count != 0 {
				t.Errorf("%d bytes too few are sent, %d requests wait", left, l.count)
			}
		})
	}
}

// TestTakenBack asks for the rest of what came only in part, since a cancel of the whole would let
// it come, and counts what came as wasted.
func TestTakenBack(t *testing.T) {
	for _, got := range []uint32{0, 256 << 10} {
		l, _ := pair(t, randomBytes(1<<20), Config{})
		l.maxRun = 1 << 20
		run := swarm.Run{Length: 1 << 20}
		l.fetch(run)
		l.asked[0].got = got
		l.say = nil
		l.cancel(run)
		from := max(got, 1)
		if diff := cmp.Diff(proto.Append(nil, proto.Cancel{Begin: from, Length: 1<<20 - from}), l.say); diff != "" {
			t.Errorf("%d bytes are here: says (-want +got): %s", got, diff)
		}
		if n := l.m.unused.Load(); n != int64(got) {
			t.Errorf("%d bytes of %d count as wasted", n, got)
		}
	}
}

// TestPieceFitsTheLine lets pieces be quick and slow.
func TestPieceFitsTheLine(t *testing.T) {
	l := &link{piece: leastPiece}
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
		if l.fit(test.took); l.piece != test.want {
			t.Errorf("after %v the next piece has %d bytes, want %d", test.took, l.piece, test.want)
		}
	}
}

// TestRefuseAll rejects what waits for a grant, and nothing that was granted.
func TestRefuseAll(t *testing.T) {
	l, _ := pair(t, randomBytes(3<<20), Config{})
	l.fast, l.choking = true, false
	for part := range uint32(3) {
		l.order(proto.Request{Part: part, Length: 100})
		l.order(proto.Request{Part: part, Begin: 100, Length: 50})
	}
	l.grant([]uint32{0}, func(uint32) bool { return true })
	l.say = nil
	l.refuseAll([]uint32{0, 2})
	want := proto.Append(proto.Append(nil, proto.Reject{Part: 2, Length: 100}), proto.Reject{Part: 2, Begin: 100, Length: 50})
	if diff := cmp.Diff(want, l.say); diff != "" {
		t.Error("says (-want +got):", diff)
	}
	if l.count != 4 || len(l.ready) != 3 || len(l.waiting) != 1 {
		t.Errorf("%d requests count, %d are ready, %d parts wait", l.count, len(l.ready), len(l.waiting))
	}
}
