package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// foldingDisk gives the member called name a file system that takes Name and NAME for one, as those
// of Windows and macOS do.
func (s *scene) foldingDisk(name string) {
	s.t.Helper()
	for _, program := range []string{"mkntfs", "lowntfs-3g"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				s.t.Fatalf("%s is missing (Debian: ntfs-3g)", program)
			}
			s.t.Skipf("%s is missing (Debian: ntfs-3g)", program)
		}
	}
	if fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		s.t.Skip("mounting such a file system takes FUSE:", err)
	} else {
		fuse.Close()
	}
	image, dir := filepath.Join(s.dir, name+".img"), filepath.Join(s.dir, name)
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Truncate(image, 100<<20); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if out, err := exec.Command("mkntfs", "--force", "--quick", "--quiet", image).CombinedOutput(); err != nil {
		s.t.Fatalf("mkntfs: %v: %s", err, out)
	}
	if out, err := exec.Command("lowntfs-3g", "-o", "ignore_case", image, dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			s.t.Fatalf("lowntfs-3g: %v: %s", err, out)
		}
		s.t.Skipf("mounting such a file system takes root: %v: %s", err, out)
	}
	s.t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "Name"), nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "nAME")); err != nil {
		s.t.Fatal("this file system does not fold names:", err)
	}
	if err := os.Remove(filepath.Join(dir, "Name")); err != nil {
		s.t.Fatal(err)
	}
}

// A folder spreads to a file system that folds names, unless it has two names that are one there:
// then nothing is written.
func TestFileSystemThatFoldsNames(t *testing.T) {
	t.Parallel()
	s := newFolderScene(t, 64<<10)
	s.foldingDisk("member")
	s.join("original").untilComplete()
	member := s.join("member", "--exit")
	if code := member.wait(); code != exitDone {
		t.Fatalf("exit code %d, want %d: %s", code, exitDone, member.errors())
	}
	s.wantFolder("member", "")
	s.wantNoUnfinished("member")
	again := s.join("member", "--exit")
	if code := again.wait(); code != exitDone {
		t.Errorf("what is complete: exit code %d, want %d: %s", code, exitDone, again.errors())
	}
	if err := os.RemoveAll(s.path("member")); err != nil {
		t.Fatal(err)
	}

	for _, name := range []string{"Read", "rEAD", "Été", "éTÉ"} {
		if err := os.WriteFile(filepath.Join(s.path("original"), name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.orch = filepath.Join(s.dir, "composed.orch")
	out, err := orchestra(t, "compose", s.path("original"), "-c", s.address, "-o", s.orch).CombinedOutput()
	if err != nil {
		t.Fatalf("compose: %v: %s", err, out)
	}
	for _, want := range []string{"Read and rEAD have the same name on some systems", "Été and éTÉ have the same name on some systems"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("compose does not say %q: %s", want, out)
		}
	}
	clash := s.join("member", "--exit")
	if code := clash.wait(); code != exitDisk {
		t.Errorf("two names that are one: exit code %d, want %d", code, exitDisk)
	}
	if says := clash.errors(); !strings.Contains(says, "cannot tell apart the names") || !strings.Contains(says, "--dir") {
		t.Errorf("two names that are one: it says %s", says)
	}
	if left, err := os.ReadDir(filepath.Join(s.dir, "member")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
