package cli

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The host of the only source gets another address while it sends, as by DHCP or in another
// network: its connections are dead, and TCP would notice that after minutes.
func TestSourceGetsAnotherAddress(t *testing.T) {
	here, there := newHosts(t)
	const conductorPort = "9999"
	s := &scene{t: t, dir: t.TempDir(), content: randomBytes(8 << 20)}
	s.put("original")
	s.orch = filepath.Join(s.dir, "music.orch")
	compose := orchestra(t, "compose", s.path("original"), "-q", "-c", here.address+":"+conductorPort, "-o", s.orch)
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	s.conductor = s.start(here.run(t, "conduct", "--json"))
	s.conductor.until("listening", func(e sceneEvent) bool { return e.Event == "listening" })
	source := s.start(there.run(t, "join", "--json", "--dir", filepath.Join(s.dir, "original"), "--upload-limit", "1M", s.orch))
	source.untilComplete()
	member := s.start(here.run(t, "join", "--json", "--dir", filepath.Join(s.dir, "member"), s.orch))
	sent := func(e sceneEvent) bool { return e.Event == "progress" && e.PartsDone > 16 }
	member.until("something of the content", sent)
	script := strings.NewReplacer("N", there.namespace).Replace(`set -e
ip -n N addr del 10.99.0.2/24 dev veth
ip -n N addr add 10.99.0.102/24 dev veth`)
	if text, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("the address cannot be changed: %v: %s", err, text)
	}
	moved := time.Now()
	member.untilComplete()
	s.wantCopy("member")
	// Some 7 s of sending are left. 20 s are what finding each other again may take.
	if took := time.Since(moved); took > 40*time.Second {
		t.Errorf("complete %v after the change of address", took)
	}
}
