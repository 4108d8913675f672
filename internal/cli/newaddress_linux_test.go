package cli

import (
	"path/filepath"
	"testing"
	"time"

	"orchestra/internal/cli/hosts"
)

// The host of the only source gets another address while it sends, as by DHCP or in another
// network: its connections are dead, and TCP would notice that after minutes.
func TestSourceGetsAnotherAddress(t *testing.T) {
	t.Parallel()
	s := newPairScene(t, 8<<20)
	source := s.on(hosts.There, "join", "--json", "--dir", filepath.Join(s.dir, "original"),
		"--upload-limit", "1M", s.orch)
	source.untilComplete()
	member := s.on(hosts.Here, "join", "--json", "--dir", filepath.Join(s.dir, "member"), s.orch)
	sent := func(e sceneEvent) bool { return e.Event == "progress" && e.PartsDone > 16 }
	member.until("something of the content", sent)
	s.lab.Do(`
ip -n @there addr del 10.99.0.2/24 dev veth
ip -n @there addr add 10.99.0.102/24 dev veth`)
	moved := time.Now()
	member.untilComplete()
	s.wantCopy("member")
	// Some 7 s of sending are left. 20 s are what finding each other again may take.
	if took := time.Since(moved); took > 40*time.Second {
		t.Errorf("complete %v after the change of address", took)
	}
}
