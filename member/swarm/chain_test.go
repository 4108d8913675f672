package swarm

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// comes brings a link to a near member, that has some parts and serves.
func (d *desk) comes(i int, has ...uint32) {
	d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), Dialled: true, MaxRun: RunSize, MaxQueue: 100},
		Has{Peer: i, Parts: has}, Interest{i, true}, Choked{Peer: i})
}

func (d *desk) sentTo() (peers []int) {
	for _, g := range of[Grant](d) {
		peers = append(peers, g.Peer)
	}
	return peers
}

// TestSenderStaysUntilOthersWait has two peers ask a sharer: the first is served alone, until the
// second has waited long enough, then both are. The first is told that it is to ask others too.
func TestSenderStaysUntilOthersWait(t *testing.T) {
	d, _ := completeDesk(t, 100)
	d.comes(0, 90)
	d.comes(1, 91)
	d.tell(Wanted{0, []uint32{1, 2, 3, 4, 5, 6}}, Wanted{1, []uint32{10, 11, 12, 13}})
	if diff := cmp.Diff([]int{0, 0}, d.sentTo()); diff != "" {
		t.Fatal("grants (-want +got):", diff)
	}
	d.at = orphanWait - 1
	d.tell(Served{Peer: 0})
	if diff := cmp.Diff([]int{0}, d.sentTo()); diff != "" {
		t.Fatal("grants while the second waits (-want +got):", diff)
	}
	if at, ok := d.Next(); !ok || at > orphanWait {
		t.Fatalf("next at %v, want %v at the latest", at, orphanWait)
	}
	d.at = orphanWait
	d.tell(Tick{})
	if got := d.sentTo(); !slices.Contains(got, 1) {
		t.Errorf("the second waited for %v, and grants go to %v", orphanWait, got)
	}
	if diff := cmp.Diff([]Dismiss{{0}}, of[Dismiss](d)); diff != "" {
		t.Error("dismissed (-want +got):", diff)
	}
	if refused := of[Refuse](d); len(refused) > 0 {
		t.Errorf("refuses %v, which it has", refused)
	}
	if !d.plan.chain.broken {
		t.Error("the chain goes on")
	}
	d.tell(Has{Peer: 0, All: true}, Has{Peer: 1, All: true})
	d.comes(2, 90)
	if d.plan.chain.broken {
		t.Error("who comes when all others are complete gets no chain")
	}
}

// A sharer does not give the chain up soon for somebody who has one part and no upstream, while
// others have nothing yet: they are getting theirs, and the last of them serves it then.
func TestChainIsLeftTimeToForm(t *testing.T) {
	d, _ := completeDesk(t, 100)
	d.comes(0, 90)
	d.comes(1, 91)
	d.comes(2)
	for i := range 3 {
		d.tell(Wanted{i, []uint32{1, 2, 3, 4, 5, 6}})
	}
	served := func(until time.Duration) {
		for d.at += downPatience / 2; d.at < until; d.at += downPatience / 2 {
			d.tell(Served{Peer: 0}, Wanted{0, []uint32{1, 2, 3, 4, 5, 6}})
		}
	}
	served(firstWait)
	if d.plan.chain.broken {
		t.Fatalf("the chain is given up at %v, while one has nothing yet", d.at)
	}
	d.tell(Has{Peer: 2, Parts: []uint32{7}})
	served(d.at + 2*downPatience)
	if !d.plan.chain.broken {
		t.Errorf("the chain goes on at %v, though all have something and two wait", d.at)
	}
}

// TestSenderLooksForAnother has the downstream want nothing for a while.
func TestSenderLooksForAnother(t *testing.T) {
	d, _ := completeDesk(t, 100)
	d.comes(0)
	d.comes(1)
	d.tell(Wanted{0, []uint32{1}})
	d.at = downPatience
	d.tell(Served{Peer: 0}, Wanted{1, []uint32{2}})
	if got := d.sentTo(); got != nil {
		t.Fatalf("grants to %v at once", got)
	}
	d.at = 2 * downPatience
	if at, ok := d.Next(); !ok || at > d.at {
		t.Fatalf("next at %v, want %v at the latest", at, d.at)
	}
	d.tell(Tick{})
	if diff := cmp.Diff([]int{1}, d.sentTo()); diff != "" || d.plan.chain.broken {
		t.Errorf("chain broken: %v; grants (-want +got): %s", d.plan.chain.broken, diff)
	}
}

