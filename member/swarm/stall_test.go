package swarm

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

func addrOf(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1000)
}

// Whatever a peer says while it sends nothing of a run, the run is asked of somebody else.
func TestNoWordIsProgress(t *testing.T) {
	run := Run{0, 0, 256 << 10}
	for name, says := range map[string]func(n uint32) Event{
		"haves":       func(n uint32) Event { return Has{Peer: 0, Parts: []uint32{n % 2}} },
		"a few bytes": func(n uint32) Event { return Progress{Peer: 0, Down: 100, Run: run, Got: 100 * (n + 1)} },
		"interest":    func(n uint32) Event { return Interest{0, n%2 == 0} },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 1, 256<<10)
			d.seed(0)
			d.tell(Started{0, run})
			d.seed(1)
			for n := uint32(0); d.at < stalled; n++ {
				d.at += 100 * time.Millisecond
				d.tell(says(n))
			}
			if diff := cmp.Diff([]Run{run}, d.menu(1)); diff != "" {
				t.Error("asked of the other peer (-want +got):", diff)
			}
		})
	}
}

// A run that comes slowly is asked of a peer that would end it sooner, and of nobody else.
func TestSlowRunIsTakenOver(t *testing.T) {
	for _, test := range []struct {
		name     string
		got      uint32 // a second
		takeOver bool
	}{{"slow", 20 << 10, true}, {"nearly as fast", 600 << 10, false}} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, 1, RunSize)
			d.seed(0)
			run := d.menu(0)[0]
			d.tell(Started{0, run})
			d.seed(1)
			d.links.peers[1].pace = 1 << 20
			for d.at < 1400*time.Millisecond {
				d.at += 100 * time.Millisecond
				d.tell(Progress{Peer: 0, Down: 1, Run: run, Got: uint32(float64(test.got) * d.at.Seconds())})
			}
			if got := len(d.menu(1)) > 0; got != test.takeOver {
				t.Errorf("asked of the faster peer: %v", d.menu(1))
			}
		})
	}
}

// Who does not answer a recall is not waited for: all that it has not begun is asked of others.
func TestRecallThatIsNotAnswered(t *testing.T) {
	d := newDesk(t, 8, 256<<10)
	d.seed(0)
	d.at = patience
	d.seed(1)
	if len(of[Recall](d)) == 0 || len(d.menu(1)) != 0 {
		t.Fatalf("nothing is taken back for who has nothing to send: %v", d.got)
	}
	d.wait(d.at + answersStranger)
	if a, b := len(d.menu(0)), len(d.menu(1)); a != 0 || b != 8 {
		t.Errorf("the silent one is asked for %d runs, the other for %d", a, b)
	}
	d.tell(Left{0})
	d.tell(Joined{Peer: 0, ID: proto.PeerID{99}, Addr: addr(0), MaxRun: RunSize, MaxQueue: 100}, Has{Peer: 0, All: true}, Choked{Peer: 0})
	if n := len(d.menu(0)); n != 0 {
		t.Errorf("asked for %d runs when it comes again", n)
	}
	d.wait(d.links.peers[0].sends.until)
	if len(of[Recall](d)) == 0 {
		t.Error("it is not tried again: nothing is taken back for it")
	}
}

// Before the answer of a peer that sends stands what it sends: it is given the time that this
// takes.
func TestAnswerStandsBehindContent(t *testing.T) {
	const part = 256 << 10
	for _, test := range []struct {
		name string
		rate int64 // bytes a second that come from it; 0: it never sent anything
		want time.Duration
	}{
		{"a stranger", 0, answersStranger},
		{"it sends fast", 16 << 20, answersKnown + 7*part*time.Second/(16<<20)},
		{"it sends slowly", 64 << 10, answersMost},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, 8, part)
			d.seed(0)
			if test.rate > 0 {
				run := d.menu(0)[0]
				d.tell(Started{0, run})
				for d.at < time.Second {
					d.at += ReportEvery
					got := int64(part) * int64(d.at) / int64(time.Second)
					d.tell(Progress{0, test.rate * int64(ReportEvery) / int64(time.Second), run, uint32(got), false})
				}
				d.tell(Received{0, run})
			}
			p := d.links.peers[0]
			if got := d.requests.answers(p); (got - test.want).Abs() > test.want/8 {
				t.Errorf("waits %v for the answer, want about %v", got, test.want)
			}
		})
	}
}

