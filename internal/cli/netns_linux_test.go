package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Two hosts, which are network namespaces: on one the conductor and the sharer, which talk over
// that host's loopback; on the other a member, which must find the sharer all the same.
func TestConductorSeesSharerOnItsLoopback(t *testing.T) {
	here, there := newHosts(t)
	const conductorPort = "9999"
	s := &scene{t: t, dir: t.TempDir(), content: randomBytes(4 << 20)}
	s.put("original")
	s.orch = filepath.Join(s.dir, "music.orch")
	compose := orchestra(t, "compose", s.path("original"), "-q", "-c", here.address+":"+conductorPort, "-o", s.orch)
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	s.conductor = s.start(here.run(t, "conduct", "--json"))
	s.conductor.until("listening", func(e sceneEvent) bool { return e.Event == "listening" })
	sharer := s.start(here.run(t, "join", "--json", "--dir", filepath.Join(s.dir, "original"), "--conductor", "127.0.0.1:"+conductorPort, s.orch))
	sharer.untilComplete()
	member := s.start(there.run(t, "join", "--json", "--dir", filepath.Join(s.dir, "member"), s.orch))
	member.untilComplete()
	s.wantCopy("member")
}

// A host is a network namespace.
type host struct{ namespace, address string }

// newHosts makes two hosts with a link between them, which are gone when the test has ended.
func newHosts(t *testing.T) (a, b host) {
	t.Helper()
	tag := fmt.Sprintf("orch%d", os.Getpid())
	a, b = host{tag + "a", "10.99.0.1"}, host{tag + "b", "10.99.0.2"}
	skip := func(why string) {
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	if os.Getuid() != 0 {
		skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		skip("network namespaces need ip (Debian: iproute2)")
	}
	for _, h := range []host{a, b} {
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", h.namespace).Run() })
	}
	script := strings.NewReplacer("A1", a.address, "B1", b.address, "A", a.namespace, "B", b.namespace).Replace(`set -e
ip netns add A
ip netns add B
ip -n A link add veth type veth peer name veth netns B
ip -n A addr add A1/24 dev veth
ip -n B addr add B1/24 dev veth
ip -n A link set lo up
ip -n A link set veth up
ip -n B link set lo up
ip -n B link set veth up`)
	if text, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		skip(fmt.Sprintf("no network namespaces here: %v: %s", err, text))
	}
	return a, b
}

// run is a run of orchestra on the host.
func (h host) run(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	cmd := orchestra(t, arguments...)
	cmd.Args = append([]string{"ip", "netns", "exec", h.namespace, cmd.Path}, arguments...)
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path = ip
	return cmd
}
