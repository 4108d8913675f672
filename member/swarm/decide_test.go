package swarm

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// desk puts one core before a test that reads like a script.
type desk struct {
	*Swarm
	t   *testing.T
	at  time.Duration
	got []Effect
}

func newDesk(t *testing.T, parts int, partSize int64) *desk {
	return &desk{t: t, Swarm: New(Config{Size: int64(parts) * partSize, PartSize: partSize, ID: proto.PeerID{100}, Seed: 1})}
}

// completeDesk is a core that has every part, and lists them.
func completeDesk(t *testing.T, parts int) (d *desk, all []uint32) {
	d = newDesk(t, parts, 256<<10)
	for part := range uint32(parts) {
		d.rare.remove(part)
		d.tell(Stored{part})
		all = append(all, part)
	}
	return d, all
}

func (d *desk) tell(evs ...Event) {
	d.got = nil
	for _, ev := range evs {
		d.got = d.Step(d.at, ev, d.got)
	}
}

// seed brings a link to a peer that has everything and serves.
func (d *desk) seed(i int) {
	d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), Dialled: true, MaxRun: RunSize, MaxQueue: 100}, Has{Peer: i, All: true}, Choked{Peer: i})
}

func addr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 1000)
}

func addrs(i int) []netip.AddrPort { return []netip.AddrPort{addr(i)} }

// of picks the effects of one kind.
func of[E Effect](d *desk) (list []E) {
	for _, e := range d.got {
		if e, ok := e.(E); ok {
			list = append(list, e)
		}
	}
	return list
}

func (d *desk) menu(peer int) (runs []Run) {
	for _, f := range d.links.peers[peer].fetches {
		runs = append(runs, d.runOf(f.work, f.n))
	}
	return runs
}

func TestChokeGivesRunsToOthers(t *testing.T) {
	d := newDesk(t, 4, 256<<10)
	d.seed(0)
	if n := len(d.menu(0)); n != 4 {
		t.Fatalf("asked for %d runs, want 4", n)
	}
	d.seed(1)
	d.tell(Choked{Peer: 0, On: true})
	if n := len(d.menu(1)); n != 4 {
		t.Errorf("after the choke the other peer is asked for %d runs, want 4", n)
	}
}

func TestRejectedRunIsAskedOfAnother(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	d.seed(0)
	d.seed(1)
	run := Run{0, 0, 256 << 10}
	asked := 0
	if len(d.menu(1)) == 1 {
		asked = 1
	}
	d.tell(Rejected{asked, run})
	if diff := cmp.Diff([]Fetch{{1 - asked, run}}, of[Fetch](d)); diff != "" {
		t.Error("fetches (-want +got):", diff)
	}
}

func TestStalledRunIsAskedOfAnother(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	run := Run{0, 0, 256 << 10}
	d.seed(0)
	d.tell(Started{0, run})
	d.seed(1)
	if len(d.menu(1)) != 0 {
		t.Fatal("a run that has begun was asked of another at once")
	}
	at, ok := d.Next()
	if !ok || at > stalled {
		t.Fatalf("looks again at %v %v, want %v at the latest", at, ok, stalled)
	}
	d.at = stalled
	d.tell(Tick{})
	if diff := cmp.Diff([]Run{run}, d.menu(1)); diff != "" {
		t.Error("asked of the other peer (-want +got):", diff)
	}
	d.tell(Received{1, run})
	if diff := cmp.Diff([]Cancel{{0, run}}, of[Cancel](d)); diff != "" {
		t.Error("cancelled (-want +got):", diff)
	}
	d.at = silent
	d.tell(Tick{})
}

// TestRunThatTwoLetLieIsAskedOfAThird: two peers that begin a run and do not end it, as when the
// way to both is cut, hold it up no longer than one.
func TestRunThatTwoLetLieIsAskedOfAThird(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	run := Run{0, 0, 256 << 10}
	d.seed(0)
	d.tell(Started{0, run})
	d.wait(stalled)
	d.seed(1)
	d.tell(Started{1, run})
	d.seed(2)
	if n := len(d.menu(2)); n != 0 {
		t.Fatal("a run that moves at one of two was asked of a third")
	}
	d.wait(2 * stalled)
	if diff := cmp.Diff([]Run{run}, d.menu(2)); diff != "" {
		t.Error("asked of the third (-want +got):", diff)
	}
	d.tell(Received{2, run})
	if diff := cmp.Diff([]Cancel{{0, run}, {1, run}}, of[Cancel](d)); diff != "" {
		t.Error("cancelled (-want +got):", diff)
	}
}

func TestSilentPeerIsDropped(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	d.seed(0)
	d.tell(Started{0, Run{0, 0, 256 << 10}})
	for d.at < silent {
		d.at, _ = d.Next()
		if d.tell(Tick{}); len(of[Drop](d)) != 0 && d.at < silent {
			t.Fatal("dropped too soon, after", d.at)
		}
	}
	if d.at > silent || len(of[Drop](d)) != 1 {
		t.Error("not dropped after", d.at)
	}
}

