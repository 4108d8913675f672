package cli

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"orchestra/internal/cli/hosts"
)

// outage is how long a fault lasts that ends, long enough that connections end of it; settles, that
// whatever is tried again and again is tried as seldom as it will be.
const (
	outage  = 20 * time.Second
	settles = 10 * time.Second
)

// A networkScene has a conductor, a source and members, each on a host of its own. The source sends
// slowly, so that not all is there yet when a busy machine has made a fault.
type networkScene struct {
	*labScene
	star *hosts.Star
}

// newNetworkScene starts a conductor and a source on hosts of these names. Others are for members.
func newNetworkScene(t *testing.T, members ...string) *networkScene {
	t.Helper()
	t.Parallel()
	star := hosts.NewStar(t, append([]string{"conductor", "source"}, members...)...)
	return &networkScene{newLabScene(t, star.Lab, 8<<20), star}
}

// begin composes for a conductor at an address, and starts that and the source.
func (s *networkScene) begin(conductor string) {
	s.t.Helper()
	s.compose("64K", conductor)
	s.conductOn("conductor")
	s.source("source")
}

// source starts a source on a host.
func (s *networkScene) source(host string) *player {
	s.t.Helper()
	p := s.on(host, "join", "--json", "--dir", filepath.Join(s.dir, "original"),
		"--upload-limit", "512K", s.orch)
	p.untilComplete()
	return p
}

func (s *networkScene) member(host string, flags ...string) *player {
	s.t.Helper()
	join := []string{"join", "--json", "--dir", filepath.Join(s.dir, host), s.orch}
	return s.on(host, append(join, flags...)...)
}

// conductorAddress is where the conductor listens.
func (s *networkScene) conductorAddress() string { return s.star.Address("conductor") + ":9999" }

func someParts(e sceneEvent) bool { return e.Event == "progress" && e.PartsDone > 8 }

// wantFlows reads until the members are complete, and wants no longer stall at any of them from now
// on than there may be.
func wantFlows(t *testing.T, members ...*player) {
	t.Helper()
	begun := time.Now()
	var reading sync.WaitGroup
	for _, m := range members {
		reading.Go(func() {
			stall, says, ok := m.longestStall(begun)
			t.Logf("%s: the longest stall is %v; it says %q", m.name, stall.Round(time.Second/10), says)
			switch {
			case !ok:
				t.Errorf("%s is not complete after %v", m.name, time.Since(begun).Round(time.Second))
			case stall > stallMost:
				t.Errorf("%s: nothing came for %v", m.name, stall)
			}
		})
	}
	reading.Wait()
}

// last returns what a member shows at a time to come.
func (p *player) last(at time.Time) (e sceneEvent) {
	p.t.Helper()
	return p.until("progress", func(e sceneEvent) bool {
		return e.Event == "progress" && e.at.After(at)
	})
}

// A member that is cut off for a while, however that is, says so and goes on soon after.
func TestMemberIsCutOff(t *testing.T) {
	t.Parallel()
	const noAnswer = "connected to nobody: 10.99.2.2:10001 does not answer"
	for _, fault := range []struct {
		name      string
		cut, mend func(s *hosts.Star)
		says      string // the member
	}{
		{
			"its cable is out",
			func(s *hosts.Star) { s.Unplug("member") }, func(s *hosts.Star) { s.Plug("member") },
			"connected to nobody: the network has no way to 10.99.2.2:10001",
		},
		{
			"all its packets are lost",
			func(s *hosts.Star) { s.Cut("member") }, func(s *hosts.Star) { s.Mend("member") },
			noAnswer,
		},
		{
			"what comes to it is lost",
			func(s *hosts.Star) { s.Lose("source", "member"); s.Lose("conductor", "member") },
			func(s *hosts.Star) { s.Find("source", "member"); s.Find("conductor", "member") },
			noAnswer,
		},
		{
			"what it sends is lost",
			func(s *hosts.Star) { s.Lose("member", "source"); s.Lose("member", "conductor") },
			func(s *hosts.Star) { s.Find("member", "source"); s.Find("member", "conductor") },
			noAnswer,
		},
	} {
		t.Run(fault.name, func(t *testing.T) {
			s := newNetworkScene(t, "member")
			s.begin(s.conductorAddress())
			member := s.member("member")
			member.until("something of the content", someParts)
			fault.cut(s.star)
			if e := member.last(time.Now().Add(outage)); e.Waiting != fault.says {
				t.Errorf("it says %q, want %q", e.Waiting, fault.says)
			}
			fault.mend(s.star)
			wantFlows(t, member)
			s.wantCopy("member")
		})
	}
}

