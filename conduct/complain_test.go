package conduct

import (
	"fmt"
	"testing"
	"time"

	"orchestra/proto"
)

// ring lists n members at addresses of their own that all know each other.
func ring(t *testing.T, n int) *script {
	s := newScript(t, testLimits, 1)
	for i := range n {
		s.joinWith(i, i)
	}
	return s
}

// joinWith lists a member of a composition of parts, at an address.
func (s *script) joinWith(n, at int) link {
	ann := plain(n)
	ann.Parts, ann.Have = 100, 100
	l, _ := s.join(peerN(n), farSeat(at), ann)
	return l
}

// complains has a member complain of so many parts, and returns the last verdict and how often the
// accused heard of it.
func (s *script) complains(l link, of proto.PeerID, parts int) (v verdict, told int) {
	s.t.Helper()
	for part := range uint32(parts) {
		var out []effect
		v, out = s.reg.complain(s.now, l, of, part, nil)
		for _, eff := range s.did(out) {
			if eff, ok := eff.(tell); ok && eff.msg == (proto.Accused{Part: part}) && s.reg.links[eff.to].peer == of {
				told++
			}
		}
	}
	return v, told
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
				if got, _ := s.complains(link(i+1), bad, minParts-1); got != complaintHeard {
					t.Fatalf("complaint of few parts: verdict %d", got)
				}
				if got, _ := s.complains(link(i+1), bad, minParts); got != want {
					t.Fatalf("complaint %d of %d needed: verdict %d, want %d", i, c.needed, got, want)
				}
				if got, _ := s.complains(link(i+1), bad, minParts+1); got != complaintHeard {
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
			s.now = s.now.Add(accusedFor)
			s.reg.ping(s.now, 1, nil)
			l, _ = s.join(peerN(101), farSeat(101), plain(101))
			if _, ok := s.known[l][bad]; !ok {
				t.Error("what was held against a member does not fade")
			}
		})
	}
}

func TestLiarsAreNotHeard(t *testing.T) {
	s := ring(t, 6)
	honest := peerN(0)

	// One host with many members is one voice, and none against its own.
	for i := range 40 {
		l := s.joinWith(50+i, 50)
		want := complaintHeard
		if i == 0 {
			want = complaintCounted
		}
		if got, _ := s.complains(l, honest, minParts); got != want {
			t.Fatalf("complaint %d of one host: verdict %d, want %d", i, got, want)
		}
		if i > 0 {
			if got, _ := s.complains(l, peerN(50), minParts); got != complaintHeard {
				t.Fatalf("complaint of a member beside it: verdict %d", got)
			}
		}
	}

	// Of oneself, of nobody, from nobody, of a part that there is not.
	for _, c := range []struct {
		from link
		of   proto.PeerID
		part uint32
	}{{1, honest, 0}, {2, peerN(999), 0}, {999, honest, 0}, {2, honest, 100}} {
		if got, out := s.reg.complain(s.now, c.from, c.of, c.part, nil); got != complaintIgnored || len(out) > 0 {
			t.Errorf("a complaint without sense, %+v: verdict %d, %v", c, got, out)
		}
	}
	if s.reg.comps[testID].byPeer[honest].shunned {
		t.Error("an honest member was taken out")
	}
}

func TestAccusersNeeded(t *testing.T) {
	for _, c := range []struct{ others, want int }{
		{0, 3},
		{2, 3},
		{5, 3},
		{6, 4},
		{10, 6},
		{20, 11},
		{2 * maxLinks, maxLinks + 1},
		{2*maxLinks + 4, maxLinks + 2},
		{2*maxLinks + 400, maxLinks + 101},
		{100_000, mostNeeded},
	} {
		if got := accusersNeeded(c.others); got != c.want {
			t.Errorf("among %d others: %d, want %d", c.others, got, c.want)
		}
	}
	for n := range 10_000 {
		if accusersNeeded(n+1) < accusersNeeded(n) {
			t.Fatalf("fewer are needed among %d than among %d", n+1, n)
		}
	}
}

// As many liars as once were enough anywhere do not take an honest member out
// of a large swarm.
func TestFewAreNotHeardInALargeSwarm(t *testing.T) {
	s := ring(t, 60)
	for i := 1; i <= 11; i++ {
		s.complains(link(i+1), peerN(0), minParts)
	}
	e := s.reg.comps[testID].byPeer[peerN(0)]
	if e.countAccusers() < 8 {
		t.Fatalf("%d were counted: that tests nothing", e.countAccusers())
	}
	if e.shunned {
		t.Error("an honest member was taken out")
	}
}

// Who is the only one that has everything is handed out, whatever others say
// of it, until somebody else has everything too.
func TestLastCompleteMemberIsHandedOut(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.joinWith(0, 0)
	partly := func(n int) link {
		ann := plain(n)
		ann.Parts, ann.Have = 100, 50
		l, _ := s.join(peerN(n), farSeat(n), ann)
		return l
	}
	for n := 1; n < 5; n++ {
		s.complains(partly(n), peerN(0), minParts)
	}
	if e := s.reg.comps[testID].byPeer[peerN(0)]; !e.shunned {
		t.Fatal("it is in good repute: that tests nothing")
	}
	if _, ok := s.known[partly(50)][peerN(0)]; !ok {
		t.Error("a newcomer was not told of the only complete member")
	}
	s.joinWith(60, 60)
	if _, ok := s.known[partly(51)][peerN(0)]; ok {
		t.Error("a newcomer was told of it although another one is complete")
	}
}

// A complaint of everybody is a complaint of nobody.
func TestComplainersAreBounded(t *testing.T) {
	s := ring(t, 30)
	counted := 0
	for i := 1; i < 30; i++ {
		if got, _ := s.complains(1, peerN(i), minParts); got == complaintCounted {
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
			if got, told := s.complains(e.link, bad.peer, 1); got != complaintIgnored || told > 0 {
				t.Fatalf("the complaint of a stranger: verdict %d", got)
			}
		}
	}
	if strangers == 0 {
		t.Fatal("no strangers among 400")
	}
}

// A member with one bad part hears of it from the conductor, and is handed out as before.
func TestOneBadPartIsNoDisgrace(t *testing.T) {
	s := ring(t, 8)
	for i := 1; i < 8; i++ {
		if got, told := s.complains(link(i+1), peerN(0), 1); got != complaintHeard || told != 1 {
			t.Errorf("complaint %d: verdict %d, told %d times", i, got, told)
		}
	}
	if l := s.joinWith(100, 100); len(s.known[l]) != 8 {
		t.Errorf("a newcomer is told of %d members, want 8", len(s.known[l]))
	}
}

// Those who complain all the time do not keep a member busy.
func TestAccusedIsNotFlooded(t *testing.T) {
	s := ring(t, 8)
	told := 0
	for range 60 {
		for i := 1; i < 8; i++ {
			_, n := s.complains(link(i+1), peerN(0), 10)
			told += n
		}
		s.now = s.now.Add(time.Second)
	}
	if most := accuseBurst + int(time.Minute/accuseEvery); told > most || told < most-1 {
		t.Errorf("told %d times in a minute, want %d", told, most)
	}
}