// TestIdlePeerTakesOverWhatIsRejected recalls a run for a peer that is idle: it is asked once the
// other one rejected it, and not before, so that nothing is sent twice.
func TestIdlePeerTakesOverWhatIsRejected(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	run := Run{0, 0, 256 << 10}
	d.seed(0)
	d.at = patience
	d.seed(1)
	if diff := cmp.Diff([]Recall{{0, run}}, of[Recall](d)); diff != "" {
		t.Error("recalled (-want +got):", diff)
	}
	if len(d.menu(0)) != 1 || len(d.menu(1)) != 0 {
		t.Errorf("menus before the answer: %v and %v", d.menu(0), d.menu(1))
	}
	d.tell(Tick{}, Has{Peer: 1, Parts: []uint32{0}})
	if n := len(of[Recall](d)); n != 0 {
		t.Errorf("recalled %d times more", n)
	}
	d.tell(Rejected{0, run})
	if len(d.menu(0)) != 0 || len(d.menu(1)) != 1 {
		t.Errorf("menus after the answer: %v and %v", d.menu(0), d.menu(1))
	}
}

func TestRecalledRunMayComeAfterAll(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	run := Run{0, 0, 256 << 10}
	d.seed(0)
	d.at = patience
	d.seed(1)
	d.tell(Started{0, run}, Received{0, run}, Stored{0})
	if !d.Has(0) || len(of[Fetch](d)) != 0 {
		t.Errorf("after it came: %v", d.got)
	}
	if p := d.links.peers[1]; p.promised != 0 || d.links.peers[0].recalled != 0 {
		t.Errorf("still waits for %d runs, %d recalled", p.promised, d.links.peers[0].recalled)
	}
}

func TestRecallForAPeerThatLeft(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	run := Run{0, 0, 256 << 10}
	d.seed(0)
	d.at = patience
	d.seed(1)
	d.tell(Left{1}, Rejected{0, run})
	if len(d.menu(0)) != 1 {
		t.Errorf("the run is lost: %v", d.got)
	}
}

func TestHaveAllIsCountedOnce(t *testing.T) {
	d := newDesk(t, 3, 256<<10)
	d.seed(0)
	d.tell(Has{Peer: 0, Parts: []uint32{1}}, Has{Peer: 0, All: true})
	if d.links.seeds != 1 || d.rare.count[1] != 0 {
		t.Errorf("%d seeds, part 1 counted %d times", d.links.seeds, d.rare.count[1])
	}
	d.tell(Joined{Peer: 1, ID: proto.PeerID{2}, Addr: addr(1), MaxRun: RunSize}, Has{Peer: 1, Parts: []uint32{0, 1, 2}})
	if d.links.seeds != 2 || d.rare.count[0] != 0 {
		t.Errorf("%d seeds after the second has every part, part 0 counted %d times", d.links.seeds, d.rare.count[0])
	}
	d.tell(Left{0}, Left{1})
	if d.links.seeds != 0 {
		t.Errorf("%d seeds after both left", d.links.seeds)
	}
}

func TestTwoThatHaveEverythingPart(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	d.seed(0)
	d.tell(Received{0, Run{0, 0, 256 << 10}}, Stored{0})
	if drops := of[Drop](d); len(drops) != 1 || len(of[Finish](d)) != 1 {
		t.Errorf("effects %v, want a drop and an end", d.got)
	}
}

func TestUnwantedIsNotGranted(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	d.tell(Stored{0})
	var peers []Event
	for i := range seedSlots + 1 {
		peers = append(peers, Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), MaxRun: RunSize}, Interest{i, true}, Wanted{i, []uint32{0}})
	}
	d.tell(peers...)
	if n := len(of[Grant](d)); n != seedSlots {
		t.Fatalf("%d grants, want %d", n, seedSlots)
	}
	d.tell(Unwanted{seedSlots, 0}, Served{Peer: 0})
	if n := len(of[Grant](d)); n != 0 {
		t.Errorf("granted what is no longer wanted: %v", d.got)
	}
}

func TestBadPartIsLeftWhereNothingIsChanged(t *testing.T) {
	for _, keep := range []bool{false, true} {
		d := &desk{t: t, Swarm: New(Config{Size: 512 << 10, PartSize: 256 << 10, ID: proto.PeerID{100}, Unchecked: true})}
		d.seed(0)
		if n := len(d.menu(0)); n != 0 {
			t.Errorf("asked for %d runs before the check", n)
		}
		d.tell(Checked{Part: 0, Good: true}, Checked{Part: 1, Keep: keep})
		want := 1
		if keep {
			want = 0
		}
		if n := len(d.menu(0)); n != want || !d.Has(0) || d.Has(1) {
			t.Errorf("keep bad %v: asked for %d runs, want %d", keep, n, want)
		}
	}
}