// Where the way from the only source is gone for good, in one direction, there is one through
// another member.
func TestWayRoundLostLink(t *testing.T) {
	s := newNetworkScene(t, "not-heard", "hears-nothing", "other")
	s.begin(s.conductorAddress())
	notHeard, hearsNothing := s.member("not-heard"), s.member("hears-nothing")
	other := s.member("other")
	notHeard.until("something of the content", someParts)
	s.star.Lose("not-heard", "source")
	s.star.Lose("source", "hears-nothing")
	wantFlows(t, notHeard, hearsNothing, other)
	for _, m := range []*player{notHeard, hearsNothing, other} {
		s.wantCopy(m.name)
	}
}

// Large packets vanish from the start, and nobody is told.
func TestMTUHole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		mtu     int
		address func(s *hosts.Star, name string) string
	}{
		{"IPv4", 1000, func(s *hosts.Star, name string) string { return s.Address(name) }},
		{"IPv6", 1280, func(s *hosts.Star, name string) string { return "[" + s.Address6(name) + "]" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newNetworkScene(t, "member", "other")
			s.star.Narrow(tt.mtu)
			s.begin(tt.address(s.star, "conductor") + ":9999")
			member, other := s.member("member"), s.member("other")
			wantFlows(t, member, other)
			s.wantCopy("member")
			s.wantCopy("other")
		})
	}
}

// Half of the members cannot reach the conductor from some time on: they go on with whom they know.
func TestConductorOutOfReachOfHalf(t *testing.T) {
	s := newNetworkScene(t, "one", "two")
	s.begin(s.conductorAddress())
	one, two := s.member("one"), s.member("two")
	one.until("something of the content", someParts)
	s.star.Lose("one", "conductor")
	wantFlows(t, one, two)
	s.wantCopy("one")
	s.wantCopy("two")
}

// A conductor that cannot be reached for long, as the member says, is found soon once it can.
func TestConductorOutOfReachAtFirst(t *testing.T) {
	s := newNetworkScene(t, "member")
	s.begin(s.conductorAddress())
	s.star.Cut("member")
	member := s.member("member")
	e := member.last(time.Now().Add(2 * settles))
	want := "no other member is known, and conductor " + s.conductorAddress() +
		" unreachable: it does not answer"
	if !strings.HasSuffix(e.Waiting, want) {
		t.Errorf("it says %q, want %q", e.Waiting, want)
	}
	s.star.Mend("member")
	wantFlows(t, member)
	s.wantCopy("member")
}

// The member's own host gets another address in the midst of it.
func TestMemberGetsAnotherAddress(t *testing.T) {
	s := newNetworkScene(t, "member")
	s.begin(s.conductorAddress())
	member := s.member("member")
	member.until("something of the content", someParts)
	s.lab.Do(`
ip -n @member addr del 10.99.3.2/24 dev eth0
ip -n @member addr add 10.99.3.102/24 dev eth0
ip -n @member route replace default via 10.99.3.1`)
	wantFlows(t, member)
	s.wantCopy("member")
}

// A conductor moves to another host behind its name, and a member that was told of the source by
// name alone finds that on another host too.
func TestNamesMove(t *testing.T) {
	t.Parallel()
	t.Run("conductor", func(t *testing.T) {
		s := newNetworkScene(t, "member", "elsewhere")
		s.lab.Names("member", map[string]string{"music.test": s.star.Address("conductor")})
		s.lab.Names("source", map[string]string{"music.test": s.star.Address("elsewhere")})
		s.compose("64K", "music.test:9999")
		s.conductOn("conductor")
		member := s.member("member")
		member.until("the conductor", func(e sceneEvent) bool { return e.Up })
		s.conductor.stop(syscall.SIGKILL)
		member.last(time.Now().Add(settles))
		s.conductOn("elsewhere")
		s.lab.Names("member", map[string]string{"music.test": s.star.Address("elsewhere")})
		s.source("source")
		wantFlows(t, member)
		s.wantCopy("member")
	})
	t.Run("member", func(t *testing.T) {
		s := newNetworkScene(t, "member", "elsewhere")
		s.lab.Names("member", map[string]string{"music.test": s.star.Address("source")})
		s.compose("64K", "")
		source := s.on("source", "join", "--json", "--dir", filepath.Join(s.dir, "original"),
			"--listen", ":10001", "--upload-limit", "512K", s.orch)
		source.untilComplete()
		member := s.member("member", "--peer", "music.test:10001")
		member.until("something of the content", someParts)
		source.stop(os.Kill)
		member.last(time.Now().Add(settles))
		s.lab.Names("member", map[string]string{"music.test": s.star.Address("elsewhere")})
		s.on("elsewhere", "join", "--json", "--dir", filepath.Join(s.dir, "original"),
			"--listen", ":10001", s.orch).untilComplete()
		wantFlows(t, member)
		s.wantCopy("member")
	})
}
