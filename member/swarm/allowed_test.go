package swarm

import (
	"slices"
	"testing"
)

// client brings a link to a client that has everything and does not serve this member.
func (d *desk) client(i int) {
	d.tell(
		Joined{Peer: i, ID: id(i + 1), Addr: addr(i), Dialled: true, MaxQueue: 100},
		Has{Peer: i, All: true},
	)
}

// Who does not serve this member is asked for what it allows all the same, a run at a time, and not
// for what it does not have, or what is here or comes from elsewhere.
func TestAsksForWhatIsAllowed(t *testing.T) {
	d := newDesk(t, 4, 256<<10)
	d.client(0)
	if n := len(of[Fetch](d)); n != 0 {
		t.Fatalf("a client that does not serve is asked for %d runs", n)
	}
	d.tell(Allowed{0, 2}, Allowed{0, 2}, Allowed{0, 1}, Allowed{0, 99})
	if got := d.parts(0); !slices.Equal(got, []uint32{2}) {
		t.Fatalf("it is asked for %v, want 2", got)
	}
	run := Run{2, 0, 256 << 10}
	d.tell(Started{0, run}, Received{0, run}, Stored{2})
	if got := d.parts(0); !slices.Equal(got, []uint32{1}) {
		t.Fatalf("then for %v, want 1", got)
	}
	d.tell(Rejected{0, Run{1, 0, 256 << 10}})
	if got := d.parts(0); len(got) != 0 {
		t.Errorf("what it rejected it is asked for again: %v", got)
	}
	d.tell(Choked{Peer: 0})
	if got := d.parts(0); len(got) == 0 {
		t.Error("it serves, and is asked for nothing")
	}

	d = newDesk(t, 4, 256<<10)
	d.seed(1) // is asked for all
	d.tell(Joined{Peer: 0, ID: id(9), Addr: addr(0), MaxQueue: 100}, Has{Peer: 0, Parts: []uint32{3}})
	d.tell(Allowed{0, 0}, Allowed{0, 3})
	if got := d.parts(0); len(got) != 0 {
		t.Errorf("it is asked for %v, which it does not have or which comes", got)
	}
	d.tell(Left{1})
	if got := d.parts(0); !slices.Equal(got, []uint32{3}) {
		t.Errorf("it is asked for %v, want 3", got)
	}
	// Some blocks of a part that it does not send after all are nothing to wait for.
	d.tell(Declined{0, Run{3, 0, 256 << 10}})
	if got := d.parts(0); len(got) != 0 || !d.rare.isFree(3) {
		t.Errorf("it declined some of 3, and is asked for %v", got)
	}
}

// A client that stops to serve is asked for what it allows; who is bad for anything is not.
func TestAllowedEndsWithTrust(t *testing.T) {
	d := newDesk(t, 64, 256<<10)
	d.client(0)
	d.tell(Choked{Peer: 0}, Choked{Peer: 0, On: true})
	d.at += redialFirst
	d.tell(Allowed{0, 5})
	if got := d.parts(0); !slices.Equal(got, []uint32{5}) {
		t.Errorf("it is asked for %v, want 5", got)
	}
	if d.tell(Choked{Peer: 0, On: true}); len(d.parts(0)) != 0 || !d.rare.isFree(5) {
		t.Errorf("it says once more that it does not serve, and is still asked for %v", d.parts(0))
	}
	d.requests.fill(d.links.peers[0])
	run := Run{5, 0, 256 << 10}
	d.tell(Started{0, run}, Received{0, run}, Failed{Part: 5})
	if got := d.parts(0); len(got) != 0 {
		t.Errorf("it is asked for %v again, which was bad", got)
	}
	for part := range uint32(3 * allowedMost) {
		d.tell(Allowed{0, part})
	}
	if n := len(d.links.peers[0].allowed); n > allowedMost {
		t.Errorf("%d parts are remembered", n)
	}
}