// Who sends what was taken back from it did not withhold it: others are waited for as long from
// then on as it took.
func TestBelatedRunTeachesPatience(t *testing.T) {
	d := newDesk(t, 8, 256<<10)
	d.seed(0)
	d.at = patience
	d.seed(1)
	run := d.menu(0)[0]
	recalls := of[Recall](d)
	if len(recalls) == 0 {
		t.Fatalf("nothing is taken back for who has nothing to send: %v", d.got)
	}
	d.wait(d.at + answersStranger)
	if len(d.menu(0)) != 0 {
		t.Fatal("waited for although it does not answer")
	}
	const late = 2 * time.Second
	d.at = patience + late
	d.tell(Belated{0, run})
	if got := d.requests.answers(d.links.peers[1]); got != late {
		t.Errorf("the next one is waited for %v, want %v", got, late)
	}
	for range 100 {
		d.requests.answered(&fetch{recalledAt: d.at})
	}
	if got := d.requests.answers(d.links.peers[1]); got != answersStranger {
		t.Errorf("waited for %v when all answer at once, want %v", got, answersStranger)
	}
	before := d.requests.answering
	d.tell(Belated{1, run}) // it was never waited for
	if d.requests.answering != before {
		t.Error("patience comes of what was taken back for other reasons")
	}
}

// What is rejected is asked for again, there too, later each time; and a run that came makes up
// for it.
func TestRejectedRunIsAskedForAgain(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	d.seed(0)
	run := Run{0, 0, 256 << 10}
	var waits []time.Duration
	for range 4 {
		if diff := cmp.Diff([]Run{run}, d.menu(0)); diff != "" {
			t.Fatal("asked for (-want +got):", diff)
		}
		d.tell(Rejected{0, run})
		if len(d.menu(0)) != 0 {
			t.Fatal("asked for again at once")
		}
		at, ok := d.Next()
		if !ok {
			t.Fatal("never asked for again")
		}
		waits = append(waits, at-d.at)
		d.at = at
		d.tell(Tick{})
	}
	if diff := cmp.Diff([]time.Duration{refusedFirst, 2 * refusedFirst, 4 * refusedFirst, 8 * refusedFirst}, waits); diff != "" {
		t.Error("waits (-want +got):", diff)
	}
	d.tell(Started{0, run}, Received{0, run}, Stored{0})
	if d.links.peers[0].sends.onTrial() {
		t.Error("what was rejected before still counts")
	}
}

// Of a run of which a foreign client rejects blocks, these are asked for again there, and
// somebody who has nothing else to send is asked for the run.
func TestDeclinedBlocks(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	run := Run{0, 0, 256 << 10}
	d.tell(Joined{Peer: 0, ID: proto.PeerID{1}, Addr: addr(0), MaxQueue: 100}, Has{Peer: 0, All: true}, Choked{Peer: 0})
	d.tell(Started{0, run})
	d.tell(Declined{0, run})
	if diff := cmp.Diff([]Run{run}, d.menu(0)); diff != "" {
		t.Error("asked for (-want +got):", diff)
	}
	d.wait(refusedFirst)
	if diff := cmp.Diff([]Resume{{0}}, of[Resume](d)); diff != "" {
		t.Error("asked for again (-want +got):", diff)
	}
	d.tell(Declined{0, run})
	d.seed(1)
	if diff := cmp.Diff([]Run{run}, d.menu(1)); diff != "" {
		t.Error("asked of the other (-want +got):", diff)
	}
}

// What a peer said before is no gain, and nobody falls behind by it.
func TestRepeatedHaveIsNoGain(t *testing.T) {
	d := newDesk(t, 200, 256<<10)
	d.comes(0, 199, 198)
	d.comes(1, 1, 2, 3, 4, 5, 6, 7)
	d.tell(Progress{Peer: 0, Down: 1})
	for range 5 {
		d.at += behindAfter
		d.tell(Progress{Peer: 0, Down: movedLeast}, Has{Peer: 1, Parts: []uint32{1, 2, 3, 4, 5, 6, 7}})
	}
	if d.plan.chain.broken || d.links.peers[1].lead.gained != 0 {
		t.Errorf("chain broken: %v, gained %d parts", d.plan.chain.broken, d.links.peers[1].lead.gained)
	}
}

