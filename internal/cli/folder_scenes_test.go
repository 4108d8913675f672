package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"orchestra/orch"
)

// newFolderScene is a scene whose music is a folder of many files, most of them small, in parts
// that cross their borders.
func newFolderScene(t *testing.T, partSize int64) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir()}
	s.conduct("127.0.0.1:0")
	f := &orch.File{Conductor: s.address, Name: "music", PartSize: partSize}
	s.content = randomBytes(24 << 20)
	f.Size, f.Checksum = int64(len(s.content)), orch.SHA1.Sum(s.content)
	for at := int64(0); at < f.Size; at += partSize {
		f.PartSums = append(f.PartSums, orch.SHA1.Sum(s.content[at:min(at+partSize, f.Size)])...)
	}
	add := func(size int64, path string) int64 {
		f.Lines = append(f.Lines, orch.Line{Key: "file", Value: fmt.Sprintf("%d %s", size, path)})
		return size
	}
	var at int64
	for i := range 1000 {
		at += add(int64(i), fmt.Sprintf("many/%02d/%03d.txt", i/100, i))
	}
	at += add(0, "n/empty")
	at += add(8<<20+1, "n/big.bin")
	add(f.Size-at, "z.bin")
	f.Lines = append(f.Lines, orch.Line{Key: "exec", Value: "z.bin"})
	s.orch = filepath.Join(s.dir, "music.orch")
	if err := orch.WriteFile(s.orch, f); err != nil {
		t.Fatal(err)
	}
	s.putFolder("original")
	return s
}

// putFolder gives the member called name the whole folder.
func (s *scene) putFolder(name string) {
	s.t.Helper()
	for _, e := range s.entries() {
		path := filepath.Join(s.path(name), filepath.FromSlash(e.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, s.content[e.Offset:e.Offset+e.Size], 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *scene) entries() []orch.Entry {
	s.t.Helper()
	f, err := orch.Open(s.orch)
	if err != nil {
		s.t.Fatal(err)
	}
	return f.Entries()
}

// wantFolder checks the files of a member's copy whose paths begin with prefix, and that the others
// are not there.
func (s *scene) wantFolder(name, prefix string) {
	s.t.Helper()
	for _, e := range s.entries() {
		got, err := os.ReadFile(filepath.Join(s.path(name), filepath.FromSlash(e.Path)))
		if wanted := strings.HasPrefix(e.Path, prefix); wanted != (err == nil) || wanted && !bytes.Equal(got, s.content[e.Offset:e.Offset+e.Size]) {
			s.t.Fatalf("%s of %s: %d bytes, %v; wanted: %v", e.Path, name, len(got), err, wanted)
		}
	}
}

func (s *scene) wantNoUnfinished(name string) {
	s.t.Helper()
	if _, err := os.Lstat(s.path(name) + ".part"); err == nil {
		s.t.Errorf("%s has music.part still", name)
	}
}

func TestFolderSpreads(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	s.join("original").untilComplete()
	var members []*player
	for i := range 3 {
		members = append(members, s.join(fmt.Sprint("member", i)))
	}
	for _, m := range members {
		m.untilComplete()
		s.wantFolder(m.name, "")
		s.wantNoUnfinished(m.name)
		if info, err := os.Stat(filepath.Join(s.path(m.name), "z.bin")); err != nil || info.Mode()&0o100 == 0 {
			t.Error("z.bin cannot be executed", err)
		}
		wantEnd(t, m, syscall.SIGTERM, exitDone)
	}
}

// What compose makes of a folder is what join makes a folder of.
func TestComposedFolderSpreads(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	if err := os.Chmod(filepath.Join(s.path("original"), "z.bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(s.path("original"), "m", "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.orch = filepath.Join(s.dir, "composed.orch")
	if out, err := orchestra(t, "compose", s.path("original"), "-q", "-c", s.address, "-o", s.orch).CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, out)
	}
	s.join("original").untilComplete()
	s.join("member").untilComplete()
	s.wantFolder("member", "")
	if info, err := os.Stat(filepath.Join(s.path("member"), "m", "nothing")); err != nil || !info.IsDir() {
		t.Errorf("the empty folder is missing: %v", err)
	}
	again := filepath.Join(s.dir, "again.orch")
	if out, err := orchestra(t, "compose", s.path("member"), "-q", "-c", s.address, "-o", again).CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, out)
	}
	want, err := os.ReadFile(s.orch)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(again); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the copy is composed otherwise than the original: %v", err)
	}
}

func TestKilledFolderMemberGoesOn(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	original := s.join("original", "--upload-limit", "1M")
	original.untilComplete()
	again := s.joinKilledAt(80, original)
	second := s.join("member")
	if code := second.wait(); code != exitLocked || !strings.Contains(second.errors(), "another orchestra") {
		t.Errorf("a second join: exit code %d, %s", code, second.errors())
	}
	s.join("original")
	again.untilComplete()
	s.wantFolder("member", "")
}

func TestCorruptedFileOfAFolderIsRepaired(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	s.putFolder("bad")
	if err := flipByte(filepath.Join(s.path("bad"), "z.bin"), 100); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.path("bad"), "many", "05", "555.txt")); err != nil {
		t.Fatal(err)
	}
	bad := s.join("bad")
	e := bad.until("the bad parts", func(e sceneEvent) bool { return len(e.BadParts) > 0 })
	if len(e.BadParts) > 3 {
		t.Errorf("bad parts %v", e.BadParts)
	}
	bad.stop(syscall.SIGTERM)
	s.join("original").untilComplete()
	s.join("bad", "--repair").untilComplete()
	s.wantFolder("bad", "")
}

