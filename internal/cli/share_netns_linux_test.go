package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A get finds by name what is shared on the network, lists it, and refuses a name that two use.
func TestShareOnANetwork(t *testing.T) {
	here, there := newHosts(t)
	s := sharedScene(t, 1<<20)
	sharer := s.start(here.run(t, "share", "--json", "--name", "here", s.path("original")))
	e := sharer.until("the address", func(e sceneEvent) bool { return e.Event == "sharing" })
	if want := "http://" + here.address + ":9999/music.orch"; e.URLs[0] != want {
		t.Errorf("it is at %v, want %s", e.URLs, want)
	}
	var listed string
	for range 20 { // it may not be announced yet
		text, err := there.run(t, "get").Output()
		if listed = string(text); err == nil && listed != "" {
			break
		}
	}
	if want := "music, 1 MiB, 1 of 1 complete, on here (" + here.address + ":9999): " + e.URLs[0] + "\n"; listed != want {
		t.Errorf("listed is %q, want %q", listed, want)
	}
	member := s.start(there.run(t, "get", "--json", "--dir", filepath.Join(s.dir, "member"), "music"))
	if code := member.wait(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	s.wantCopy("member")

	other := filepath.Join(s.dir, "other", "music")
	writeFiles(t, s.dir, map[string]string{"other/music": "another one"})
	second := s.start(there.run(t, "share", "--json", other))
	second.until("the address", func(e sceneEvent) bool { return e.Event == "sharing" })
	var says bytes.Buffer
	for range 20 {
		says.Reset()
		cmd := there.run(t, "get", "music", "--exit", "--dir", filepath.Join(s.dir, "unsure"))
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
