package swarm

import (
	"slices"
	"testing"
	"time"

	"orchestra/proto"
)

// A swarm that was disturbed finds back to a chain, all members together, and loses nothing by it.
func TestSwarmFindsBack(t *testing.T) {
	const n = 8
	rate := mbit(40)
	for _, test := range []struct {
		name     string
		size     int64 // MiB
		disturb  func(s *sim)
		brokenAt time.Duration // when all have given the chain up
		wholeAt  time.Duration // when all are in one again
		last     float64       // copies that the last member takes at most
	}{
		{"after a slow member left", 128, func(s *sim) {
			p := s.enter(500*time.Millisecond, rate/10, rate, false)
			s.at(8*time.Second, later(func() { s.leave(p) }))
		}, 7 * time.Second, 14 * time.Second, 1.08},
		{"when nobody knows what it was", 768, func(s *sim) {
			s.at(10*time.Second, later(func() { s.players[n/2].core.plan.giveUp(nil) }))
		}, 20 * time.Second, 10*time.Second + callAfter + 2*time.Second, 1.02},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSim(t, test.size<<20, 256<<10, 1)
			s.enter(0, rate, rate, true)
			for i := range n {
				s.enter(time.Second+time.Duration(i)*5*time.Millisecond, rate, rate, false)
			}
			test.disturb(s)
			look := func(at time.Duration, broken bool) {
				s.at(at, later(func() {
					for _, p := range s.players[:n+1] {
						if p.core.plan.chain.broken != broken {
							t.Errorf("at %v member %d has given the chain up: %v", at, p.n, !broken)
						}
					}
				}))
			}
			look(test.brokenAt, true)
			look(test.wholeAt, false)
			s.at(test.wholeAt, later(func() {
				for _, p := range s.players[1 : n+1] {
					if up := p.core.plan.chain.up; up == nil {
						t.Errorf("nobody sends to member %d", p.n)
					} else if q := s.player(up.id).core.plan.chain.down; q == nil || q.id != p.id {
						t.Errorf("member %d is not whom its upstream sends to", p.n)
					}
				}
			}))
			s.play(5 * time.Minute)
			list := s.finishes(rate)
			t.Logf("%.3f", list)
			if last := slices.Max(list); last > test.last {
				t.Errorf("the last took %.3f copies, at most %v are held", last, test.last)
			}
		})
	}
}

// A guest speaks against a chain as long as it is there.
func TestGuestSpeaksAgainstAChain(t *testing.T) {
	d := newDesk(t, 64, 256<<10)
	d.seed(0)
	d.plan.giveUp(nil)
	d.tell(Joined{Peer: 1, ID: proto.PeerID{2}, Addr: addr(1)})
	if got := of[SetRegroup](d); len(got) != 1 || got[0] != (SetRegroup{0, proto.RegroupAgainst}) {
		t.Fatalf("with a guest it tells %v", got)
	}
	d.at = time.Minute
	d.tell(Regroup{0, proto.RegroupNow})
	if !d.plan.chain.broken {
		t.Error("with a guest it heeds a call")
	}
	d.tell(Left{1})
	if got := of[SetRegroup](d); len(got) != 1 || got[0] != (SetRegroup{0, proto.RegroupWell}) {
		t.Errorf("when the guest has left it tells %v", got)
	}
	d.tell(Regroup{0, proto.RegroupNow})
	if d.plan.chain.broken {
		t.Error("it heeds no call")
	}
}

// Who has everything calls, when nobody speaks against it, and not at once.
func TestWhoCallsForAChain(t *testing.T) {
	d, _ := completeDesk(t, 64)
	d.wait(time.Second)
	for i := range 3 {
		d.tell(Joined{Peer: i, ID: proto.PeerID{byte(i + 1)}, Addr: addr(i), MaxRun: RunSize})
	}
	calls := func() (to []int) {
		for _, e := range of[SetRegroup](d) {
			if e.What == proto.RegroupNow {
				to = append(to, e.Peer)
			}
		}
		return to
	}
	d.plan.giveUp(nil)
	d.tell(Regroup{1, proto.RegroupAgainst})
	d.at += 2 * callAfter
	d.tell(Tick{})
	if to := calls(); to != nil {
		t.Errorf("it calls %v when one speaks against it", to)
	}
	d.plan.again.calls.until = d.at + callAfter
	d.tell(Regroup{1, proto.RegroupWell})
	if at, _ := d.Next(); at != d.at+callSoon {
		t.Errorf("it looks again at %v, want %v", at, d.at+callSoon)
	}
	d.at += callSoon
	d.tell(Tick{})
	if to := calls(); !slices.Equal(to, []int{0, 1, 2}) {
		t.Errorf("it calls %v", to)
	}
	d.plan.giveUp(nil)
	if got := d.plan.again.calls.until - d.at; got != 2*callAfter {
		t.Errorf("when the chain ends again it waits for %v, want %v", got, 2*callAfter)
	}
	d.tell(Regroup{0, proto.RegroupNow})
	if !d.plan.chain.broken {
		t.Error("it heeds a call when the chain has just ended")
	}
}
