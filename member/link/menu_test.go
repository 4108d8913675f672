package link

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// says takes the messages that wait to be sent.
func (l *Link) says(t *testing.T) []proto.Message {
	t.Helper()
	say := l.say
	l.say = nil
	return l.messages(say)
}

// messages reads what is encoded.
func (l *Link) messages(text []byte) (list []proto.Message) {
	r := proto.NewReader(bytes.NewReader(text), proto.MaxFrame(int(l.parts)), 16<<10)
	for {
		msg, err := r.Next()
		if err != nil {
			return list
		}
		list = append(list, msg)
	}
}

func blocks(part uint32, at ...uint32) (list []proto.Message) {
	for _, begin := range at {
		list = append(list, proto.Request{
			Part: part, Begin: begin * proto.Block,
			Length: proto.Block,
		})
	}
	return list
}

// A foreign client that rejects a block is asked for that one again, later, and for all others
// as if nothing had been; if it rejects all that it is asked for, for nothing until then.
func TestRejectedBlock(t *testing.T) {
	l := New(Config{Size: 2 << 20, PartSize: 1 << 20, Terms: NewTerms(true)})
	run := swarm.Run{Length: 6 * proto.Block}
	reject := func(block uint32) Event {
		t.Helper()
		events, err := l.Hear(0, proto.Reject{Begin: block * proto.Block, Length: proto.Block})
		if err != nil {
			t.Fatal(err)
		}
		return append(events, nil)[0]
	}
	comes := func(block uint32) (whole bool) {
		t.Helper()
		_, err := l.Hear(0, proto.Piece{Begin: block * proto.Block, Length: proto.Block})
		if a, _ := l.Coming(); a == nil || err != nil {
			t.Fatalf("block %d is not accepted: %v", block, err)
		}
		l.Took(0, proto.Block)
		fate, _ := l.Arrived(0)
		return fate == Whole
	}
	says := func(what string, want ...proto.Message) {
		t.Helper()
		if diff := cmp.Diff(want, l.says(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	l.setWindow(2)
	l.fetch(run)
	says("at first", blocks(0, 0, 1)...)
	comes(0)
	says("after a block", blocks(0, 2)...)
	if diff := cmp.Diff(Event(swarm.Declined{Run: run}), reject(1)); diff != "" {
		t.Error("the core hears (-want +got):", diff)
	}
	says("after a rejected one", blocks(0, 3)...)
	if reject(1) != nil {
		t.Error("one block is rejected twice")
	}
	reject(3)
	says("after two in a row")
	comes(2)
	says("after one that came between", blocks(0, 4, 5)...)
	l.resume()
	says("when it is asked again, and the window is full")
	comes(4)
	says("with room in it", blocks(0, 1)...)
	comes(5)
	says("with more room", blocks(0, 3)...)
	comes(1)
	if !comes(3) || l.out != 0 {
		t.Errorf("the run is not whole, or %d blocks are outstanding", l.out)
	}

	l.fetch(run)
	l.says(t)
	reject(0)
	if diff := cmp.Diff(Event(swarm.Declined{Run: run}), reject(1)); diff != "" {
		t.Error("the core hears (-want +got):", diff)
	}
	if diff := cmp.Diff(Event(swarm.Rejected{Run: run}), reject(2)); diff != "" {
		t.Error("when all that it was asked for is rejected, the core hears (-want +got):", diff)
	}
	if l.out != 0 || len(l.asked) != 0 {
		t.Errorf("%d blocks are outstanding of %d runs", l.out, len(l.asked))
	}
	l.resume()
	l.fetch(run)
	l.says(t)
	reject(0)
	l.says(t)
	l.cancel(run)
	if got := len(l.says(t)); got != 2 || l.out != 0 {
		t.Errorf("%d blocks are taken back, %d are outstanding", got, l.out)
	}
}

// A run that is taken back and asked for again while the far end sends it comes twice. What is of
// the first request goes by, however much of it came before, and all of the second is taken.
func TestTakenBackAndAskedForAgain(t *testing.T) {
	const size, piece = 1 << 20, 256 << 10
	for _, before := range []int{0, 1, 3} { // pieces
		for _, inTheMiddle := range []bool{false, true} {
			for _, after := range []int{0, 1, 4} {
				l := member(size)
				run := swarm.Run{Length: size}
				at := 0
				comes := func() (taken bool) {
					if _, err := l.Hear(0, proto.Piece{Begin: uint32(at), Length: piece}); err != nil {
						t.Fatal(err)
					}
					a, _ := l.Coming()
					at += piece
					return a != nil
				}
				l.fetch(run)
				for range before {
					comes()
					l.Took(0, piece)
					l.Arrived(0)
				}
				if inTheMiddle {
					comes()
				}
				l.cancel(run)
				if inTheMiddle {
					l.Took(0, piece)
					l.Arrived(0)
				}
				l.fetch(run)
				for range after {
					if at < size && comes() {
						t.Errorf("before %d: what comes late is taken for what is to come", before)
					}
				}
				if at < size {
					reject := proto.Reject{Begin: uint32(at), Length: uint32(size - at)}
					if _, err := l.Hear(0, reject); err != nil || len(l.asked) != 1 {
						t.Errorf("before %d, after %d: the second request is not asked for any more",
							before, after)
					}
				}
				for at = 0; at < size; {
					if !comes() {
						t.Fatalf("before %d, in the middle %v, after %d: the piece at %d is not taken",
							before, inTheMiddle, after, at-piece)
					}
					l.Took(0, piece)
					l.Arrived(0)
				}
				if len(l.asked) != 0 || len(l.ghosts) != 0 {
					t.Errorf("%d runs and %d ghosts are left", len(l.asked), len(l.ghosts))
				}
			}
		}
	}
}

// TestTakenBack asks for the rest of what came only in part, since a cancel of the whole would let
// it come, and counts what came as wasted.
func TestTakenBack(t *testing.T) {
	for _, got := range []uint32{0, 256 << 10} {
		l := member(1 << 20)
		run := swarm.Run{Length: 1 << 20}
		l.fetch(run)
		l.asked[0].got = got
		l.say = nil
		l.cancel(run)
		from := max(got, 1)
		if diff := cmp.Diff(proto.Append(nil, proto.Cancel{Begin: from, Length: 1<<20 - from}),
			l.say); diff != "" {
			t.Errorf("%d bytes are here: says (-want +got): %s", got, diff)
		}
		if n := l.Wasted(); n != int64(got) {
			t.Errorf("%d bytes of %d count as wasted", n, got)
		}
	}
}