// Parts that are not wanted are neither fetched nor waited for, and are shared if they are here.
func TestPartsThatAreNotWanted(t *testing.T) {
	d := &desk{t: t, Swarm: New(Config{Size: 1 << 20, PartSize: 256 << 10, ID: proto.PeerID{100}, Unchecked: true, Skip: []byte{0b10100000}})}
	d.seed(0)
	d.tell(Checked{Part: 0, Good: true}, Checked{Part: 1}, Checked{Part: 2}, Checked{Part: 3, Good: true})
	if n := len(d.menu(0)); n != 1 {
		t.Errorf("asked for %d runs, want that of part 1", n)
	}
	if st := d.Stats(); st.Missing != 1 || st.Have != 2 || st.BytesGot != 256<<10 || st.BytesHave != 512<<10 {
		t.Errorf("%+v", st)
	}
	if n := len(of[Finish](d)); n != 0 {
		t.Error("finished too soon")
	}
	d.tell(Stored{Part: 1})
	if n := len(of[Finish](d)); n != 1 || !d.Has(0) || d.Has(2) {
		t.Errorf("finished %d times", n)
	}
	d.tell(Joined{Peer: 1, ID: proto.PeerID{7}, MaxRun: RunSize})
	if offers := of[Offer](d); offers[len(offers)-1].All || offers[len(offers)-1].Bits[0] != 0b11010000 {
		t.Errorf("offered %+v", offers[len(offers)-1])
	}
	d.tell(Has{Peer: 1, Bits: []byte{0b00100000}})
	for _, e := range of[SetInterest](d) {
		if e.Peer == 1 && e.On {
			t.Error("interested in what is not wanted")
		}
	}
}

func TestTwoLinksToOneMember(t *testing.T) {
	for _, test := range []struct {
		name    string
		far     byte // first byte of the far end's peer id; this member's is 100
		dialled bool // who opened the second link
		keeps   int
	}{
		{"smaller far end opened the second", 1, false, 1},
		{"smaller far end opened the first", 1, true, 0},
		{"this member is smaller and opened the second", 200, true, 1},
		{"this member is smaller and opened the first", 200, false, 0},
	} {
		d := newDesk(t, 1, 256<<10)
		id := proto.PeerID{test.far}
		d.tell(Joined{Peer: 0, ID: id, Addr: addr(0), Dialled: !test.dialled, MaxRun: RunSize})
		d.tell(Joined{Peer: 1, ID: id, Addr: addr(0), Dialled: test.dialled, MaxRun: RunSize})
		if drops := of[Drop](d); len(drops) != 1 || drops[0].Peer != 1-test.keeps {
			t.Errorf("%s: drops %v, want to keep link %d", test.name, drops, test.keeps)
		}
	}
}

func TestForeignClientKeepsTheOlderLink(t *testing.T) {
	d := newDesk(t, 1, 256<<10)
	for i := range 2 {
		d.tell(Joined{Peer: i, ID: proto.PeerID{1}, Addr: addr(0), Dialled: i == 0})
	}
	if drops := of[Drop](d); len(drops) != 1 || drops[0].Peer != 1 {
		t.Errorf("drops %v, want the younger link", drops)
	}
}

func TestFailedDialsComeLaterEachTime(t *testing.T) {
	d, _ := completeDesk(t, 1) // one in want dials on
	d.tell(Found{ID: proto.PeerID{1}, Addrs: addrs(0)})
	var waits []time.Duration
	for range 6 {
		dials := of[Dial](d)
		if len(dials) != 1 {
			t.Fatalf("dials %v, want one", dials)
		}
		d.tell(DialFailed{Dial: dials[0]})
		if len(of[Dial](d)) != 0 {
			t.Fatal("dialled again at once")
		}
		at, ok := d.Next()
		if !ok {
			t.Fatal("the member is never dialled again")
		}
		waits = append(waits, at-d.at)
		d.at = at
		d.tell(Tick{})
	}
	if waits[0] > 2*redialFirst || waits[5] < 8*redialFirst {
		t.Errorf("waits %v", waits)
	}
}

func TestFirstSharerSendsEverythingBeforeAnythingTwice(t *testing.T) {
	const parts = 40
	d, all := completeDesk(t, parts)
	sent := map[uint32]int{}
	grants := func() {
		for _, g := range of[Grant](d) {
			for _, part := range g.Parts {
				sent[part]++
			}
		}
	}
	for i := range 5 {
		d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), MaxRun: RunSize}, Interest{i, true}, Wanted{i, all})
		grants()
	}
	for range parts {
		for i := range 5 {
			if len(d.links.peers[i].grants) > 0 && len(sent) < parts {
				d.tell(Served{Peer: i})
				grants()
			}
		}
	}
	for part, n := range sent {
		if n > 1 {
			t.Errorf("part %d went out %d times before each went once", part, n)
		}
	}
	if len(sent) != parts {
		t.Errorf("%d of %d parts were sent", len(sent), parts)
	}
}
