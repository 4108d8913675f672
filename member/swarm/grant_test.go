package swarm

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/proto"
)

// wanting brings a link to a member that lacks everything and asks for the parts.
func (d *desk) wanting(i int, id byte, host int, parts []uint32) {
	d.tell(Joined{Peer: i, ID: proto.PeerID{id}, Addr: addr(host), MaxRun: RunSize, MaxQueue: 100}, Interest{i, true}, Wanted{i, parts})
}

// wait lets time pass, with ticks when the core asks for them.
func (d *desk) wait(until time.Duration) {
	for {
		at, ok := d.Next()
		if !ok || at > until {
			break
		}
		d.at = max(at, d.at)
		d.tell(Tick{})
	}
	if d.at < until {
		d.at = until
		d.tell(Tick{})
	}
}

// Who takes nothing, however often, is granted something again soon while nobody else is: it may
// have been cut off.
func TestWhoTakesNothingIsTriedAgainWhileNobodyElseAsks(t *testing.T) {
	d, all := completeDesk(t, 100)
	d.plan.chain.foreign = 1 // by turns
	d.wanting(0, 1, 0, all)
	longest, last := time.Duration(0), time.Duration(0)
	for d.at < 10*time.Minute {
		if len(of[Grant](d)) > 0 {
			longest, last = max(longest, d.at-last), d.at
		}
		at, _ := d.Next()
		d.at = max(d.at, at)
		d.tell(Tick{})
	}
	if longest > takesIdle+takesAfter {
		t.Errorf("it is granted something again after up to %v", longest)
	}
	if at, _ := d.Next(); d.links.peers[0].takes.until < at+takesIdle {
		t.Error("it is not put off for long: that tests nothing")
	}
	d.wanting(1, 2, 1, all)
	for end := d.at + 2*takesIdle; d.at < end; {
		d.at += restAfter / 2
		d.tell(Sent{1, movedLeast})
		for _, g := range of[Grant](d) {
			if g.Peer == 0 {
				t.Fatal("it is granted something while somebody else takes")
			}
		}
	}
}

// A peer that takes nothing holds no slot for long. What it was granted is taken back, and
// granted again after a while that grows, also if it comes over a new link, until it takes
// something.
func TestWhoTakesNothingHoldsNoSlot(t *testing.T) {
	d, all := completeDesk(t, 100)
	d.plan.chain.foreign = 1 // by turns
	d.wanting(0, 1, 0, all)
	if n := len(d.links.peers[0].grants); n != grantsMost || d.grants.active != n {
		t.Fatalf("%d grants to the only one that asks, %d slots, want %d", n, d.grants.active, grantsMost)
	}
	d.wait(restAfter)
	if d.grants.active != 0 {
		t.Errorf("%d slots are held by who took nothing for %v", d.grants.active, restAfter)
	}
	d.tell(Sent{0, movedLeast})
	if d.grants.active != grantsMost {
		t.Errorf("%d slots when it goes on, want %d", d.grants.active, grantsMost)
	}
	stopped := d.at
	for d.at < stopped+takesAfter-lookEvery { // a few bytes are as good as nothing
		d.wait(d.at + lookEvery)
		d.tell(Sent{0, 10})
	}
	if p := d.links.peers[0]; len(p.grants) != grantsMost {
		t.Fatalf("taken back too soon: %d are out", len(p.grants))
	}
	d.at = stopped + takesAfter
	d.tell(Tick{})
	if diff := cmp.Diff([]Revoke{{0}}, of[Revoke](d)); diff != "" {
		t.Fatal("taken back (-want +got):", diff)
	}
	if p := d.links.peers[0]; len(p.wants) != len(all) || len(of[Grant](d)) != 0 {
		t.Errorf("%d of %d parts wait for a grant, granted: %v", len(p.wants), len(all), of[Grant](d))
	}
	d.tell(Left{0})
	d.wanting(3, 77, 0, all) // from the same host
	if len(of[Grant](d)) != 0 {
		t.Error("a new link is granted something at once")
	}
	d.wanting(1, 2, 1, all)
	if n := len(d.links.peers[1].grants); n != grantsMost {
		t.Errorf("%d grants to who comes later, want %d", n, grantsMost)
	}
	back := d.links.peers[3]
	d.wait(back.takes.until)
	if n := len(back.grants); n != 1 {
		t.Fatalf("%d grants on trial, want 1", n)
	}
	until := back.takes.until
	d.wait(d.at + takesOnTrial)
	if len(back.grants) != 0 || back.takes.until-d.at <= until-stopped-takesAfter {
		t.Errorf("the second time: %d grants, put off for %v", len(back.grants), back.takes.until-d.at)
	}
	d.wait(back.takes.until)
	d.tell(Served{Peer: 3})
	if back.takes.onTrial() || len(back.grants) == 0 {
		t.Error("who takes what it is granted is not forgiven")
	}
	d.tell(Left{3})
	d.wanting(3, 78, 0, all)
	if len(d.links.peers[3].grants) == 0 {
		t.Error("its next link is on trial")
	}
}

// A grant that waits for this member's own limit, or for content, is not held against the peer.
func TestWhoIsMadeToWaitIsNotBlamed(t *testing.T) {
	d, all := completeDesk(t, 100)
	d.plan.chain.foreign = 1
	d.wanting(0, 1, 0, all)
	for d.at < 3*takesAfter {
		d.wait(d.at + ReportEvery)
		d.tell(Sent{Peer: 0})
	}
	if p := d.links.peers[0]; len(p.grants) != grantsMost || p.resting {
		t.Errorf("under a limit: %d grants, resting: %v", len(p.grants), p.resting)
	}

	d = newRelay(t)
	d.tell(Wanted{1, d.parts(0)[:1]})
	if len(d.links.peers[1].relayed) == 0 {
		t.Fatal("nothing is passed on")
	}
	run := d.menu(0)[0]
	for got := uint32(0); d.at < 2*takesAfter; got += movedLeast {
		d.at += ReportEvery
		d.tell(Progress{Peer: 0, Down: movedLeast, Run: run, Got: got})
	}
	if p := d.links.peers[1]; len(p.grants) == 0 || p.takes.onTrial() {
		t.Errorf("when nothing comes: %d grants, on trial: %v", len(p.grants), p.takes.onTrial())
	}
}

// Memory of addresses is bounded, and what is old goes first.
func TestMemoryIsBounded(t *testing.T) {
	m := memory{}
	for i := range 3 * memoryMost {
		p := &peer{addr: addrOf(i), service: service{takes: backoff{fails: 1}}}
		m.note(time.Duration(i)*time.Second, p)
	}
	last := &peer{addr: addrOf(3*memoryMost - 1)}
	m.recall(3*memoryMost*time.Second, last)
	if len(m) > memoryMost || !last.takes.onTrial() {
		t.Errorf("%d are remembered, the last one: %v", len(m), last.takes.onTrial())
	}
	m.recall(3*memoryMost*time.Second+2*memoryAge, &peer{addr: last.addr})
	again := &peer{addr: last.addr}
	m.recall(3*memoryMost*time.Second, again)
	if again.takes.onTrial() {
		t.Error("what is old is not forgotten")
	}
}