// TestReceiverAsksItsUpstream takes back what others were asked for when something comes from one,
// and asks them again when nothing does.
func TestReceiverAsksItsUpstream(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	d.comes(0, 1, 2, 3)
	d.comes(1, 4, 5, 6)
	other := d.menu(1)
	if len(other) != menuOrphan {
		t.Fatalf("an orphan asks for %v", other)
	}
	d.tell(Started{0, d.menu(0)[0]})
	var recalled []Run
	for _, r := range of[Recall](d) {
		recalled = append(recalled, r.Run)
	}
	if diff := cmp.Diff(other, recalled); diff != "" {
		t.Fatal("recalled (-want +got):", diff)
	}
	for _, r := range other {
		d.tell(Rejected{1, r})
	}
	d.tell(Has{Peer: 1, Parts: []uint32{7}})
	if m := d.menu(1); len(m) > 0 {
		t.Errorf("asks %v of who is not its upstream", m)
	}
	d.at = upPatience
	d.tell(Tick{})
	if m := d.menu(1); len(m) != menuOrphan {
		t.Errorf("asks %v of the others when nothing came for %v", m, upPatience)
	}
	if d.plan.chain.broken {
		t.Error("the chain is broken")
	}
	d.tell(Progress{Peer: 1, Down: 1})
	if d.plan.chain.up != d.links.peers[1] {
		t.Error("who sends next is not the upstream")
	}
	d.tell(Left{1})
	if d.plan.chain.up != nil {
		t.Error("the upstream is one that left")
	}
}

// TestWhoIsBehindLeavesTheChain compares what comes with what another gains.
func TestWhoIsBehindLeavesTheChain(t *testing.T) {
	const size = 256 << 10
	for _, test := range []struct {
		name   string
		has    int   // parts at the beginning
		came   int64 // while the other gains behindParts, each time
		rounds int
		broken bool
	}{
		{"as fast", 20, behindParts * size, 5, false},
		{"half as fast", 20, behindParts * size / 2, 5, false},
		{"slow once", 20, size, 1, false},
		{"slow again", 20, size, 2, true},
		{"slow at the beginning", 0, size, 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, 200, size)
			for part := range uint32(test.has) {
				d.rare.remove(part)
				d.tell(Stored{part})
			}
			d.comes(0, 199, 198)
			d.comes(1)
			d.tell(Progress{Peer: 0, Down: 1})
			next := uint32(50)
			for range test.rounds {
				d.at += behindAfter
				d.tell(Progress{Peer: 0, Down: test.came})
				for range behindParts {
					d.tell(Has{Peer: 1, Parts: []uint32{next}})
					next++
				}
			}
			if d.plan.chain.broken != test.broken {
				t.Errorf("broken: %v", d.plan.chain.broken)
			}
		})
	}
}

// Members that announce the parts of a second at once, one after another, are no faster than who
// gets theirs all the time.
func TestWhoAnnouncesLateIsNoFaster(t *testing.T) {
	const (
		size  = 32 << 10
		rate  = 7 // parts a second
		step  = 50 * time.Millisecond
		span  = 1500 * time.Millisecond
		peers = 5
	)
	d := newDesk(t, 1000, size)
	d.comes(0, 999, 998)
	for i := range peers {
		d.comes(1 + i)
	}
	d.tell(Progress{Peer: 0, Down: 1})
	var told [peers]int
	for d.at < 20*time.Second {
		d.at += step
		d.tell(Progress{Peer: 0, Down: int64(rate * size * step.Seconds())})
		for i := range peers {
			if d.at%span != span*time.Duration(i)/peers {
				continue
			}
			for ; told[i] < int(rate*d.at.Seconds()); told[i]++ {
				d.tell(Has{Peer: 1 + i, Parts: []uint32{uint32(told[i])}})
			}
		}
		if d.plan.chain.broken {
			t.Fatalf("left the chain at %v", d.at)
		}
	}
}

