package swarm

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// hearing brings a link to a member that lacks everything and can be told of parts that are gone.
func (d *desk) hearing(i int) {
	d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), MaxRun: RunSize, MaxQueue: 100, Hears: true}, Interest{i, true})
}

func TestLostPartIsWithdrawnAndFetchedAnew(t *testing.T) {
	d, _ := completeDesk(t, 4)
	d.hearing(0)
	d.tell(Joined{Peer: 1, ID: proto.PeerID{2}, Addr: addr(1), MaxRun: RunSize})
	before := d.Stats()
	d.tell(Wanted{0, []uint32{2}}, Lost{Part: 2})
	if diff := cmp.Diff([]Withdraw{{0, 2}}, of[Withdraw](d)); diff != "" {
		t.Error("withdrawn (-want +got):", diff)
	}
	if drops := of[Drop](d); len(drops) != 1 || drops[0].Peer != 1 {
		t.Errorf("drops %v, want the peer that cannot be told", drops)
	}
	if st := d.Stats(); st.Have != 3 || st.Missing != 1 || st.BytesHave != before.BytesHave-256<<10 || st.BytesGot != before.BytesGot-256<<10 {
		t.Errorf("%+v", st)
	}
	d.tell(Wanted{0, []uint32{2}})
	if diff := cmp.Diff([]Refuse{{0, []uint32{2}}}, of[Refuse](d)); diff != "" {
		t.Error("refused (-want +got):", diff)
	}
	d.seed(2)
	run := Run{2, 0, 256 << 10}
	if diff := cmp.Diff([]Fetch{{2, run}}, of[Fetch](d)); diff != "" {
		t.Error("fetches (-want +got):", diff)
	}
	d.tell(Received{2, run}, Stored{2})
	if len(of[Finish](d)) != 1 || len(of[Announce](d)) != 1 {
		t.Errorf("when the part is here again: %v", d.got)
	}
	if st := d.Stats(); st != (Stats{Links: 1, Incoming: 2, Have: 4, BytesHave: 1 << 20, BytesGot: 1 << 20, Downloaded: 256 << 10}) {
		t.Errorf("%+v", st)
	}
}

func TestLostPartThatIsKeptIsNotFetched(t *testing.T) {
	d, _ := completeDesk(t, 4)
	d.tell(Lost{Part: 2, Keep: true}, Lost{Part: 2, Keep: true}, Lost{Part: 9})
	d.seed(0)
	if n := len(of[Fetch](d)); n != 0 {
		t.Errorf("%d fetches of what is left as it is", n)
	}
	if st := d.Stats(); st.Have != 3 || st.Missing != 1 {
		t.Errorf("%+v", st)
	}
	d.tell(Regained{Part: 2}, Regained{Part: 9})
	if st := d.Stats(); st.Have != 4 || st.Missing != 0 || len(of[Announce](d)) != 1 || len(of[Finish](d)) != 1 {
		t.Errorf("%+v after it is good again, %v", st, d.got)
	}
}

// A peer that lost a part is asked for the rest, and for that part when it has it anew.
func TestPeerThatWithdrawsAPart(t *testing.T) {
	d := newDesk(t, 3, 256<<10)
	d.seed(0)
	run := Run{1, 0, 256 << 10}
	d.tell(Withdrawn{0, 1})
	if diff := cmp.Diff([]Cancel{{0, run}}, of[Cancel](d)); diff != "" {
		t.Error("cancels (-want +got):", diff)
	}
	if n := len(d.menu(0)); n != 2 || d.links.seeds != 0 || d.rare.count[1] != 0 || d.rare.count[2] != 1 {
		t.Errorf("asked for %d runs, %d seeds, counts %v", n, d.links.seeds, d.rare.count)
	}
	d.tell(Has{Peer: 0, All: true}) // says nothing: what is withdrawn comes back part by part
	if n := len(d.menu(0)); n != 2 {
		t.Errorf("asked for %d runs, want 2", n)
	}
	d.seed(1)
	if n := len(d.menu(1)); n != 1 {
		t.Errorf("the other peer is asked for %d runs, want 1", n)
	}
	d.tell(Left{1}, Has{Peer: 0, Parts: []uint32{1}})
	if n := len(d.menu(0)); n != 3 {
		t.Errorf("asked for %d runs when it has the part anew, want 3", n)
	}
	d.tell(Stored{0}, Stored{1}, Stored{2})
	if drops := of[Drop](d); len(drops) != 1 {
		t.Errorf("drops %v: both have everything", drops)
	}
}
