package cli

import (
	"path/filepath"
	"testing"

	"orchestra/internal/cli/hosts"
)

// Two hosts: on one the conductor and the sharer, which talk over that host's loopback; on the
// other a member, which must find the sharer all the same.
func TestConductorSeesSharerOnItsLoopback(t *testing.T) {
	t.Parallel()
	s := newPairScene(t, 4<<20)
	sharer := s.on(hosts.Here, "join", "--json", "--dir", filepath.Join(s.dir, "original"),
		"--conductor", "127.0.0.1:9999", s.orch)
	sharer.untilComplete()
	member := s.on(hosts.There, "join", "--json", "--dir", filepath.Join(s.dir, "member"), s.orch)
	member.untilComplete()
	s.wantCopy("member")
}

// A labScene is a scene whose programs run on the hosts of a lab.
type labScene struct {
	*scene
	lab *hosts.Lab
}

// newPairScene puts a conductor on the host here of two.
func newPairScene(t *testing.T, size int) *labScene {
	t.Helper()
	s := newLabScene(t, hosts.NewPair(t).Lab, size)
	s.compose("64K", hosts.HereAddress+":9999")
	s.conductOn(hosts.Here)
	return s
}

// newLabScene makes an original of that many random bytes.
func newLabScene(t *testing.T, lab *hosts.Lab, size int) *labScene {
	t.Helper()
	s := &labScene{&scene{t: t, dir: t.TempDir(), content: randomBytes(size)}, lab}
	s.put("original")
	return s
}

// on starts a program on a host.
func (s *labScene) on(host string, arguments ...string) *player {
	s.t.Helper()
	p := s.start(s.lab.On(host, orchestra(s.t, arguments...)))
	p.name = host
	return p
}

// conductOn starts the conductor on a host.
func (s *labScene) conductOn(host string) {
	s.t.Helper()
	s.conductor = s.on(host, "conduct", "--json", "--listen", ":9999")
	s.conductor.until("listening", func(e sceneEvent) bool { return e.Event == "listening" })
}
