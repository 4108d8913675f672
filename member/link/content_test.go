package link

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// A run comes in pieces, and the core hears when it begins, how far it is now and then, and when it
// is whole.
func TestRunComes(t *testing.T) {
	l := member(1 << 20)
	run := swarm.Run{Length: 300}
	l.fetch(run)
	var told []Event
	tell := func(events []Event) { told = append(told, events...) }
	piece := func(at time.Duration, begin uint32, n ...int) Fate {
		t.Helper()
		length := 0
		for _, k := range n {
			length += k
		}
		events, err := l.Hear(0, proto.Piece{Begin: begin, Length: length})
		if a, offset := l.Coming(); err != nil || a == nil || a.Run != run ||
			offset != int64(begin) {
			t.Fatalf("the piece at %d goes to %+v at %d: %v", begin, a, offset, err)
		}
		tell(events)
		for _, k := range n {
			tell(l.Took(at, k))
		}
		fate, events := l.Arrived(at)
		tell(events)
		return fate
	}
	if fate := piece(0, 0, 60, 40); fate != More {
		t.Errorf("after a third: %v", fate)
	}
	if fate := piece(swarm.ReportEvery, 100, 50, 50); fate != More {
		t.Errorf("after two thirds: %v", fate)
	}
	tell(l.InLimited(2*swarm.ReportEvery - 1))
	if fate := piece(2*swarm.ReportEvery-1, 200, 100); fate != Whole {
		t.Errorf("at the end: %v", fate)
	}
	want := []Event{
		swarm.Started{Run: run},
		swarm.Progress{Down: 60, Run: run, Got: 60},
		swarm.Progress{Down: 90, Run: run, Got: 150},
		swarm.Progress{Down: 150, Run: run, Got: 300},
		swarm.Received{Run: run},
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error("events (-want +got):", diff)
	}
	if n := l.Wasted(); n != 0 {
		t.Errorf("%d bytes are wasted", n)
	}
}

// What this member's own limit holds up is told even if nothing came.
func TestLimited(t *testing.T) {
	l := member(1 << 20)
	run := swarm.Run{Length: 300}
	l.fetch(run)
	l.Hear(0, proto.Piece{Length: 300})
	var told []Event
	for at := time.Duration(0); at < 3*swarm.ReportEvery; at += swarm.ReportEvery / 2 {
		told = append(told, l.InLimited(at)...)
		if ev := l.OutLimited(at); (ev != nil) != (at%swarm.ReportEvery == 0) {
			t.Errorf("at %v of what goes out %v is told", at, ev)
		}
	}
	p := swarm.Progress{Run: run, Limited: true}
	if diff := cmp.Diff([]Event{p, p, p}, told); diff != "" {
		t.Error("events (-want +got):", diff)
	}
}

// What went out is told although it is also told that the limit holds it up.
func TestLimitedGoesOut(t *testing.T) {
	l := member(1 << 20)
	var went int64
	for at := time.Duration(0); at < 10*swarm.ReportEvery; at += swarm.ReportEvery / 4 {
		l.OutLimited(at)
		if sent, ok := l.Went(at, 100).(swarm.Sent); ok {
			went += sent.Bytes
		}
	}
	if went < 3600 {
		t.Errorf("of 4,000 bytes that went out %d are told", went)
	}
}

// A run may be given up while a piece of it comes: the piece is taken in, leads nowhere, and what
// is asked for meanwhile is another run, though it is the same.
func TestGivenUpInAPiece(t *testing.T) {
	l := member(1 << 20)
	run := swarm.Run{Length: 300}
	l.fetch(run)
	l.Hear(0, proto.Piece{Length: 100})
	first, _ := l.Coming()
	l.Took(0, 50)
	l.cancel(run)
	l.fetch(run)
	if list := l.Dropped(); len(list) != 1 || list[0] != first || !first.Taking() {
		t.Errorf("given up: %+v", list)
	}
	l.Took(0, 50)
	if fate, _ := l.Arrived(0); fate != Gone || first.Taking() || l.Wasted() != 100 {
		t.Errorf("its fate is %v", fate)
	}
	l.Hear(0, proto.Piece{Begin: 100, Length: 100}) // of what was given up
	if a, _ := l.Coming(); a != nil || l.Wasted() != 100 {
		t.Errorf("what follows of it goes to %+v", a)
	}
	if events, _ := l.Hear(0, proto.Reject{Begin: 200, Length: 100}); len(events) > 0 {
		t.Errorf("what answers the cancel is told: %v", events)
	}
	if events, _ := l.Hear(0, proto.Piece{Length: 100}); len(events) != 1 {
		t.Errorf("when it comes again %v is told", events)
	}
}

// Who answers no cancel is remembered only so many.
func TestCancelsThatAreNotAnswered(t *testing.T) {
	l := member(1 << 20)
	run := swarm.Run{Length: 300}
	for range 3 * mostGhosts {
		l.fetch(run)
		l.cancel(run)
		l.say = nil
	}
	if n := len(l.ghosts); n != mostGhosts {
		t.Errorf("%d are remembered", n)
	}
}