// TestDismissed leaves the chain when the upstream says so, and not when it rejects something.
func TestDismissed(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	d.comes(0, 1, 2, 3)
	d.comes(1, 1, 2, 3)
	d.tell(Progress{Peer: 0, Down: 1})
	for _, r := range of[Recall](d) {
		d.tell(Rejected(r))
	}
	if d.plan.chain.broken {
		t.Fatal("what was taken back counts as rejected")
	}
	d.tell(Rejected{0, d.menu(0)[0]}, Dismissed{1})
	if d.plan.chain.broken {
		t.Fatal("who is rejected something, or dismissed by somebody else, leaves the chain")
	}
	d.tell(Dismissed{0})
	if !d.plan.chain.broken || len(d.menu(1)) == 0 {
		t.Errorf("broken: %v, asks the other for %v", d.plan.chain.broken, d.menu(1))
	}
}

// TestHaveDelay tells who may ask for a part at once, and the others later.
func TestHaveDelay(t *testing.T) {
	const part = 99
	type delays = [3]time.Duration
	follows := func(peer int) func(d *desk) {
		return func(d *desk) { d.plan.chain.down = d.links.peers[peer] }
	}
	after := func(at time.Duration) func(d *desk) { return func(d *desk) { d.at = at } }
	passesOn := func(d *desk) {
		follows(1)(d)
		d.links.peers[1].relayed = []uint32{part}
	}
	givesUp := func(d *desk) { d.plan.giveUp(nil) }
	for _, test := range []struct {
		when string
		has  int // parts here
		let  func(d *desk)
		// for one that has the part, one that has another, and one that has nothing
		want delays
	}{
		{"nobody asked yet", 2, nil, delays{haveDelay, 0, 0}},
		{"the second is the downstream", 2, follows(1), delays{haveDelay, 0, haveDelay}},
		{"the first is", 2, follows(0), delays{haveDelay, haveDelay, haveDelay}},
		{"the second is, for some time", settledParts, follows(1), delays{settledDelay, 0, settledDelay}},
		{"the second is, and is getting the part", 2, passesOn, delays{haveDelay, settledDelay, haveDelay}},
		{"one was a while ago", settledParts, after(settledAfter - 1), delays{haveDelay, 0, 0}},
		{"this is the end of the chain", settledParts, after(settledAfter), delays{settledDelay, settledDelay, 0}},
		{"there is no chain", settledParts, givesUp, delays{haveDelay, 0, 0}},
	} {
		d := newDesk(t, 100, 256<<10)
		for part := range uint32(test.has) {
			d.rare.remove(part)
			d.tell(Stored{part})
		}
		d.comes(0, part)
		d.comes(1, 1)
		d.comes(2)
		if test.let != nil {
			test.let(d)
		}
		d.tell(Tick{})
		got := delays{d.HaveDelay(0, part), d.HaveDelay(1, part), d.HaveDelay(2, part)}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got): %s", test.when, diff)
		}
	}
}

// TestWhenThereIsAChain needs enough parts for its members, somebody near, and no foreign clients.
func TestWhenThereIsAChain(t *testing.T) {
	const least = hopLeast * hopsShare // content for each member
	for _, test := range []struct {
		name     string
		parts    int
		partSize int64
		members  int
		change   func(*Joined) // of a near member
		want     bool
	}{
		{"near", chainParts, 256 << 10, 3, nil, true},
		{"few parts", chainParts - 1, 256 << 10, 3, nil, false},
		{"as much content as members need", 40, least / 40, 1, nil, true},
		{"little content", 40, least / 40, 2, nil, false},
		{"far", chainParts, 256 << 10, 3, func(j *Joined) { j.RoundTrip = Near + 1 }, false},
		{"foreign", chainParts, 256 << 10, 3, func(j *Joined) { j.MaxRun = 0 }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, test.parts, test.partSize)
			for i := range test.members {
				d.tell(Found{ID: proto.PeerID{byte(i + 1)}, Addrs: addrs(i)})
			}
			j := Joined{ID: proto.PeerID{1}, Addr: addr(1), MaxRun: RunSize}
			if test.change != nil {
				test.change(&j)
			}
			d.tell(j)
			if got := d.plan.chained(); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			d.tell(Left{0})
			if d.plan.chain.near != 0 || d.plan.chain.foreign != 0 {
				t.Errorf("after the link %d are near, %d foreign", d.plan.chain.near, d.plan.chain.foreign)
			}
		})
	}
}

