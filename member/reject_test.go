package member

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// says takes the messages that wait to be sent.
func (l *link) says(t *testing.T) (list []proto.Message) {
	t.Helper()
	r := proto.NewReader(strings.NewReader(string(l.say)), proto.MaxFrame(l.m.comp.NumParts()), readAhead)
	for l.say = nil; ; {
		msg, err := r.Next()
		if err != nil {
			return list
		}
		list = append(list, msg)
	}
}

func blocks(part uint32, at ...uint32) (list []proto.Message) {
	for _, begin := range at {
		list = append(list, proto.Request{Part: part, Begin: begin * proto.Block, Length: proto.Block})
	}
	return list
}

// A foreign client that rejects a block is asked for that one again, later, and for all others
// as if nothing had been; if it rejects all that it is asked for, for nothing until then.
func TestRejectedBlock(t *testing.T) {
	l, _ := pair(t, randomBytes(2<<20), Config{})
	run := swarm.Run{Length: 6 * proto.Block}
	reject := func(block uint32) swarm.Event {
		return l.rejected(proto.Reject{Begin: block * proto.Block, Length: proto.Block})
	}
	comes := func(block uint32) (whole bool) {
		msg := proto.Piece{Begin: block * proto.Block, Length: proto.Block}
		a, err := l.accept(msg)
		if a == nil || err != nil {
			t.Fatalf("block %d is not accepted: %v", block, err)
		}
		return l.arrived(a, msg)
	}
	says := func(what string, want ...proto.Message) {
		t.Helper()
		if diff := cmp.Diff(want, l.says(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	l.peer, l.window = 0, 2
	l.fetch(run)
	says("at first", blocks(0, 0, 1)...)
	comes(0)
	says("after a block", blocks(0, 2)...)
	if diff := cmp.Diff(swarm.Event(swarm.Declined{Run: run}), reject(1)); diff != "" {
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
	if diff := cmp.Diff(swarm.Event(swarm.Declined{Run: run}), reject(1)); diff != "" {
		t.Error("the core hears (-want +got):", diff)
	}
	if diff := cmp.Diff(swarm.Event(swarm.Rejected{Run: run}), reject(2)); diff != "" {
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

// A piece of no bytes says nothing, and whoever sends one does not keep to the protocol.
func TestEmptyPieceEndsTheLink(t *testing.T) {
	for _, maxRun := range []uint32{0, 1 << 20} {
		l, _ := pair(t, randomBytes(1<<20), Config{})
		l.maxRun = maxRun
		l.fetch(swarm.Run{Length: 1 << 20})
		err := l.handle(t.Context(), proto.Piece{}, &batch{link: l})
		if err == nil || len(l.m.inbox) > 0 {
			t.Errorf("runs of %d bytes: %v, the core heard %d times", maxRun, err, len(l.m.inbox))
		}
	}
}

// What is granted and taken back goes out with the next grant, from where it stopped, and may be
// cancelled before that as it may be while it goes out.
func TestRevoke(t *testing.T) {
	const length = 1 << 20
	l, _ := pair(t, randomBytes(length), Config{})
	l.fast, l.choking = true, false
	l.m.unchained.Store(true)
	here := func(uint32) bool { return true }
	l.order(proto.Request{Length: length})
	l.grant([]uint32{0}, here)
	if e, _ := l.next(nil); len(e.pieces) != 1 {
		t.Fatalf("sends %+v", e)
	}
	l.revoke()
	if e, _ := l.next(nil); len(e.pieces) > 0 || e.served {
		t.Fatalf("after it was taken back: %+v", e)
	}
	if _, waits := l.cancelled(proto.Cancel{Length: length}); waits || len(l.says(t)) > 0 {
		t.Error("what was begun is rejected")
	}
	l.grant([]uint32{0}, here)
	at := leastPiece
	for e, _ := l.next(nil); !e.served; e, _ = l.next(nil) {
		for _, p := range e.pieces {
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
	l.next(nil)
	l.revoke()
	if part, gone := l.cancelled(proto.Cancel{Begin: 1, Length: length - 1}); !gone || part != 0 {
		t.Error("what waits again cannot be cancelled")
	}
	if diff := cmp.Diff([]proto.Message{proto.Reject{Begin: leastPiece, Length: length - leastPiece}}, l.says(t)); diff != "" {
		t.Error("says (-want +got):", diff)
	}
}

// Where the system does not tell the round trip, the time until a member answers the handshake
// does. What it says then is not lost.
func TestAnswerToTheHandshakeIsKept(t *testing.T) {
	l, far := pair(t, randomBytes(1), Config{})
	l.fast, l.maxRun = true, 1<<20
	if _, err := far.Write(proto.Append(nil, proto.HaveNone{})); err != nil {
		t.Fatal(err)
	}
	if err := l.awaitAnswer(); err != nil || l.first != (proto.HaveNone{}) {
		t.Errorf("kept %v, %v", l.first, err)
	}
	l.first, l.maxRun = nil, 0
	if err := l.awaitAnswer(); err != nil || l.first != nil {
		t.Errorf("waits for a foreign client, which need not say anything: %v %v", l.first, err)
	}
}
