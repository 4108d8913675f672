// Package hosts is for tests on several machines, which are network namespaces
// of this one. They need root and Linux; where namespaces cannot be had, a test
// says so and is skipped, but fails with CI=true.
package hosts

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// A Lab is the hosts of one test and the links between them. Tests may run side
// by side, each with a lab of its own.
type Lab struct {
	t   testing.TB
	tag string
}

var labs atomic.Int32

// NewLab makes hosts with these names, which have loopback and nothing else.
// They are gone when the test has ended.
func NewLab(t testing.TB, names ...string) *Lab {
	t.Helper()
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
	for program, pkg := range map[string]string{"ip": "iproute2", "iptables": "iptables"} {
		if _, err := exec.LookPath(program); err != nil {
			skip(fmt.Sprintf("hosts for tests need %s (Debian: %s)", program, pkg))
		}
	}
	l := &Lab{t, fmt.Sprintf("orch%d-%d-", os.Getpid(), labs.Add(1))}
	for _, name := range names {
		namespace := l.tag + name
		if text, err := exec.Command("ip", "netns", "add", namespace).CombinedOutput(); err != nil {
			skip(fmt.Sprintf("no network namespaces here: %v: %s", err, text))
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", namespace).Run() })
		l.Do("ip -n @" + name + " link set lo up")
	}
	return l
}

// Namespace returns what a host is called outside the lab.
func (l *Lab) Namespace(name string) string { return l.tag + name }

// Do runs a script of sh, in which @NAME is the namespace of a host. The test
// fails if a command of it does.
func (l *Lab) Do(script string) {
	l.t.Helper()
	script = "set -e\n" + strings.ReplaceAll(script, "@", l.tag)
	if text, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		l.t.Fatalf("%v: %s\n%s", err, text, script)
	}
}

// On makes a command one that runs on a host.
func (l *Lab) On(name string, cmd *exec.Cmd) *exec.Cmd {
	l.t.Helper()
	ip, err := exec.LookPath("ip")
	if err != nil {
		l.t.Fatal(err)
	}
	cmd.Args = append([]string{"ip", "netns", "exec", l.tag + name, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = ip
	return cmd
}

// Names lets a host know others by names, which are what its lookups find, as
// HOST ADDRESS lines of /etc/hosts would have them. It is called before anything
// runs on the host, and again when an address is another one.
func (l *Lab) Names(name string, addresses map[string]string) {
	l.t.Helper()
	folder := "/etc/netns/" + l.tag + name
	if err := os.MkdirAll(folder, 0o755); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = os.RemoveAll(folder) })
	text := "127.0.0.1 localhost\n"
	for host, address := range addresses {
		text += address + " " + host + "\n"
	}
	// The file is written in place: it is mounted where programs read it.
	if err := os.WriteFile(folder+"/hosts", []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
}
