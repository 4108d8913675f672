package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk gives the member called name a file system of so many bytes.
func (s *scene) smallDisk(name, bytes string) {
	s.t.Helper()
	dir := filepath.Join(s.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Mount("orchestra", dir, "tmpfs", 0, "size="+bytes); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			s.t.Fatal("cannot mount a small file system:", err)
		}
		s.t.Skip("a small file system is mounted by root only:", err)
	}
	s.t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
	})
}

// fill takes all the space that is left where a file is.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// The disk fills up while a folder comes: join says so, goes on sharing what it has, and goes on by
// itself when there is space again. A join that begins on a full disk says what to do.
func TestDiskFillsUpWhileAFolderComes(t *testing.T) {
	t.Parallel()
	const partSize = 64 << 10
	s := newFolderScene(t, partSize)
	s.smallDisk("member", "40m")
	s.join("original", "--upload-limit", "4M").untilComplete()
	for _, only := range [][]string{{"--only", "many", "--only", "z.bin"}, nil} {
		other := filepath.Join(s.dir, "member", "other")
		// So slow that the disk is full long before all is there, however late the events are.
		member := s.join("member", append([]string{"--download-limit", "1M"}, only...)...)
		address := member.until("its start", is("start", "music")).Address
		start := member.until("the check's end", func(e sceneEvent) bool { return e.Event == "progress" && !e.Checking })
		member.untilParts(start.PartsDone + 20)
		fill(t, other)
		paused := member.until("that it pauses", is("paused", ""))
		for _, want := range []string{"the disk is full: ", " more needed in " + filepath.Join(s.dir, "member") + "; sharing goes on, the download continues when there is room"} {
			if !strings.Contains(paused.Error, want) {
				t.Errorf("the event does not say %q: %s", want, paused.Error)
			}
			member.untilSays(want)
		}
		s.wantShared(member, address)
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
		member.until("that it goes on", is("resumed", ""))
		member.until("its end", func(e sceneEvent) bool { return e.Event == "progress" && e.Complete })
		if n := strings.Count(member.errors(), "warning: the disk is full"); n != 1 {
			t.Errorf("it says %d times that the disk is full: %s", n, member.errors())
		}
		member.stop(syscall.SIGTERM)
	}
	s.wantFolder("member", "")
	s.wantNoUnfinished("member")
}

// wantShared checks that a member shares what it has: somebody who knows only this one gets it.
func (s *scene) wantShared(from *player, address string) {
	s.t.Helper()
	had := from.until("how much it has", func(e sceneEvent) bool { return e.Event == "progress" }).PartsDone
	name := fmt.Sprintf("from %s %d", from.name, had)
	other := s.join(name, "--conductor", "127.0.0.1:1", "--peer", address) // where nobody listens
	other.untilParts(had)
	other.stop(syscall.SIGTERM)
}

// A disk that is full when a join begins is told at once, and costs nothing.
func TestJoinOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	s.smallDisk("member", "40m")
	fill(t, filepath.Join(s.dir, "member", "other"))
	member := s.join("member")
	if code := member.wait(); code != exitDisk {
		t.Errorf("exit code %d, want %d", code, exitDisk)
	}
	for _, want := range []string{"more are needed", "free some"} {
		if says := member.errors(); !strings.Contains(says, want) {
			t.Errorf("it does not say %q: %s", want, says)
		}
	}
}

// With --stall-timeout a join that waits for room ends, with the exit code of a disk that is full.
func TestFullDiskAndStallTimeout(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	s.smallDisk("member", "40m")
	s.join("original").untilComplete()
	member := s.join("member", "--download-limit", "1M", "--stall-timeout", "5s")
	member.untilParts(10)
	fill(t, filepath.Join(s.dir, "member", "other"))
	if code := member.wait(); code != exitDisk {
		t.Errorf("exit code %d, want %d", code, exitDisk)
	}
	if says := member.errors(); !strings.Contains(says, "the disk is full") {
		t.Errorf("it says %s", says)
	}
}
