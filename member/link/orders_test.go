package link

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// member is a link to another member, for content of parts of 1 MiB.
func member(size int64) *Link {
	terms := NewTerms(true)
	terms.Take(Offered(), 1<<20)
	return New(Config{Size: size, PartSize: 1 << 20, Terms: terms})
}

// next is what goes out next to a peer that takes turns with others, when all is here.
func (l *Link) next() Errand {
	return l.Next(0, Room{Most: proto.MaxPiece, Upto: func(uint32) int64 { return 1 << 20 }}, nil)
}

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
		{"rest, begun", 2, rest, proto.Reject{
			Begin:  2 * leastPiece,
			Length: length - 2*leastPiece,
		}},
		{"of another request", 0, proto.Cancel{Length: length - 1}, proto.Reject{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := member(length)
			l.choking = false
			l.order(proto.Request{Length: length})
			l.grant([]uint32{0}, func(uint32) bool { return true })
			for range test.pieces {
				if e := l.next(); len(e.Pieces) != 1 || e.Pieces[0].Length != leastPiece {
					t.Fatalf("sends %+v", e.Pieces)
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
			for e := l.next(); e.Told == nil; e = l.next() {
				for _, p := range e.Pieces {
					left -= p.Length
				}
			}
			if left != 0 || l.count != 0 {
				t.Errorf("%d bytes too few are sent, %d requests wait", left, l.count)
			}
		})
	}
}

// TestRefuseAll rejects what waits for a grant, and nothing that was granted.
func TestRefuseAll(t *testing.T) {
	l := member(3 << 20)
	l.choking = false
	for part := range uint32(3) {
		l.order(proto.Request{Part: part, Length: 100})
		l.order(proto.Request{Part: part, Begin: 100, Length: 50})
	}
	l.grant([]uint32{0}, func(uint32) bool { return true })
	l.say = nil
	l.refuseAll([]uint32{0, 2})
	want := proto.Append(proto.Append(nil, proto.Reject{Part: 2, Length: 100}),
		proto.Reject{Part: 2, Begin: 100, Length: 50})
	if diff := cmp.Diff(want, l.say); diff != "" {
		t.Error("says (-want +got):", diff)
	}
	if l.count != 4 || len(l.ready) != 3 || len(l.waiting) != 1 {
		t.Errorf("%d requests count, %d are ready, %d parts wait", l.count, len(l.ready),
			len(l.waiting))
	}
}

// What is granted and taken back goes out with the next grant, from where it stopped, and may be
// cancelled before that as it may be while it goes out.
func TestRevoke(t *testing.T) {
	const length = 1 << 20
	l := member(length)
	l.choking = false
	here := func(uint32) bool { return true }
	l.order(proto.Request{Length: length})
	l.grant([]uint32{0}, here)
	if e := l.next(); len(e.Pieces) != 1 {
		t.Fatalf("sends %+v", e)
	}
	l.revoke()
	if e := l.next(); len(e.Pieces) > 0 || e.Told != nil {
		t.Fatalf("after it was taken back: %+v", e)
	}
	if _, waits := l.cancelled(proto.Cancel{Length: length}); waits || len(l.says(t)) > 0 {
		t.Error("what was begun is rejected")
	}
	l.grant([]uint32{0}, here)
	at := leastPiece
	for e := l.next(); e.Told == nil; e = l.next() {
		for _, p := range e.Pieces {
			if int(p.Begin) != at {
				t.Fatalf("sends %+v, want it to begin at %d", p, at)
			}
			at += p.Length
		}
	}
	if at != length || l.count != 0 {
		t.Errorf("%d of %d bytes went out, %d requests wait", at, length, l.count)
	}
	l.order(proto.Request{Length: length})
	l.grant([]uint32{0}, here)
	l.next()
	l.revoke()
	if part, gone := l.cancelled(proto.Cancel{Begin: 1, Length: length - 1}); !gone || part != 0 {
		t.Error("what waits again cannot be cancelled")
	}
	if diff := cmp.Diff([]proto.Message{proto.Reject{
		Begin:  leastPiece,
		Length: length - leastPiece,
	}}, l.says(t)); diff != "" {
		t.Error("says (-want +got):", diff)
	}
}

