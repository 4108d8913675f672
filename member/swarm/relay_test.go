package swarm

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// newRelay is a desk whose member gets parts from peer 0, and has sent nothing yet. Peers 1 and 2
// have nothing.
func newRelay(t *testing.T) *desk {
	d := newDesk(t, 100, 256<<10)
	d.seed(0)
	d.comes(1)
	d.comes(2)
	d.tell(Started{0, d.menu(0)[0]}, Progress{Peer: 0, Down: 1})
	return d
}

func (d *desk) suggested(peer int) (parts []uint32) {
	for _, s := range of[Suggest](d) {
		if s.Peer == peer {
			parts = append(parts, s.Parts...)
		}
	}
	return parts
}

func (d *desk) refused(peer int) (parts []uint32) {
	for _, r := range of[Refuse](d) {
		if r.Peer == peer {
			parts = append(parts, r.Parts...)
		}
	}
	return parts
}

// TestPassedOnAsItComes follows parts from the upstream to the downstream: suggested when they are
// asked for, granted when their first bytes are here, and offered as its own when they verified.
func TestPassedOnAsItComes(t *testing.T) {
	d := newRelay(t)
	coming := d.parts(0)
	for _, peer := range []int{1, 2} {
		if diff := cmp.Diff(coming, d.suggested(peer)); diff != "" {
			t.Errorf("suggested to %d (-want +got): %s", peer, diff)
		}
	}
	if got := d.suggested(0); got != nil {
		t.Errorf("%v are suggested to who sends them", got)
	}
	d.tell(Wanted{1, coming[:3]})
	if diff := cmp.Diff([]Grant{{1, coming[:1]}}, of[Grant](d)); diff != "" {
		t.Fatal("grants (-want +got):", diff)
	}
	d.tell(Started{0, d.menu(0)[1]})
	if diff := cmp.Diff([]Grant{{1, coming[1:2]}}, of[Grant](d)); diff != "" {
		t.Fatal("grants when the second part begins (-want +got):", diff)
	}
	if d.Has(coming[0]) || len(of[Announce](d)) > 0 {
		t.Error("says that it has what did not verify")
	}
	first := d.menu(0)[0]
	d.tell(Received{0, first}, Stored{first.Part}, Served{Peer: 1})
	if diff := cmp.Diff([]Announce{{coming[0]}}, of[Announce](d)); diff != "" && len(d.links.peers[1].relayed) != 1 {
		t.Errorf("announced (-want +got): %s; and %v are still passed on", diff, d.links.peers[1].relayed)
	}
	d.tell(Wanted{2, coming[3:]})
	if diff := cmp.Diff(coming[3:], d.refused(2)); diff != "" {
		t.Error("refused to who is not the downstream (-want +got):", diff)
	}
	d.tell(Wanted{1, []uint32{99}})
	if diff := cmp.Diff([]uint32{99}, d.refused(1)); diff != "" {
		t.Error("refused of what nobody sends (-want +got):", diff)
	}
}

// TestPartOfSeveralRunsIsSuggestedOnce, and goes out run by run as they are asked for.
func TestPartOfSeveralRunsIsSuggestedOnce(t *testing.T) {
	d := newDesk(t, 100, 8*RunSize)
	d.seed(0)
	d.comes(1)
	d.tell(Started{0, d.menu(0)[0]}, Progress{Peer: 0, Down: 1})
	if parts := d.parts(0); len(d.menu(0)) < 4 || len(d.suggested(1)) != len(parts) {
		t.Errorf("%v are suggested of %v", d.suggested(1), d.menu(0))
	}
	part := d.parts(0)[0]
	for range 2 {
		d.tell(Wanted{1, []uint32{part}})
		if diff := cmp.Diff([]Grant{{1, []uint32{part}}}, of[Grant](d)); diff != "" {
			t.Error("grants (-want +got):", diff)
		}
	}
}

// TestOnlyOneIsPassedOnTo lets two peers ask for the same: the one that is not chosen is told so at
// once, and asks others.
func TestOnlyOneIsPassedOnTo(t *testing.T) {
	d := newRelay(t)
	coming := d.parts(0)
	d.tell(Wanted{2, coming[1:3]}, Wanted{1, coming[:2]})
	if diff := cmp.Diff([]Grant{{1, coming[:1]}}, of[Grant](d)); diff != "" {
		t.Error("grants (-want +got):", diff)
	}
	if diff := cmp.Diff(coming[1:3], d.refused(2)); diff != "" {
		t.Error("refused (-want +got):", diff)
	}
}

// TestRelayBreaksOff lets the upstream go, or send a bad part: what was promised of it is rejected,
// granted or not.
func TestRelayBreaksOff(t *testing.T) {
	for _, test := range []struct {
		name string
		ends func(d *desk, run Run) []Event
	}{
		{"left", func(d *desk, run Run) []Event { return []Event{Left{0}} }},
		{"choked", func(d *desk, run Run) []Event { return []Event{Choked{0, true}} }},
		{"dismissed", func(d *desk, run Run) []Event { return []Event{Dismissed{0}, Rejected{0, run}} }},
		{"bad", func(d *desk, run Run) []Event { return []Event{Received{0, run}, Failed{Part: run.Part}} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newRelay(t)
			coming := d.parts(0)
			d.tell(Wanted{1, coming[:3]})
			d.tell(test.ends(d, d.menu(0)[0])...)
			got := d.refused(1)
			slices.Sort(got)
			want := slices.Sorted(slices.Values(coming[:3]))
			if test.name == "bad" { // the others may be good
				want = coming[:1]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error("refused (-want +got):", diff)
			}
		})
	}
}

