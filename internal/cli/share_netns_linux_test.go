package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"orchestra/internal/cli/hosts"
)

// A get finds by name what is shared on the network, lists it, and refuses a name that two use.
func TestShareOnANetwork(t *testing.T) {
	t.Parallel()
	pair := hosts.NewPair(t)
	s := &labScene{sharedScene(t, 1<<20), pair.Lab}
	sharer := s.on(hosts.Here, "share", "--json", "--name", "here", s.path("original"))
	e := sharer.until("the address", func(e sceneEvent) bool { return e.Event == "sharing" })
	if want := "http://" + hosts.HereAddress + ":9999/music.orch"; e.URLs[0] != want {
		t.Errorf("it is at %v, want %s", e.URLs, want)
	}
	want := "music, 1 MiB, 1 of 1 complete, on here (" + hosts.HereAddress + ":9999): " + e.URLs[0] + "\n"
	var listed string
	for range 20 { // it may not be announced yet, or not be known to be complete
		text, _ := pair.On(hosts.There, orchestra(t, "get")).Output()
		if listed = string(text); listed == want {
			break
		}
	}
	if listed != want {
		t.Errorf("listed is %q, want %q", listed, want)
	}
	member := s.on(hosts.There, "get", "--json", "--dir", filepath.Join(s.dir, "member"), "music")
	if code := member.wait(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	s.wantCopy("member")

	other := filepath.Join(s.dir, "other", "music")
	writeFiles(t, s.dir, map[string]string{"other/music": "another one"})
	second := s.on(hosts.There, "share", "--json", other)
	second.until("the address", func(e sceneEvent) bool { return e.Event == "sharing" })
	var says bytes.Buffer
	for range 20 {
		says.Reset()
		cmd := pair.On(hosts.There, orchestra(t, "get", "music", "--exit", "--dir", filepath.Join(s.dir, "unsure")))
		cmd.Stderr = &says
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() == exitInput {
			break
		}
	}
	if !strings.Contains(says.String(), "different contents are called music here; say which: get http://") {
		t.Errorf("it says %s", &says)
	}
	wantEnd(t, second, syscall.SIGTERM, exitDone)
	wantEnd(t, sharer, syscall.SIGTERM, exitDone)
}
