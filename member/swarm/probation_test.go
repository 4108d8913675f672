package swarm

import "testing"

// Once a part came bad, who has sent nothing good is asked for one part at a time, and whose
// address is in debt for nothing, under whatever id, as long as somebody else can be asked.
func TestProbation(t *testing.T) {
	d := newDesk(t, 1000, 256<<10)
	d.plan.chain.broken = true
	d.member(0, 1, 1)
	d.member(1, 2, 2)
	d.sendsOne(0, true)
	if n := len(d.menu(1)); n < 2 {
		t.Fatalf("asked for %d parts before anything was bad", n)
	}
	d.sendsOne(1, false)
	if n := len(d.menu(1)); n != 1 {
		t.Errorf("on probation, it is asked for %d parts, want 1", n)
	}
	if n := len(d.menu(0)); n < 2 {
		t.Errorf("who sent what is good is asked for %d parts", n)
	}
	for len(d.menu(1)) > 0 { // until it is deep in debt
		d.sendsOne(1, false)
	}
	if most := int64(graceMost + 512<<10); d.Stats().Failed > most {
		t.Errorf("%d bytes were bad until it was asked for nothing, want %d at most", d.Stats().Failed, most)
	}
	if len(of[CutOff](d)) > 0 {
		t.Error("cut off for a MiB")
	}
	d.tell(Left{1})
	d.member(1, 3, 2)
	if n := len(d.menu(1)); n != 0 {
		t.Errorf("under another id it is asked for %d parts", n)
	}
	d.member(2, 4, 3)
	if n := len(d.menu(2)); n != 1 {
		t.Errorf("a newcomer elsewhere is asked for %d parts, want 1", n)
	}
	d.sendsOne(2, true)
	if n := len(d.menu(2)); n < 2 {
		t.Errorf("when it has sent a good one it is asked for %d", n)
	}
	d.wait(d.at + probeFirst)
	if n := len(d.menu(1)); n != 1 {
		t.Errorf("after a while it is asked for %d parts, want 1", n)
	}
}
