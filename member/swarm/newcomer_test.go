package swarm

import "testing"

// sendsRun has a peer send the first run that it is asked for.
func (d *desk) sendsRun(peer int) Run {
	d.t.Helper()
	menu := d.menu(peer)
	if len(menu) == 0 {
		d.t.Fatalf("peer %d is asked for nothing", peer)
	}
	d.tell(Started{peer, menu[0]}, Received{peer, menu[0]}, Written{peer, menu[0]})
	return menu[0]
}

// asked is how many runs peers are asked for together.
func (d *desk) asked(peers ...int) (n int) {
	for _, i := range peers {
		n += len(d.menu(i))
	}
	return n
}

// Newcomers at one host are asked for a part and a MiB together, whether they stay or come anew,
// until a part that they had a hand in is good.
func TestNewcomersShareOneRoom(t *testing.T) {
	const runs = 4 // in a part
	d := newDesk(t, 100, runs*RunSize)
	d.plan.chain.broken = true
	d.member(0, 1, 1)
	d.member(1, 2, 2)
	if n := d.asked(1); n != menuRuns {
		t.Errorf("asked for %d runs while nobody is proven, want %d", n, menuRuns)
	}
	d.tell(Left{1})
	d.sendsOne(0, true)
	d.member(1, 3, 2)
	d.member(2, 4, 2)
	d.member(3, 5, 2)
	if n := d.asked(1, 2, 3); n != runs+1 {
		t.Errorf("three at one host are asked for %d runs, want %d", n, runs+1)
	}
	d.member(4, 6, 3)
	if n := d.asked(4); n != runs+1 {
		t.Errorf("one at another host is asked for %d runs, want %d", n, runs+1)
	}
	if n := d.asked(0); n != menuRuns {
		t.Errorf("who has sent a good part is asked for %d runs, want %d", n, menuRuns)
	}
	var part uint32
	for range 2 { // what it has sent counts on when it has left
		part = d.sendsRun(1).Part
	}
	d.tell(Left{1})
	if n := d.asked(2, 3); n != runs+1-2 {
		t.Errorf("after two runs came, those at the host are asked for %d runs, want %d", n, runs+1-2)
	}
	d.tell(Stored{part})
	if n := d.asked(2, 3); n != runs+1 {
		t.Errorf("when they turned out good, they are asked for %d runs, want %d", n, runs+1)
	}
}

// What newcomers left unfinished does not keep others at their host from ending it, where nobody
// proven has it.
func TestNewcomersEndWhatNobodyElseHas(t *testing.T) {
	const runs = 4
	d := newDesk(t, 10, runs*RunSize)
	d.plan.chain.broken = true
	d.tell(Joined{Peer: 0, Addr: addr(1), MaxRun: RunSize, MaxQueue: 100}, Has{Peer: 0, Parts: []uint32{0}}, Choked{Peer: 0})
	d.sendsOne(0, true)
	d.tell(Has{Peer: 0, Parts: []uint32{0, 1}})
	id := 2
	for range runs + 1 { // each sends a run and leaves
		d.member(1, id, 2)
		d.sendsRun(1)
		d.tell(Left{1})
		id++
	}
	d.member(1, id, 2)
	if n := d.asked(1); n != runs+1 {
		t.Errorf("asked for %d runs of what nobody else has, want %d", n, runs+1)
	}
}
