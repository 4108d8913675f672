package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// carriedAt is the time of all files of a carried scene.
var carriedAt = time.Date(2012, 12, 12, 12, 12, 12, 0, time.UTC)

// newCarriedScene composes a folder in which there is more than files: links, times and holes.
func newCarriedScene(t *testing.T, links string) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir()}
	s.conduct("127.0.0.1:0")
	root := s.path("original")
	blob := filepath.Join(s.dir, "blob")
	for _, path := range []string{filepath.Join(root, "v1"), filepath.Join(root, "v2")} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, content := range map[string][]byte{
		filepath.Join(root, "v1", "file"): []byte("one"),
		filepath.Join(root, "v2", "file"): randomBytes(300_000),
		filepath.Join(root, "empty"):      nil,
		blob:                              randomBytes(200_000),
	} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for path, target := range map[string]string{"latest": "v2", "v2/old": "../v1/file", "blob": blob} {
		if err := os.Symlink(target, filepath.Join(root, filepath.FromSlash(path))); err != nil {
			t.Skip("symbolic links cannot be made here:", err)
		}
	}
	image := filepath.Join(root, "image")
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(randomBytes(100_000), 32<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(64 << 20); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"v1/file", "v2/file", "empty", "image"} {
		at := filepath.Join(root, filepath.FromSlash(path))
		if err := os.Chtimes(at, carriedAt, carriedAt); err != nil {
			t.Fatal(err)
		}
	}
	s.orch = filepath.Join(s.dir, "music.orch")
	compose := orchestra(t,
		"compose", root, "-q", "-s", "64K", "--links", links, "-c", s.address, "-o", s.orch)
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	return s
}

// wantSame checks a file of the member's copy against the original, with its time.
func (s *scene) wantSame(name, path string, at time.Time) {
	s.t.Helper()
	path = filepath.FromSlash(path)
	got, err := os.ReadFile(filepath.Join(s.path(name), path))
	want, err2 := os.ReadFile(filepath.Join(s.path("original"), path))
	if err != nil || err2 != nil || !bytes.Equal(got, want) {
		s.t.Errorf("%s of %s is not right: %v, %v", path, name, err, err2)
		return
	}
	info, err := os.Stat(filepath.Join(s.path(name), path))
	if err != nil {
		s.t.Error(err)
		return
	}
	right := info.ModTime().Equal(at) || at.IsZero() && time.Since(info.ModTime()) < time.Hour
	if !right {
		s.t.Errorf("%s of %s was modified at %v, want %v", path, name, info.ModTime(), at)
	}
}

// Links that are kept are made again, files get their times, and what is a hole is neither sent
// nor written.
func TestLinksTimesAndHolesAreCarried(t *testing.T) {
	t.Parallel()
	s := newCarriedScene(t, "keep")
	s.join("original").untilComplete()
	member := s.join("member")
	e := member.until("its end", func(e sceneEvent) bool {
		return e.Event == "progress" && e.Complete
	})
	if e.PartsDone != e.Parts || e.Downloaded > 1<<20 {
		t.Errorf("%d of %d parts done, %d bytes came; holes are not to come",
			e.PartsDone, e.Parts, e.Downloaded)
	}
	for _, path := range []string{"v1/file", "v2/file", "empty", "image"} {
		s.wantSame("member", path, carriedAt)
	}
	for path, want := range map[string]string{"latest": "v2", "v2/old": "../v1/file"} {
		got, err := os.Readlink(filepath.Join(s.path("member"), filepath.FromSlash(path)))
		if err != nil || filepath.ToSlash(got) != want {
			t.Errorf("%s leads to %q, %v; want %q", path, got, err, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(s.path("member"), "blob")); err == nil {
		t.Error("a link that leads out was carried")
	}
	wantSparse(t, filepath.Join(s.path("original"), "image"), filepath.Join(s.path("member"), "image"))
	member.stop(syscall.SIGTERM)
	if text, err := orchestra(t, "verify", s.orch, s.path("member")).CombinedOutput(); err != nil {
		t.Errorf("verify: %v: %s", err, text)
	}
	if err := os.Remove(filepath.Join(s.path("member"), "latest")); err != nil {
		t.Fatal(err)
	}
	cmd := orchestra(t, "verify", s.orch, s.path("member"), "--json")
	text, _ := cmd.Output()
	code, want := cmd.ProcessState.ExitCode(), []byte(`"bad_links":["latest"]`)
	if code != exitVerify || !bytes.Contains(text, want) {
		t.Errorf("verify without a link: exit code %d, %s", code, text)
	}
	now := s.join("now", "--no-times", "--only", "v*")
	now.untilComplete()
	s.wantSame("now", "v1/file", time.Time{})
}

// What links lead to is carried in their place, and is shared where it lies.
func TestLinksAreFollowed(t *testing.T) {
	t.Parallel()
	s := newCarriedScene(t, "follow")
	s.join("original").untilComplete()
	s.join("member").untilComplete()
	for path, at := range map[string]time.Time{
		"v1/file": carriedAt, "v2/file": carriedAt, "latest/file": carriedAt,
		"v2/old": carriedAt, "latest/old": carriedAt, "blob": {},
	} {
		s.wantSame("member", path, at)
		info, err := os.Lstat(filepath.Join(s.path("member"), filepath.FromSlash(path)))
		if err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s is no regular file: %v", path, err)
		}
	}
}
