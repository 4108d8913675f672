package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk is a folder on a file system of so many bytes.
func smallDisk(t *testing.T, bytes string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("orchestra", dir, "tmpfs", 0, "size="+bytes); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
			t.Fatal("cannot mount a small file system:", err)
		}
		t.Skip("a small file system is mounted by root only:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestFullDisk(t *testing.T) {
	s := newShelf(t, 300*testPart)
	s.dir = smallDisk(t, "64k")
	_, err := s.open(false)
	var de *Error
	var se *SpaceError
	if !errors.As(err, &de) || !errors.As(err, &se) || se.Need != 300*testPart || se.Free > 64<<10 || de.Path != s.dir {
		t.Errorf("got %v", err)
	}
	if names := s.names(); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// What the unfinished file occupies is not asked for again, and what it does not is.
func TestUnfinishedFileOnSmallDisk(t *testing.T) {
	s := newShelf(t, 100*testPart)
	s.dir = smallDisk(t, "128k")
	s.put("content.part", s.content[:80*testPart])
	s.mustOpen().Close()
	s.put("other", make([]byte, 40<<10)) // takes what the rest needs
	var se *SpaceError
	if _, err := s.open(false); !errors.As(err, &se) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "content.part")); err != nil {
		t.Error("what was there already is gone:", err)
	}
}

// A disk that others fill meanwhile is reported by name, and what came before is kept.
func TestDiskFillsUpMeanwhile(t *testing.T) {
	s := newShelf(t, 100*testPart)
	s.dir = smallDisk(t, "128k")
	st := s.mustOpen()
	if err := st.Write(0, 0, s.part(0)); err != nil {
		t.Fatal(err)
	}
	s.put("other", make([]byte, 100<<10))
	var err error
	for n := 1; n < 100 && err == nil; n++ {
		err = st.Write(uint32(n), 0, s.part(n))
	}
	var de *Error
	if !errors.As(err, &de) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), st.Path()) || !strings.Contains(err.Error(), "join again") {
		t.Errorf("got %v", err)
	}
	if ok, err := st.Verify(0); !ok || err != nil {
		t.Error("what came before is lost", err)
	}
	st.Close()
	if err := os.Remove(filepath.Join(s.dir, "other")); err != nil {
		t.Fatal(err)
	}
	if good := checked(t, s.mustOpen()); len(good) == 0 || good[0] != 0 {
		t.Error("it does not go on where it was:", good)
	}
}

func TestFileSystemThatIsReadOnly(t *testing.T) {
	s := newShelf(t, 10*testPart)
	s.dir = smallDisk(t, "128k")
	s.put("content", s.content)
	if err := syscall.Mount("", s.dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip("cannot be mounted again:", err)
	}
	if good := checked(t, s.mustOpen()); len(good) != 10 {
		t.Error("content is not shared from there:", good)
	}
	s.comp.Name = "missing"
	_, err := s.open(false)
	var de *Error
	if !errors.As(err, &de) || !errors.Is(err, syscall.EROFS) {
		t.Errorf("got %v", err)
	}
}

// A folder that does not fit is refused before anything is made.
func TestFolderOnSmallDisk(t *testing.T) {
	s := newFolderShelf(t, "200000 a/one", "100000 two")
	s.dir = smallDisk(t, "128k")
	_, err := s.open(false)
	var se *SpaceError
	if !errors.As(err, &se) || se.Need != 300000 || !strings.Contains(err.Error(), "free some") {
		t.Errorf("got %v", err)
	}
	if names := s.names(); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	s.openChosen("two") // which fits
}

// A disk that is full when files get their names loses nothing: the folders of NAME need space too.
func TestDiskIsFullWhenFilesMove(t *testing.T) {
	s := newFolderShelf(t, "4096 a/one", "4096 b")
	s.dir = smallDisk(t, "64k")
	st := s.openChosen("a")
	for n := range 5 {
		s.get(st, n)
	}
	// the root, NAME.part, its two files and a folder
	if err := syscall.Mount("", s.dir, "", syscall.MS_REMOUNT, "nr_inodes=5"); err != nil {
		t.Skip("cannot be mounted again:", err)
	}
	var de *Error
	err := st.settle(func(err error) { t.Error("told:", err) })
	if !errors.As(err, &de) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("settle: got %v", err)
	}
	if err := st.Finish(); !errors.As(err, &de) || !strings.Contains(err.Error(), "join again") {
		t.Errorf("Finish: got %v", err)
	}
	st.Close()
	if err := syscall.Mount("", s.dir, "", syscall.MS_REMOUNT, "nr_inodes=100"); err != nil {
		t.Fatal(err)
	}
	st = s.openChosen("a")
	if good := checked(t, st); len(good) != 5 {
		t.Error("good parts when there is space:", good)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a/one")
}
