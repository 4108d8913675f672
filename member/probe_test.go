package member_test

import (
	"strings"
	"testing"

	"orchestra/conduct"
	"orchestra/member"
)

// Whom the user took for a member is named as what it is.
func TestPeerThatIsAConductor(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	addr, end := startConductor(t, conduct.Config{})
	defer end()
	p := s.join(member.Config{Dir: t.TempDir(), Peers: []string{addr}})
	want := "connected to nobody: a conductor answers at " + addr + ", and no member"
	s.wait(func() bool { return strings.Contains(p.Progress().Waiting, want) })
	if err := p.end(); err != nil {
		t.Error(err)
	}
}

// A member says who had the parts that are missing, and counts those that are complete.
func TestSourceLeaves(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	source := s.join(member.Config{Dir: s.dir, UploadLimit: 256 << 10})
	s.wantComplete(source)
	peers := []string{source.Addr().String()}
	p := s.join(member.Config{Dir: t.TempDir(), Peers: peers})
	s.wait(func() bool { return p.Progress().PartsDone > 0 && p.Progress().KnownComplete == 1 })
	empty := s.join(member.Config{Dir: t.TempDir(), Peers: []string{p.Addr().String()}})
	s.wait(func() bool { return empty.Progress().PartsDone > 0 })
	if why := p.Progress().Waiting; why != "" {
		t.Error("while something comes it says", why)
	}
	if err := source.end(); err != nil {
		t.Error(err)
	}
	s.wait(func() bool {
		why := p.Progress().Waiting
		return strings.HasPrefix(why, "nobody connected has") && strings.Contains(why, peers[0]+" had")
	})
	for _, p := range []*player{p, empty} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}