// TestHearsay asks a peer for what it is getting. Nobody is banned for a bad part that was not its
// own, but soon it is asked for its own alone; a bad one of these is complained of.
func TestHearsay(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	d.comes(0)
	for n := range uint32(hearsayFailures) {
		d.tell(Suggested{0, []uint32{n, n + 50, 4000, n}})
		run := Run{n, 0, 256 << 10}
		if d.links.peers[0].find(run) < 0 {
			t.Fatalf("asks for %v", d.menu(0))
		}
		d.tell(Started{0, run}, Has{Peer: 0, Parts: []uint32{n}}, Received{0, run}, Failed{Part: n})
		if len(of[Drop](d))+len(of[Complain](d)) > 0 {
			t.Fatalf("blamed for part %d: %v", n, d.got)
		}
	}
	asked := len(d.menu(0))
	d.tell(Suggested{0, []uint32{70, 71}})
	if len(d.menu(0)) != asked || len(d.links.peers[0].coming) > 0 {
		t.Errorf("after %d bad parts it is believed: %v", hearsayFailures, d.parts(0))
	}
	d.tell(Has{Peer: 0, Parts: []uint32{80}})
	i := slices.IndexFunc(d.menu(0), func(r Run) bool { return d.links.peers[0].hasPart(r.Part) })
	if i < 0 {
		t.Fatalf("what it has is not asked for: %v", d.parts(0))
	}
	own := d.menu(0)[i]
	d.tell(Started{0, own}, Received{0, own}, Failed{Part: own.Part})
	if got := of[Complain](d); !slices.Equal(got, []Complain{{0, proto.PeerID{1}, addr(0), own.Part}}) {
		t.Errorf("complaints %v", got)
	}
}

// TestSuggestionsAreBounded takes in no more than fit on a menu, none of a foreign client, and none
// of what is here or cannot be.
func TestSuggestionsAreBounded(t *testing.T) {
	d := newDesk(t, 4*menuMost, 16<<10)
	d.comes(0)
	d.tell(Joined{Peer: 1, ID: proto.PeerID{2}, Addr: addr(1), MaxQueue: 100}, Choked{Peer: 1})
	d.rare.remove(7)
	d.tell(Stored{7})
	var all []uint32
	for part := range uint32(5 * menuMost) {
		all = append(all, part)
	}
	d.tell(Suggested{0, all}, Suggested{1, all}, Suggested{9, all})
	if n := len(d.links.peers[0].coming); n > menuMost || n == 0 || slices.Contains(d.links.peers[0].coming, 7) {
		t.Errorf("%d parts are remembered: %v", n, d.links.peers[0].coming)
	}
	if n := len(d.links.peers[1].coming) + len(d.menu(1)); n > 0 {
		t.Errorf("%d parts of a foreign client", n)
	}
}

// TestOrphanPrefersTheEnd takes back what others were asked for and did not begin, when the end of
// the chain offers it.
func TestOrphanPrefersTheEnd(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	d.seed(0)
	d.comes(1)
	run := d.menu(0)[0]
	d.tell(Suggested{1, []uint32{run.Part}})
	if diff := cmp.Diff([]Recall{{0, run}}, of[Recall](d)); diff != "" {
		t.Fatal("recalls (-want +got):", diff)
	}
	d.tell(Rejected{0, run})
	if d.plan.chain.broken || d.links.peers[1].find(run) < 0 {
		t.Errorf("asks %v, chain broken: %v", d.menu(1), d.plan.chain.broken)
	}
}

// TestLateSuggestions brings a member when the chain has no end that sends: it is told what comes.
func TestLateSuggestions(t *testing.T) {
	d := newDesk(t, 100, 256<<10)
	d.seed(0)
	d.tell(Started{0, d.menu(0)[0]})
	coming := d.parts(0)
	d.comes(1)
	if diff := cmp.Diff(coming, d.suggested(1)); diff != "" {
		t.Error("suggested (-want +got):", diff)
	}
	d.tell(Wanted{1, coming[:1]})
	d.comes(2)
	if got := d.suggested(2); got != nil {
		t.Errorf("%v are suggested to another when one is sent to", got)
	}
}

// TestSwarmOutgrowsTheChain has members that know how many there are. With one too many all of them
// give the chain up, and links with it that both ends choose alike.
func TestSwarmOutgrowsTheChain(t *testing.T) {
	const links = 60
	d := newDesk(t, 100, 256<<10)
	var ends []*Swarm
	for i := range links {
		id := proto.PeerID{byte(i + 1), byte(3 * i)}
		d.tell(Joined{Peer: i, ID: id, Addr: addr(i), MaxRun: RunSize})
		ends = append(ends, New(Config{Size: 1 << 20, PartSize: 1 << 20, ID: id}))
	}
	d.tell(Listed{chainPeers + 1})
	if drops := of[Drop](d); len(drops) > 0 || !d.plan.chained() {
		t.Fatalf("chained %v, %v", d.plan.chained(), drops)
	}
	d.tell(Listed{chainPeers + 2})
	drops := of[Drop](d)
	if left := links - len(drops); d.plan.chained() || left < keptLinks/2 || left > 2*keptLinks {
		t.Errorf("chained %v, %d links are left", d.plan.chained(), left)
	}
	for i, end := range ends {
		if here, there := d.links.lot(d.links.peers[i]), end.links.lot(&peer{id: d.cfg.ID}); here != there {
			t.Errorf("link %d: the ends draw %d and %d", i, here, there)
		}
	}
}