// Files are chosen, then others, then all; who has some of them shares them.
func TestChosenFilesOfAFolder(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	first := s.join("original")
	first.untilComplete()
	member := s.join("member", "--only", "many/0*")
	member.untilComplete()
	s.wantFolder("member", "many/0")
	first.stop(syscall.SIGTERM)
	other := s.join("other", "--only", "many", "--except", "0[1-9]")
	other.untilComplete()
	s.wantFolder("other", "many/00")
	wantEnd(t, member, syscall.SIGTERM, exitDone)
	s.join("original").untilComplete()
	if code := s.join("member", "--except", "z.bin", "--exit").wait(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if code := s.join("member", "--exit").wait(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	s.wantFolder("member", "")
	s.wantNoUnfinished("member")
	if code := s.join("member", "--only", "*.flac").wait(); code != exitUsage {
		t.Errorf("a pattern that matches nothing: exit code %d", code)
	}
}

// Chosen files get their names as each is complete: others get them from there at once, a kill
// loses none, and nothing comes twice.
func TestChosenFilesMoveAsEachIsComplete(t *testing.T) {
	t.Parallel()
	const partSize = 64 << 10
	s := newFolderScene(t, partSize)
	first := s.join("original", "--upload-limit", "1M")
	first.untilComplete()
	chosen := []string{"--only", "many", "--only", "big.bin"}
	member := s.join("member", chosen...)
	var moved []string
	had := member.until("a file under its name", func(e sceneEvent) bool {
		if e.Event == "complete" {
			t.Fatal("it is complete, and no file got its name before")
		}
		moved = s.filesOf("member")
		return len(moved) > 0
	}).PartsDone
	first.stop(syscall.SIGTERM)
	other := s.join("other", "--only", moved[0])
	other.untilComplete()
	s.wantFolder("other", moved[0])
	other.stop(syscall.SIGTERM)
	member.stop(syscall.SIGKILL)
	for _, path := range moved {
		s.wantFile("member", path)
	}

	s.join("original").untilComplete()
	again := s.join("member", chosen...)
	e := again.until("its end", func(e sceneEvent) bool { return e.Event == "progress" && e.Complete })
	wantNothingTwice(t, e, had, partSize)
	if got := len(s.filesOf("member")); got != 1001 {
		t.Errorf("%d files of 1001 are under their names", got)
	}
	again.stop(syscall.SIGTERM)

	mine := filepath.Join(s.path("member"), "many", "05", "555.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	rest := s.join("member")
	rest.until("all but what was changed", func(e sceneEvent) bool { return len(e.BadParts) == 1 && e.PartsDone == e.Parts-1 })
	rest.stop(syscall.SIGTERM)
	if got, err := os.ReadFile(mine); err != nil || string(got) != "mine" {
		t.Errorf("the user's own file is %q, %v", got, err)
	}
	s.join("member", "--repair").untilComplete()
	s.wantFolder("member", "")
	s.wantNoUnfinished("member")
}

// wantNothingTwice checks that a member that had some parts before this run got the others only. If
// both ends dialled each other, one of the two links ended, perhaps in the middle of a part, which
// came again.
func wantNothingTwice(t *testing.T, e sceneEvent, had int, partSize int64) {
	t.Helper()
	if most := int64(e.Parts-had) * partSize; e.Downloaded-e.Wasted > most {
		t.Errorf("%d bytes came that were used, and %d were missing", e.Downloaded-e.Wasted, most)
	}
	if e.Wasted > partSize {
		t.Errorf("%d bytes of %d came for nothing", e.Wasted, e.Downloaded)
	}
}

// filesOf lists the files that a member has under their names, by their paths in the folder.
func (s *scene) filesOf(name string) []string {
	s.t.Helper()
	var files []string
	for _, e := range s.entries() {
		if _, err := os.Stat(filepath.Join(s.path(name), filepath.FromSlash(e.Path))); err == nil {
			files = append(files, e.Path)
		}
	}
	return files
}

// wantFile checks a file of a member's copy byte for byte.
func (s *scene) wantFile(name, path string) {
	s.t.Helper()
	for _, e := range s.entries() {
		if e.Path != path {
			continue
		}
		got, err := os.ReadFile(filepath.Join(s.path(name), filepath.FromSlash(path)))
		if err != nil || !bytes.Equal(got, s.content[e.Offset:e.Offset+e.Size]) {
			s.t.Errorf("%s of %s is not right: %v", path, name, err)
		}
	}
}

func TestVerifyFolder(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	verify := func() (string, int) {
		cmd := orchestra(t, "verify", s.orch, s.path("original"))
		text, _ := cmd.CombinedOutput()
		return string(text), cmd.ProcessState.ExitCode()
	}
	if text, code := verify(); code != exitDone || !strings.Contains(text, "and the whole are good") {
		t.Errorf("exit code %d: %s", code, text)
	}
	if err := flipByte(filepath.Join(s.path("original"), "z.bin"), 100); err != nil {
		t.Fatal(err)
	}
	if text, code := verify(); code != exitVerify || !strings.Contains(text, "1 of 384 parts is bad") {
		t.Errorf("exit code %d: %s", code, text)
	}
	if err := os.Remove(filepath.Join(s.path("original"), "n", "empty")); err != nil {
		t.Fatal(err)
	}
	if text, code := verify(); code != exitVerify || !strings.Contains(text, filepath.Join("n", "empty")+" is missing") {
		t.Errorf("exit code %d: %s", code, text)
	}
}