// TestLinksHearOfTheChain tells the links when it ends and when there is one again.
func TestLinksHearOfTheChain(t *testing.T) {
	d, _ := completeDesk(t, 100)
	d.comes(0)
	for _, on := range []bool{false, true} {
		d.plan.chain.broken = !on
		d.plan.again.calls.until = never
		d.tell(Tick{}, Tick{})
		wait := verifyWait
		if on {
			wait = settledWait
		}
		if diff := cmp.Diff([]Chained{{on, d.plan.hop(), wait}}, of[Chained](d)); diff != "" {
			t.Error("effects (-want +got):", diff)
		}
	}
}

// TestChainSettles tells the links once it is known who is behind, and not before.
func TestChainSettles(t *testing.T) {
	d := newDesk(t, 2*settledParts, 16<<10)
	d.comes(0, 0)
	var told []int
	for part := range uint32(settledParts + 2) {
		d.rare.remove(part)
		d.tell(Stored{part})
		if slices.ContainsFunc(of[Chained](d), func(c Chained) bool { return c.On && c.Wait == settledWait }) {
			told = append(told, int(part)+1)
		}
	}
	if diff := cmp.Diff([]int{settledParts}, told); diff != "" {
		t.Error("parts (-want +got):", diff)
	}
}

// TestUpstreamIsAskedInOrder goes on where it was, and looks over so many parts and no more.
func TestUpstreamIsAskedInOrder(t *testing.T) {
	d := newDesk(t, 2*lookOver, 16<<10)
	d.comes(0, 0)
	d.tell(Progress{Peer: 0, Down: 1})
	d.plan.chain.next = 5
	for _, test := range []struct {
		gains uint32
		want  uint32
		ok    bool
	}{{4, 0, false}, {9, 9, true}, {7, 9, true}, {lookOver + 8, 9, true}} {
		p := d.links.peers[0]
		d.links.peerGains(p, test.gains)
		if part, ok := d.plan.nextPart(p); ok != test.ok || part != test.want {
			t.Errorf("after part %d: part %d, %v; want %d, %v", test.gains, part, ok, test.want, test.ok)
		}
	}
	d.rare.remove(9)
	if part, ok := d.plan.nextPart(d.links.peers[0]); !ok || part != lookOver+8 {
		t.Errorf("part %d, %v; want %d", part, ok, lookOver+8)
	}
	d.rare.remove(lookOver + 8)
	d.plan.chain.next = 9
	d.links.peerGains(d.links.peers[0], lookOver+9)
	if part, ok := d.plan.nextPart(d.links.peers[0]); ok {
		t.Errorf("part %d is further than it looks", part)
	}
}

// TestLeavingPeerIsNoUpstream has a link that was dropped send something before it is gone. The
// other one, of which a run was taken back meanwhile, is asked again.
func TestLeavingPeerIsNoUpstream(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	d.comes(0, 1, 2, 3)
	d.comes(1, 1, 2, 3)
	run := d.menu(1)[0]
	d.links.drop(d.links.peers[1], "for a test")
	d.tell(Started{1, run})
	if d.plan.chain.up != nil {
		t.Error("the upstream is a peer whose link ends")
	}
	d.tell(Left{1})
	other := d.menu(0)[0]
	d.requests.recallAll(d.links.peers[0])
	d.tell(Rejected{0, other})
	if len(d.menu(0)) == 0 {
		t.Error("the only peer is asked for nothing when it gave a run back")
	}
}
