package conduct

import (
	"fmt"
	"testing"
)

// ring lists n members at addresses of their own that all know each other.
func ring(t *testing.T, n int) *script {
	s := newScript(t, testLimits, 1)
	for i := range n {
		s.join(peerN(i), farSeat(i), plain(i))
	}
	return s
}

func TestComplaints(t *testing.T) {
	for _, c := range []struct {
		members, needed int
	}{
		{4, 3},  // all others
		{8, 4},  // more than half of 7
		{11, 6}, // more than half of 10
	} {
		t.Run(fmt.Sprint(c.members, " members"), func(t *testing.T) {
			s := ring(t, c.members)
			bad := peerN(0)
			for i := 1; i <= c.needed; i++ {
				want := complaintCounted
				if i == c.needed {
					want = complaintShuns
				}
				if got := s.reg.complain(s.now, link(i+1), bad); got != want {
					t.Fatalf("complaint %d of %d needed: verdict %d, want %d", i, c.needed, got, want)
				}
				if got := s.reg.complain(s.now, link(i+1), bad); got != complaintIgnored {
					t.Fatalf("the same complaint again: verdict %d", got)
				}
			}
			l, _ := s.join(peerN(100), farSeat(100), plain(100))
			if _, ok := s.known[l][bad]; ok {
				t.Error("a newcomer was told of the bad member")
			}
			if len(s.known[l]) != c.members-1 {
				t.Errorf("a newcomer was told of %d members, want %d", len(s.known[l]), c.members-1)
			}
			for peer, e := range s.reg.comps[testID].byPeer {
				if e.shunned != (peer == bad) {
					t.Errorf("%v is shunned: %v", peer, e.shunned)
				}
			}
		})
	}
}

func TestLiarsAreNotHeard(t *testing.T) {
	s := ring(t, 6)
	honest := peerN(0)

	// One host with many members is one voice, and none against its own.
	for i := range 40 {
		l, _ := s.join(peerN(50+i), farSeat(50), plain(i))
		want := complaintIgnored
		if i == 0 {
			want = complaintCounted
		}
		if got := s.reg.complain(s.now, l, honest); got != want {
			t.Fatalf("complaint %d of one host: verdict %d, want %d", i, got, want)
		}
		if i > 0 {
			if got := s.reg.complain(s.now, l, peerN(50)); got != complaintIgnored {
				t.Fatalf("complaint of a member beside it: verdict %d", got)
			}
		}
	}

	// Of oneself, of nobody, from nobody.
	if s.reg.complain(s.now, 1, honest) != complaintIgnored ||
		s.reg.complain(s.now, 2, peerN(999)) != complaintIgnored ||
		s.reg.complain(s.now, 999, honest) != complaintIgnored {
		t.Error("a complaint without sense was counted")
	}
	if s.reg.comps[testID].byPeer[honest].shunned {
		t.Error("an honest member was taken out")
	}
}

// A complaint of everybody is a complaint of nobody.
func TestComplainersAreBounded(t *testing.T) {
	s := ring(t, 30)
	counted := 0
	for i := 1; i < 30; i++ {
		if s.reg.complain(s.now, 1, peerN(i)) == complaintCounted {
			counted++
		}
	}
	if counted != maxAccused {
		t.Errorf("%d complaints of one member counted, want %d", counted, maxAccused)
	}
}

// Strangers cannot accuse: in a big swarm a liar would have to be introduced.
func TestOnlyTheIntroducedMayComplain(t *testing.T) {
	s := ring(t, 400)
	strangers := 0
	bad := s.reg.comps[testID].byPeer[peerN(0)]
	for _, e := range s.reg.comps[testID].byPeer {
		if e != bad && !knows(e, bad) && !knows(bad, e) {
			strangers++
			if got := s.reg.complain(s.now, e.link, bad.peer); got != complaintIgnored {
				t.Fatalf("the complaint of a stranger: verdict %d", got)
			}
		}
	}
	if strangers == 0 {
		t.Fatal("no strangers among 400")
	}
}