// What is left of a part that does not come is rejected, and the grant ends. What was asked of
// parts that are here goes on.
func TestRelayIsBrokenOff(t *testing.T) {
	const came = 300_000
	l := member(2 << 20)
	l.choking = false
	room := Room{Most: proto.MaxPiece, Alone: true, Upto: func(uint32) int64 { return came }}
	l.order(proto.Request{Length: 1 << 20})
	l.order(proto.Request{Part: 1, Length: 1 << 20})
	l.grant([]uint32{0, 1}, func(part uint32) bool { return part == 1 })
	next := func(want proto.Piece) {
		t.Helper()
		e := l.Next(0, room, nil)
		if diff := cmp.Diff([]proto.Piece{want}, e.Pieces); diff != "" {
			t.Fatal("sends (-want +got):", diff)
		}
	}
	next(proto.Piece{Length: proto.MaxPiece})
	next(proto.Piece{Part: 1, Length: proto.MaxPiece})
	l.refuseAll([]uint32{0, 1})
	if diff := cmp.Diff([]proto.Message{
		proto.Reject{Begin: proto.MaxPiece, Length: 1<<20 - proto.MaxPiece},
	}, l.says(t)); diff != "" {
		t.Error("says (-want +got):", diff)
	}
	for begin := uint32(proto.MaxPiece); begin < 1<<20; begin += proto.MaxPiece {
		next(proto.Piece{Part: 1, Begin: begin, Length: proto.MaxPiece})
	}
	if e := l.Next(0, room, nil); e.Told == nil || l.count != 0 {
		t.Errorf("%+v is next, and %d requests wait", e, l.count)
	}
}

// What comes slowly holds nothing up that is here: neither another request of its grant nor a grant
// that was made later, which is told to have been served first.
func TestWhatIsHereGoesFirst(t *testing.T) {
	for _, length := range []uint32{1000, 300_000} { // in single blocks, and in bulk
		l := member(4 << 20)
		l.choking = false
		upto := [4]int64{0, 0, 100, 0}
		room := Room{
			Most: proto.MaxPiece, Alone: true,
			Upto: func(part uint32) int64 { return upto[part] },
		}
		for part := range uint32(4) {
			l.order(proto.Request{Part: part, Length: length})
		}
		l.grant([]uint32{0, 1}, func(part uint32) bool { return part == 1 })
		l.grant([]uint32{2}, func(uint32) bool { return false })
		l.grant([]uint32{3}, func(uint32) bool { return true })
		sent := map[uint32]uint32{}
		var served []int
		all := func() {
			for {
				e := l.Next(0, room, nil)
				if len(e.Pieces) == 0 && e.Told == nil {
					return
				}
				for _, p := range e.Pieces {
					if sent[p.Part] != p.Begin {
						t.Errorf("of part %d %d bytes are sent, and now those from %d on", p.Part,
							sent[p.Part], p.Begin)
					}
					sent[p.Part] += uint32(p.Length)
				}
				if e.Told != nil {
					served = append(served, e.Told.(swarm.Served).Grant)
				}
			}
		}
		all()
		want := map[uint32]uint32{1: length, 3: length}
		if length > proto.MaxBlock {
			want[2] = 100
		}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Error("while parts 0 and 2 come (-want +got):", diff)
		}
		upto = [4]int64{int64(length), 0, int64(length), 0}
		all()
		if diff := cmp.Diff(map[uint32]uint32{0: length, 1: length, 2: length, 3: length},
			sent); diff != "" {
			t.Error("when they are here (-want +got):", diff)
		}
		if diff := cmp.Diff([]int{2, 0, 0}, served); diff != "" || l.count != 0 {
			t.Errorf("served (-want +got): %s; %d requests wait", diff, l.count)
		}
	}
}
