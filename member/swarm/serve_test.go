package swarm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of three peers that all want something, turn by turn, who is granted it: who is far behind, who
// is far ahead, or who waited longest.
func TestTurns(t *testing.T) {
	const behind, waited, ahead = 0, 1, 2
	d := sharer(t, 400, 3)
	for part := range uint32(200) {
		d.tell(Has{Peer: ahead, Parts: []uint32{part}})
		if part%2 == 0 {
			d.tell(Has{Peer: waited, Parts: []uint32{part}})
		}
	}
	choices := func() (list [turns]int) {
		for turn := range turns {
			d.grants.served = int64(turn)
			list[turn] = d.grants.neediest().index
		}
		return list
	}
	for i, p := range d.links.peers {
		p.grants, p.lastGrant = nil, int64(i+1)
	}
	d.links.peers[waited].lastGrant = 0

	everybodys := func() {
		for part := range d.grants.given {
			d.grants.given[part] = 1
		}
	}
	everybodys()
	want := [turns]int{behind, ahead, behind, waited}
	if diff := cmp.Diff(want, choices()); diff != "" {
		t.Errorf("of parts that others have (-want +got):\n%s", diff)
	}
	d.grants.given[390] = 0
	if diff := cmp.Diff([turns]int{ahead, ahead, ahead, ahead}, choices()); diff != "" {
		t.Errorf("of a part that nobody has (-want +got):\n%s", diff)
	}
	everybodys()
	d.tell(Interest{ahead, false})
	if diff := cmp.Diff([turns]int{behind, waited, behind, waited}, choices()); diff != "" {
		t.Errorf("when many send to who is ahead (-want +got):\n%s", diff)
	}
	d.tell(Interest{ahead, true})
	for part := range uint32(200 - 400/aheadSteps) {
		d.tell(Has{Peer: behind, Parts: []uint32{part}}, Has{Peer: waited, Parts: []uint32{part}})
	}
	if got := choices()[aheadTurn]; got != waited {
		t.Errorf("peer %d is helped for being a little ahead", got)
	}
}

// What is here goes out before what is passed on while it comes: that may take long.
func TestWhatIsHereGoesFirst(t *testing.T) {
	d := newDesk(t, 8, 16<<10)
	d.seed(0)
	for _, run := range d.menu(0)[:2] {
		d.tell(Started{0, run}, Received{0, run}, Written{0, run}, Stored{run.Part})
	}
	var here, coming []uint32
	for part := range uint32(8) {
		if d.Has(part) {
			here = append(here, part)
		} else {
			coming = append(coming, part)
		}
	}
	if len(here) != 2 {
		t.Fatalf("%d parts are here, want 2", len(here))
	}
	parts := []uint32{coming[3], here[1], coming[0], here[0]}
	d.grants.hereFirst(parts)
	if diff := cmp.Diff([]uint32{here[1], here[0], coming[3], coming[0]}, parts); diff != "" {
		t.Error("order (-want +got):", diff)
	}
}

// A guest that asks for what others have has one turn of four once it has waited long enough, also
// as long as there is something that nobody has.
func TestGuestHasItsTurn(t *testing.T) {
	const guest, other = 0, 1
	d := sharer(t, 400, 2)
	g, o := d.links.peers[guest], d.links.peers[other]
	g.maxRun = 0
	g.wants, o.wants = []uint32{1, 2}, []uint32{3, 4}
	for _, p := range []*peer{g, o} {
		p.grants, p.asked = nil, d.now
	}
	for _, part := range g.wants {
		d.grants.given[part] = 1
	}
	for _, part := range o.wants {
		d.grants.given[part] = 0
	}
	choices := func() (list [turns]int) {
		for turn := range turns {
			d.grants.served = int64(turn)
			list[turn] = d.grants.neediest().index
		}
		return list
	}
	d.now += guestWait - 1
	if diff := cmp.Diff([turns]int{other, other, other, other}, choices()); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	d.now++
	if diff := cmp.Diff([turns]int{other, other, other, guest}, choices()); diff != "" {
		t.Errorf("when it has waited (-want +got):\n%s", diff)
	}
	g.maxRun = RunSize
	if diff := cmp.Diff([turns]int{other, other, other, other}, choices()); diff != "" {
		t.Errorf("a member that waits as long (-want +got):\n%s", diff)
	}
	g.maxRun, g.grants = 0, []grant{{}}
	if diff := cmp.Diff([turns]int{other, other, other, other}, choices()); diff != "" {
		t.Errorf("while it is sent something (-want +got):\n%s", diff)
	}
}
