package swarm

import (
	"slices"
	"testing"
	"time"

	"orchestra/proto"
)

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
