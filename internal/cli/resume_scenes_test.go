package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// resumed is how many parts a join says that it need not check, which it does before it shows any
// progress.
func (p *player) resumed() (parts int) {
	p.t.Helper()
	p.untilSays("resumed: ")
	_, text, _ := strings.Cut(p.errors(), "resumed: ")
	if _, err := fmt.Sscanf(text, "%d of", &parts); err != nil {
		p.t.Errorf("it says %q: %v", text, err)
	}
	return parts
}

// wantAlone checks that there is nothing in the member's folder but the content.
func (s *scene) wantAlone(name string) {
	s.t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"music"}, names); diff != "" {
		s.t.Errorf("in the folder of %s: %s", name, diff)
	}
}

// A join that is killed checks what its journal does not name, and fetches no part again that it
// had. One that is ended checks nothing.
func TestEndedJoinResumes(t *testing.T) {
	t.Parallel()
	const parts, part = 320, 64 << 10
	s := newScene(t, parts*part, "64K")
	slow := s.join("original", "--upload-limit", "1M")
	slow.untilComplete()
	journal := s.path("member") + ".part.journal"
	member := s.join("member")
	had := member.untilParts(20)
	for deadline := time.Now().Add(sceneTime); ; { // after some seconds
		had = member.untilParts(had.PartsDone + 1)
		if info, err := os.Stat(journal); err == nil && info.Size() > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("there is no journal")
		}
	}
	member.stop(syscall.SIGKILL)

	killed := s.join("member")
	e := killed.until("the check's end", func(e sceneEvent) bool { return e.Event == "progress" && !e.Checking })
	if n := killed.resumed(); n == 0 || n > e.PartsDone {
		t.Errorf("%d parts are resumed, of %d", n, e.PartsDone)
	}
	if e.PartsDone < had.PartsDone {
		t.Errorf("%d parts after the check, had %d when killed", e.PartsDone, had.PartsDone)
	}
	killed.untilParts(e.PartsDone + 20)
	if code, _ := killed.stop(syscall.SIGTERM); code != exitTerm {
		t.Errorf("exits with %d", code)
	}
	if had = killed.final; had.Event != "end" {
		t.Fatalf("its last line is %+v", had)
	}

	slow.stop(syscall.SIGKILL)
	s.join("original").untilComplete()
	ended := s.join("member")
	e = ended.until("progress", func(e sceneEvent) bool { return e.Event == "progress" })
	if n := ended.resumed(); n != had.PartsDone {
		t.Errorf("%d parts are resumed, had %d at the end", n, had.PartsDone)
	}
	ended.untilComplete()
	end := ended.until("progress", func(e sceneEvent) bool { return e.Event == "progress" && e.Complete })
	if most := int64(parts-had.PartsDone) * part; end.Downloaded > most {
		t.Errorf("downloaded %d bytes, lacked %d", end.Downloaded, most)
	}
	s.wantCopy("member")
	s.wantAlone("member")
}

// What compose, verify or a join read is shared the next time without being read before.
func TestSharesWhatWasRead(t *testing.T) {
	const says = "was checked before"
	t.Setenv("CACHE_DIRECTORY", t.TempDir())
	s := newScene(t, 4<<20, "64K")
	at := time.Now().Add(-time.Hour)
	age := func(path string) {
		t.Helper()
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	start := func(name string, flags ...string) string {
		t.Helper()
		p := s.join(name, flags...)
		p.untilComplete()
		if code, _ := p.stop(syscall.SIGINT); code != exitDone {
			t.Errorf("exits with %d", code)
		}
		return p.errors()
	}
	age(s.path("original"))
	if text := start("original"); strings.Contains(text, says) {
		t.Errorf("it was just written when it was composed: %s", text)
	}
	if text := start("original"); !strings.Contains(text, says) {
		t.Errorf("after a join: %s", text)
	}
	if text := start("original", "--check"); strings.Contains(text, says) {
		t.Errorf("with --check: %s", text)
	}
	s.put("other")
	age(s.path("other"))
	if text, err := orchestra(t, "verify", s.orch, s.path("other")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if text := start("other"); !strings.Contains(text, says) {
		t.Errorf("after verify: %s", text)
	}
	if text, err := orchestra(t, "compose", s.path("other"), "-q", "-s", "64K", "-o",
		filepath.Join(s.dir, "again.orch")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if err := flipByte(s.path("other"), 100); err != nil {
		t.Fatal(err)
	}
	p := s.join("other")
	e := p.until("the bad part", func(e sceneEvent) bool { return len(e.BadParts) > 0 })
	if len(e.BadParts) != 1 || strings.Contains(p.errors(), says) {
		t.Errorf("after a change: %+v, %s", e, p.errors())
	}
}