// guest is a foreign client that has everything and was asked for as much as it takes at first.
func (d *desk) guest(i int) {
	id := proto.PeerID{byte(i + 1)}
	d.tell(Joined{Peer: i, ID: id, Addr: addr(i), MaxQueue: 250},
		Has{Peer: i, All: true}, Choked{Peer: i})
}

// What a foreign client was asked for comes whether that is cancelled or not. So who is idle is
// asked for it at the end only, and only if it would come late.
func TestWhatAClientSendsIsNotTakenFromIt(t *testing.T) {
	const length = 256 << 10
	for _, test := range []struct {
		name     string
		parts    int
		rate     int // bytes a second that come from the client
		takeOver bool
	}{
		{"it comes soon", 2, 512 << 10, false},
		{"it comes late", 2, 40 << 10, true},
		{"it comes late, and there is more to do", 100, 40 << 10, false},
		{"nothing comes any more", 100, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, test.parts, length)
			d.guest(0)
			menu := d.menu(0)
			if len(menu) < 2 {
				t.Fatalf("the client is asked for %v", menu)
			}
			d.tell(Started{0, menu[0]})
			d.links.peers[0].sent, d.links.peers[0].blocks = true, 64 // it sent runs before these
			came := uint32(0)
			comes := func(rate int) {
				d.wait(d.at + time.Second/8)
				if came += uint32(rate / 8); rate > 0 {
					d.tell(Progress{Peer: 0, Down: int64(rate / 8), Run: menu[0], Got: came})
				}
			}
			comes(max(test.rate, 100<<10))
			d.tell(Joined{Peer: 1, ID: proto.PeerID{2}, Addr: addr(1), MaxRun: RunSize, MaxQueue: 100},
				Has{Peer: 1, Parts: []uint32{menu[1].Part}}, Choked{Peer: 1})
			d.links.peers[1].pace = 10 << 20
			took := len(d.menu(1)) > 0
			for d.at < stalled+time.Second && !took && came+uint32(test.rate/8) < length {
				comes(test.rate)
				took = len(d.menu(1)) > 0
			}
			if took != test.takeOver {
				t.Errorf("after %v the idle peer is asked for %v", d.at, d.menu(1))
			}
		})
	}
}

// What was not asked of a client yet, since its window is full, may be asked of anybody.
func TestWhatIsBehindTheWindowIsFree(t *testing.T) {
	d := newDesk(t, 2, 256<<10)
	d.guest(0)
	menu := d.menu(0)
	d.tell(Started{0, menu[0]})
	d.links.peers[0].sent = true
	d.tell(Progress{Peer: 0, Down: 1 << 20, Run: menu[0]})
	q := d.links.peers[0]
	for _, test := range []struct {
		blocks int
		out    bool
		soon   bool
	}{{16, false, false}, {17, false, true}, {16, true, true}} {
		q.blocks, q.fetches[1].out = test.blocks, test.out
		if got := d.requests.comesSoon(q, 1, &peer{}); got != test.soon {
			t.Errorf("%+v: the second run comes soon: %t", test, got)
		}
	}
}

// The window of a client follows what comes from it, down as well: what waits there cannot be taken
// back.
func TestWindowOfAClient(t *testing.T) {
	d := newDesk(t, 1000, RunSize)
	d.guest(0)
	run := d.menu(0)[0]
	d.tell(Started{0, run})
	q := d.links.peers[0]
	for _, test := range []struct {
		rate      int64
		low, high int // blocks
	}{{1 << 20, 72, 96}, {64 << 10, WindowFirst, 20}, {2 << 20, 120, 140}, {1 << 30, 250, 250}} {
		for range 20 * 8 {
			d.wait(d.at + time.Second/8)
			d.tell(Progress{Peer: 0, Down: test.rate / 8, Run: run, Got: RunSize / 2})
		}
		if q.blocks < test.low || q.blocks > test.high {
			t.Errorf("at %d bytes a second %d blocks are asked for, want %d to %d", test.rate, q.blocks, test.low, test.high)
		}
	}
}
