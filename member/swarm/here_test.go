package swarm

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// TestPartsFromTheStart holds that parts that are here from the start count as done, are not asked for,
// and are offered to others.
func TestPartsFromTheStart(t *testing.T) {
	for _, sequential := range []bool{false, true} {
		d := &desk{t: t, Swarm: New(Config{
			Size: 5*256<<10 - 1, PartSize: 256 << 10, ID: proto.PeerID{100}, Seed: 1, Sequential: sequential,
			Have: []byte{0b10101000}, Skip: []byte{0b00001000},
		})}
		st := d.Stats()
		if st.Have != 3 || st.Missing != 2 || st.BytesHave != 3*256<<10-1 || st.BytesGot != 2*256<<10 {
			t.Errorf("at the start: %+v", st)
		}
		d.seed(0)
		if diff := cmp.Diff([]Run{{1, 0, 256 << 10}, {3, 0, 256 << 10}}, sorted(d.menu(0))); diff != "" {
			t.Error("asked for (-want +got):", diff)
		}
		d.tell(Joined{Peer: 1, ID: proto.PeerID{50}, Addr: addr(1), MaxRun: RunSize, MaxQueue: 100}, Interest{1, true}, Wanted{1, []uint32{2}})
		if grants := of[Grant](d); len(grants) != 1 || grants[0].Parts[0] != 2 {
			t.Errorf("granted %v, want part 2", grants)
		}
		d.tell(Stored{1}, Stored{3})
		if len(of[Finish](d)) != 1 {
			t.Error("it is not complete")
		}
	}
}

// TestAllFromTheStart is complete when it begins.
func TestAllFromTheStart(t *testing.T) {
	d := &desk{t: t, Swarm: New(Config{Size: 2 << 20, PartSize: 1 << 20, Seed: 1, Have: []byte{0b11000000}})}
	d.tell(Tick{})
	if len(of[Finish](d)) != 1 {
		t.Error("it is not complete")
	}
}

func sorted(runs []Run) []Run {
	return slices.SortedFunc(slices.Values(runs), func(a, b Run) int { return int(a.Part) - int(b.Part) })
}
