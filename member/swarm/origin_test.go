package swarm

import (
	"testing"
	"time"

	"orchestra/proto"
)

const theOrigin = 90

// origin brings an origin.
func (d *desk) origin() {
	d.tell(Joined{
		Peer: theOrigin, ID: proto.PeerID{1, 2, 3}, Addr: addr(200), MaxRun: RunSize, Origin: true,
		RoundTrip: 50 * time.Millisecond,
	})
}

// meets brings links to members that have nothing, of which so many come before this one.
func (d *desk) meets(before, after int) {
	origin := proto.PeerID{1, 2, 3}
	peer := 0
	for id := byte(1); before+after > 0; id++ {
		member := proto.PeerID{id}
		if lotOf(origin, member) < lotOf(origin, d.cfg.ID) {
			if before == 0 {
				continue
			}
			before--
		} else {
			if after == 0 {
				continue
			}
			after--
		}
		d.tell(Joined{Peer: peer, ID: member, Addr: addr(peer), Dialled: true, MaxRun: RunSize, MaxQueue: 100})
		peer++
	}
}

// passes lets time go by, with all that the core wants to be told of it.
func (d *desk) passes(span time.Duration) {
	for end := d.at + span; ; d.tell(Tick{}) {
		at, ok := d.Next()
		if !ok || at > end {
			d.at = end
			return
		}
		d.at = max(at, d.at+1)
	}
}

func (d *desk) asksOrigin() bool { return len(d.menu(theOrigin)) > 0 }

// The first asks at once, and those behind it one after the other, when nobody gains anything.
func TestWhoAsksTheOrigin(t *testing.T) {
	for _, test := range []struct {
		name          string
		parts         int // fewer than chainParts: a mesh
		before, after int
		at            time.Duration // when it asks
	}{
		{"alone", 64, 0, 0, originGrace},
		{"the first", 64, 0, 5, originGrace},
		{"the second", 64, 1, 5, originNews + originNext},
		{"the third", 64, 2, 5, originNews + 2*originNext},
		{"one of those in a mesh", 8, originPullers - 1, 5, originGrace},
		{"behind those in a mesh", 8, originPullers, 5, originNews + originNext},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, test.parts, 256<<10)
			d.meets(test.before, test.after)
			d.origin()
			d.passes(test.at - time.Millisecond)
			if d.asksOrigin() {
				t.Errorf("it asks before %v", test.at)
			}
			d.passes(2 * time.Millisecond)
			if !d.asksOrigin() {
				t.Errorf("it does not ask at %v", test.at)
			}
		})
	}
}

// As long as somebody gains what nobody had, those that are not the first ask nothing; and who took
// over leaves it to who comes before it again.
func TestNewsKeepsOthersFromTheOrigin(t *testing.T) {
	d := newDesk(t, 64, 256<<10)
	d.meets(1, 0)
	d.origin()
	for part := range uint32(5) {
		d.passes(time.Second)
		d.tell(Has{Peer: 0, Parts: []uint32{part}})
	}
	if d.asksOrigin() {
		t.Fatal("two ask")
	}
	d.passes(originNews + originNext)
	if !d.asksOrigin() {
		t.Fatal("nobody takes over")
	}
	d.tell(Has{Peer: 0, Parts: []uint32{20, 21}}) // a trial, it may be
	if n := len(of[Recall](d)); n != 0 {
		t.Errorf("%d runs are recalled when somebody tries", n)
	}
	d.tell(Has{Peer: 0, Parts: []uint32{22}})
	if n := len(of[Recall](d)); n != 1 {
		t.Errorf("%d runs are recalled when the first goes on", n)
	}
	d.passes(originNews)
	if menu := d.menu(theOrigin); len(menu) != 1 { // what does not come back is not begun anew
		t.Errorf("it is asked for %v", menu)
	}
}

// When the first leaves, the next one asks.
func TestNextAsksWhenTheFirstLeaves(t *testing.T) {
	d := newDesk(t, 64, 256<<10)
	d.meets(1, 0)
	d.origin()
	d.passes(time.Second)
	d.tell(Has{Peer: 0, Parts: []uint32{0}})
	d.tell(Left{Peer: 0})
	d.passes(originNews)
	if !d.asksOrigin() {
		t.Error("it does not ask")
	}
}

// An origin is asked for nothing that a member has, in order, and counts as nobody.
func TestOriginIsAskedForWhatNobodyHas(t *testing.T) {
	d := newDesk(t, 8, 256<<10)
	d.meets(0, 1)
	d.tell(Has{Peer: 0, Parts: []uint32{0, 2, 3}})
	d.origin()
	d.passes(originNews)
	menu := d.menu(theOrigin)
	for _, run := range menu {
		if run.Part == 0 || run.Part == 2 || run.Part == 3 {
			t.Errorf("it is asked for part %d, which a member has", run.Part)
		}
	}
	if len(menu) != 2 {
		t.Errorf("it is asked for %v", menu)
	}
	if st := d.Stats(); st.Links != 1 || st.Known != 0 {
		t.Errorf("%d links, %d known", st.Links, st.Known)
	}
	if n := d.Complete(); n != 0 {
		t.Errorf("%d are complete", n)
	}
	if n := len(d.Linked(false)); n != 1 {
		t.Errorf("%d are shown", n)
	}
	d.seed(5)
	d.passes(time.Second)
	if got := d.Complete(); got != 1 {
		t.Errorf("%d are complete", got)
	}
}

// Members that have everything and serve nobody do not keep an origin from being asked for ever.
func TestOriginHelpsWhoStarves(t *testing.T) {
	d := newDesk(t, 8, 256<<10)
	d.tell(Joined{Peer: 0, ID: proto.PeerID{1}, Addr: addr(0), MaxRun: RunSize, MaxQueue: 100}, Has{Peer: 0, All: true})
	d.origin()
	d.passes(originStarved - time.Millisecond)
	if d.asksOrigin() {
		t.Fatal("it asks at once")
	}
	d.passes(2*originNext + 2*time.Millisecond)
	if !d.asksOrigin() {
		t.Fatal("it does not ask")
	}
}

// An origin that sent something bad is asked for it elsewhere, and what it has is counted part by
// part from then on, for itself alone.
func TestOriginIsBlamed(t *testing.T) {
	d := newDesk(t, 2, 256<<10)
	d.origin()
	d.passes(originGrace)
	run := Run{0, 0, 256 << 10}
	d.tell(Started{theOrigin, run}, Received{theOrigin, run}, Failed{Part: 0})
	if list := of[Complain](d); len(list) != 1 || list[0].Addr != addr(200) {
		t.Errorf("complaints: %v", list)
	}
	for _, asked := range d.menu(theOrigin) {
		if asked.Part == 0 {
			t.Error("it is asked for the same again at once")
		}
	}
	if n := d.rare.count[0] + d.rare.count[1]; n != 0 {
		t.Errorf("an origin counts as %d copies", n)
	}
	d.tell(Left{Peer: theOrigin})
	if n := d.rare.count[0] + d.rare.count[1]; n != 0 {
		t.Errorf("after it left there are %d copies", n)
	}
}
