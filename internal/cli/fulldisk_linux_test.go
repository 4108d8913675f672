package cli

import (
	"errors"
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

// The disk fills up while a folder comes: join says what to do, and goes on from there when there
// is space again.
func TestDiskFillsUpWhileAFolderComes(t *testing.T) {
	const partSize = 64 << 10
	s := newFolderScene(t, partSize)
	s.smallDisk("member", "40m")
	s.join("original", "--upload-limit", "4M").untilComplete()
	for _, only := range [][]string{{"--only", "many", "--only", "z.bin"}, nil} {
		other := filepath.Join(s.dir, "member", "other")
		// So slow that the disk is full long before all is there, however late the events are.
		member := s.join("member", append([]string{"--download-limit", "1M"}, only...)...)
		start := member.until("the check's end", func(e sceneEvent) bool { return e.Event == "progress" && !e.Checking })
		had := member.untilParts(start.PartsDone + 20).PartsDone
		fill(t, other)
		if code := member.wait(); code != exitDisk {
			t.Errorf("exit code %d, want %d", code, exitDisk)
		}
		for _, want := range []string{"cannot ", s.path("member") + ".part", "no space left on device; free some space and join again"} {
			if says := member.errors(); !strings.Contains(says, want) {
				t.Errorf("it does not say %q: %s", want, says)
			}
		}
		again := s.join("member", only...)
		if code := again.wait(); code != exitDisk {
			t.Errorf("still full: exit code %d, want %d", code, exitDisk)
		}
		if says := again.errors(); !strings.Contains(says, "more are needed") || !strings.Contains(says, "free some") {
			t.Errorf("still full: it says %s", says)
		}
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
		last := s.join("member", only...)
		e := last.until("its end", func(e sceneEvent) bool { return e.Event == "progress" && e.Complete })
		wantNothingTwice(t, e, had, partSize)
		last.stop(syscall.SIGTERM)
	}
	s.wantFolder("member", "")
	s.wantNoUnfinished("member")
}
