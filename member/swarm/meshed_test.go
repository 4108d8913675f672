package swarm

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// newMeshed is a desk whose peers are all far away: 0 has everything, 1 to 3 have nothing.
func newMeshed(t *testing.T) *desk {
	d := newDesk(t, 100, 256<<10)
	for i := range 4 {
		d.tell(Joined{
			Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), Dialled: true, MaxRun: RunSize,
			MaxQueue: 100, RoundTrip: 80 * time.Millisecond,
		}, Choked{Peer: i})
	}
	d.tell(Has{Peer: 0, All: true})
	return d
}

// TestPassedOnOverLongPaths follows a part from who has it to all others while it comes: suggested
// when it begins, granted as soon as it is asked for, and announced when it verified.
func TestPassedOnOverLongPaths(t *testing.T) {
	d := newMeshed(t)
	run := d.menu(0)[0]
	d.tell(Wanted{1, []uint32{run.Part}})
	if diff := cmp.Diff([]uint32{run.Part}, d.refused(1)); diff != "" {
		t.Error("refused of what has not begun (-want +got):", diff)
	}
	d.tell(Started{0, run}, Progress{Peer: 0, Down: 1})
	for peer, want := range [][]uint32{nil, {run.Part}, {run.Part}, {run.Part}} {
		if diff := cmp.Diff(want, d.suggested(peer)); diff != "" {
			t.Errorf("suggested to %d (-want +got): %s", peer, diff)
		}
	}
	d.tell(Wanted{1, []uint32{run.Part}}, Wanted{2, []uint32{run.Part}})
	if diff := cmp.Diff([]Grant{{1, []uint32{run.Part}}, {2, []uint32{run.Part}}}, of[Grant](d)); diff != "" {
		t.Error("grants (-want +got):", diff)
	}
	if d.Has(run.Part) || len(of[Announce](d)) > 0 {
		t.Error("says that it has what did not verify")
	}
	d.tell(Received{0, run}, Stored{run.Part})
	if diff := cmp.Diff([]Announce{{run.Part}}, of[Announce](d)); diff != "" {
		t.Error("announced (-want +got):", diff)
	}
}

// TestHeardIsNotPassedOn: a part of which somebody around has something, or that comes from who has
// not verified it, is suggested to nobody.
func TestHeardIsNotPassedOn(t *testing.T) {
	d := newMeshed(t)
	run := d.menu(0)[0]
	d.tell(Has{Peer: 3, Parts: []uint32{run.Part}}, Started{0, run})
	if got := d.suggested(1); got != nil {
		t.Errorf("%v are suggested, which peer 3 has", got)
	}
	d = newMeshed(t)
	part := uint32(0)
	for d.requests.works[part] != nil {
		part++
	}
	d.tell(Suggested{1, []uint32{part}})
	if runs := d.menu(1); len(runs) != 1 || runs[0].Part != part {
		t.Fatalf("asked of who passes on %d: %v", part, runs)
	}
	d.tell(Started{1, d.menu(1)[0]})
	if got := append(d.suggested(2), d.suggested(3)...); got != nil {
		t.Errorf("%v are suggested, which are hearsay", got)
	}
}

// TestPassedOnIsTakenFromWhoHasIt: what a peer passes on is asked of it, and not of the one that
// has it and did not begin to send it.
func TestPassedOnIsTakenFromWhoHasIt(t *testing.T) {
	d := newMeshed(t)
	runs := d.menu(0)
	last := runs[len(runs)-1]
	d.tell(Suggested{2, []uint32{last.Part}})
	if diff := cmp.Diff([]Recall{{0, last}}, of[Recall](d)); diff != "" {
		t.Fatal("recalled (-want +got):", diff)
	}
	d.tell(Rejected{0, last})
	if diff := cmp.Diff([]Run{last}, d.menu(2)); diff != "" {
		t.Error("asked of who passes it on (-want +got):", diff)
	}
	d.tell(Rejected{2, last}) // nothing of it comes there now
	if !d.rare.isFree(last.Part) {
		t.Error("nobody may be asked for it again")
	}
	d.tell(Received{0, runs[0]}, Stored{runs[0].Part})
	if again := d.menu(0); again[len(again)-1].Part == runs[0].Part || len(again) != len(runs) {
		t.Errorf("the menu of who has it is not filled: %v", again)
	}
}

// TestPassedOnIsNotWaitedForForEver: what a peer does not pass on soon is asked of who has it, also
// if nothing else happens. Two may wait for each other to get it.
func TestPassedOnIsNotWaitedForForEver(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	for i := range 2 {
		d.tell(Joined{
			Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), Dialled: true, MaxRun: RunSize,
			MaxQueue: 100, RoundTrip: 80 * time.Millisecond,
		}, Choked{Peer: i})
	}
	d.tell(Has{Peer: 0, All: true})
	run := d.menu(0)[0]
	d.tell(Suggested{1, []uint32{0}}, Rejected{0, run})
	if diff := cmp.Diff([]Run{run}, d.menu(1)); diff != "" {
		t.Fatal("asked of who passes it on (-want +got):", diff)
	}
	d.wait(d.at + relayPatience)
	if d.links.peers[1].recalled != 1 {
		t.Fatal("it is not recalled")
	}
	d.tell(Rejected{1, run})
	if diff := cmp.Diff([]Run{run}, d.menu(0)); diff != "" {
		t.Error("asked of who has it (-want +got):", diff)
	}
}

// TestNearIsNotPassedOn: near by, in a mesh, parts are passed on whole.
func TestNearIsNotPassedOn(t *testing.T) {
	d := newDesk(t, chainParts-1, 256<<10)
	d.seed(0)
	d.comes(1)
	d.tell(Started{0, d.menu(0)[0]})
	if got := d.suggested(1); got != nil {
		t.Errorf("%v are suggested", got)
	}
	if hop := d.plan.hop(); hop != 0 {
		t.Errorf("%d bytes are passed on at once", hop)
	}
}
