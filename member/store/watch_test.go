package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/store/disk"
)

// says writes changes as tests want them: the name, what happened, the parts.
func (s *shelf) says(changes []Change) (says []string) {
	for _, c := range changes {
		name, err := filepath.Rel(s.dir, c.Path)
		if err != nil {
			s.t.Fatal(err)
		}
		says = append(says, fmt.Sprint(filepath.ToSlash(name), " ", c.What, " ", c.Parts))
	}
	return says
}

func (s *shelf) wantLook(st *Store, want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.says(look(s.t, st))); diff != "" {
		s.t.Errorf("a look (-want +got): %s", diff)
	}
}

// in is where a file of the shelf is.
func (s *shelf) in(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// renew gives a file other content of the same length and another time.
func (s *shelf) renew(name string, content []byte) {
	s.t.Helper()
	if err := os.WriteFile(s.in(name), content, 0o666); err != nil {
		s.t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(s.in(name), later, later); err != nil {
		s.t.Fatal(err)
	}
}

func TestLookAtASharedFolder(t *testing.T) {
	s := newFolderShelf(t, "1500 a", "1000 b/c", "500 d", "0 e")
	s.putFolder("content")
	st := s.mustOpen()
	checked(t, st)
	s.wantLook(st)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	part := func(part uint32, want bool) {
		t.Helper()
		if good, _ := st.Recheck(part); good != want {
			t.Errorf("part %d: good %v, want %v", part, good, want)
		}
	}

	must(os.Remove(s.in("content/b/c")))
	s.wantLook(st, "content/b/c is gone (no such file) [1 2]")
	part(1, false)
	if _, err := st.Recheck(2); err == nil || !strings.Contains(err.Error(), s.in("content/b/c")) || !IsMissing(err) {
		t.Errorf("why it cannot be read: %v", err)
	}
	s.wantLook(st)
	if err := st.Ready(1400, 200); err == nil {
		t.Error("a stretch with a missing file is ready")
	}
	must(st.Ready(0, 1500))

	must(os.Truncate(s.in("content/a"), 1200))
	s.wantLook(st, "content/a was cut short [0 1]")
	part(0, true)
	if err := st.Ready(1100, 200); !IsMissing(err) {
		t.Errorf("a stretch beyond the end: %v", err)
	}

	must(os.Symlink("../a", s.in("content/b/c")))
	s.wantLook(st) // it is as if there were nothing
	if _, err := st.Recheck(2); !errors.Is(err, errIsLink) {
		t.Errorf("a link is followed: %v", err)
	}
	must(os.Remove(s.in("content/b/c")))

	s.put("content/b/c", s.content[1500:2500])
	s.put("content/a", s.content[:1500])
	changes := s.says(look(t, st))
	if len(changes) != 2 || changes[1] != "content/b/c is there again [1 2]" {
		t.Errorf("%q", changes)
	}
	for n := range uint32(3) {
		part(n, true)
	}

	// The folder itself makes way for another one.
	must(os.Rename(s.in("content"), s.in("before")))
	s.putFolder("content")
	if got := look(t, st); len(got) < 3 {
		t.Errorf("another folder: %q", s.says(got))
	}
	for n := range uint32(3) {
		part(n, true)
	}
	must(os.RemoveAll(s.in("before")))
	s.wantLook(st)
	must(os.RemoveAll(s.in("content")))
	if got := look(t, st); len(got) < 3 {
		t.Errorf("no folder: %q", s.says(got))
	}
	part(0, false)
}

// The looks at many files are spread.
func TestLooksAreSpread(t *testing.T) {
	s := newFolderShelf(t, "1000 a", "1000 b", "1000 c", "1000 d", "1000 e")
	s.putFolder("content")
	st := s.mustOpen()
	checked(t, st)
	if err := os.Remove(s.in("content/d")); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		changes, err := st.Look(2)
		if err != nil || len(changes) != n {
			t.Errorf("look %d: %q %v", n, s.says(changes), err)
		}
	}
}

// However many files there are, those in use are looked at each time, and of the others as many as
// there is time for.
func TestLooksAreShort(t *testing.T) {
	var names []string
	for n := range 2 * lookLeast {
		names = append(names, fmt.Sprintf("10 f/%03d", n))
	}
	s := newFolderShelf(t, names...)
	s.putFolder("content")
	st := s.mustOpen()
	checked(t, st)
	used, other := lookLeast+lookLeast/2, lookLeast+1
	st.Rest()
	st.Rest() // twice: all that the check opened is closed
	if err := st.ReadAt(make([]byte, 10), int64(10*used)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{used, other} {
		if err := os.Remove(s.in(fmt.Sprintf("content/f/%03d", n))); err != nil {
			t.Skip("cannot be removed here:", err)
		}
	}
	for _, gone := range []int{used, other} {
		st.moving.Lock()
		st.lookAtFiles(len(names), time.Now().Add(-time.Second)) // there is no time
		st.moving.Unlock()
		found := st.takeFound()
		if len(found) != 1 || found[0].Path != s.in(fmt.Sprintf("content/f/%03d", gone)) {
			t.Errorf("found %q, want that %d is gone", s.says(found), gone)
		}
	}
}

func TestUnfinishedFolderIsRemoved(t *testing.T) {
	for name, noticed := range map[string]func(*shelf, *Store){
		"by a look":  func(s *shelf, st *Store) { look(s.t, st) },
		"by a write": func(s *shelf, st *Store) { s.get(st, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newFolderShelf(t, "1500 a", "1000 b/c", "500 d")
			st := s.mustOpen()
			s.get(st, 0, 1)
			if err := os.RemoveAll(s.in("content.part")); err != nil {
				t.Skip("cannot be removed here:", err)
			}
			noticed(s, st)
			for part := range uint32(2) {
				if n := st.Upto(part); n != 0 {
					t.Errorf("%d bytes of part %d count as here", n, part)
				}
			}
			s.get(st, 0, 1, 2)
			if err := st.Finish(); err != nil {
				t.Fatal(err)
			}
			s.wantFiles("content", "a", "b/c", "d")
		})
	}
}

// A part that is on its way when its file goes is not taken for right, and nobody is blamed.
func TestPartOnItsWayWhenItsFileGoes(t *testing.T) {
	s := newFolderShelf(t, "1500 a", "500 b")
	st := s.mustOpen()
	if err := st.Write(0, 0, s.part(0)[:600]); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.in("content.part/a")); err != nil {
		t.Skip("cannot be removed here:", err)
	}
	s.wantLook(st, "content.part/a is gone (no such file) []")
	if err := st.Write(0, 600, s.part(0)[600:]); err != nil {
		t.Fatal(err)
	}
	if good, err := st.Verify(0); good || !errors.Is(err, ErrChanged) {
		t.Errorf("good %v, %v", good, err)
	}
	s.get(st, 0, 1)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a", "b")
}

// Only what was verified, and is as it was then, gets its name.
func TestNothingWrongGetsItsName(t *testing.T) {
	for name, harm := range map[string]func(s *shelf) error{
		"overwritten": func(s *shelf) error { s.renew("content.part/b", make([]byte, 1000)); return nil },
		"removed":     func(s *shelf) error { return os.Remove(s.in("content.part/b")) },
		"replaced": func(s *shelf) error {
			return errors.Join(os.WriteFile(s.in("x"), make([]byte, 1000), 0o666),
				os.Rename(s.in("x"), s.in("content.part/b")))
		},
		"a link": func(s *shelf) error {
			return errors.Join(os.Remove(s.in("content.part/b")), os.Symlink("a", s.in("content.part/b")))
		},
	} {
		for _, only := range [][]string{nil, {"b"}} {
			t.Run(fmt.Sprint(name, only), func(t *testing.T) {
				s := newFolderShelf(t, "1000 a", "1000 b")
				st := s.openChosen(only...)
				s.get(st, 0, 1)
				if err := harm(s); err != nil {
					t.Skip("cannot be done here:", err)
				}
				if len(only) > 0 {
					s.settleNow(st)
				}
				if err := st.Finish(); !errors.Is(err, ErrChanged) {
					var unverified *UnverifiedError
					if !errors.As(err, &unverified) { // settling found it before
						t.Errorf("got %v", err)
					}
				}
				if _, err := os.Lstat(s.in("content/b")); err == nil {
					t.Error("it has its name")
				}
				changes := look(t, st)
				if len(changes) != 1 || !cmp.Equal(changes[0].Parts, []uint32{1}) {
					t.Errorf("%q", s.says(changes))
				}
				if good, _ := st.Recheck(1); good {
					t.Error("it is right")
				}
				os.Remove(s.in("content.part/b"))
				look(t, st)
				s.get(st, 1)
				if err := st.Finish(); err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(s.in("content/b")); err != nil || !bytes.Equal(got, s.part(1)) {
					t.Error("it is not right", err)
				}
			})
		}
	}
}

// What others write to the unfinished file while it is written to here is seen.
func TestOthersWriteToTheUnfinishedFile(t *testing.T) {
	s := newShelf(t, 4*testPart)
	st := s.mustOpen()
	if !st.exact {
		t.Skip("the file system does not tell")
	}
	s.get(st, 0, 1, 2)
	if err := os.Truncate(s.in("content.part"), 100); err != nil {
		t.Fatal(err)
	}
	s.get(st, 3) // which makes it as long as before
	s.wantLook(st, "content.part was changed [0 1 2 3]")
	for part := range uint32(4) {
		if good, _ := st.Recheck(part); good != (part == 3) {
			t.Errorf("part %d: good %v", part, good)
		}
	}
	s.get(st, 0, 1, 2)
	s.wantLook(st) // all of this was its own
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
}

// A file that cannot be read costs its parts.
func TestUnreadableFile(t *testing.T) {
	s := newFolderShelf(t, "1500 a", "1000 b", "1500 c")
	s.putFolder("content")
	st := s.mustOpen()
	open := st.files.open
	st.files.open = func(file int, write bool) (disk.File, error) {
		if file == 1 {
			return nil, &os.PathError{Op: "openat", Path: "x", Err: syscall.EIO}
		}
		return open(file, write)
	}
	if diff := cmp.Diff([]uint32{0, 3}, checked(t, st)); diff != "" {
		t.Error("good parts:", diff)
	}
	want := "cannot open " + s.in("content/b") + ": input/output error"
	if why := st.Unreadable(); len(why) != 1 || why[0].Error() != want {
		t.Errorf("it says %v, want %q", why, want)
	}
	if good, err := st.Recheck(1); good || !errors.Is(err, syscall.EIO) || IsMissing(err) {
		t.Errorf("good %v, %v", good, err)
	}
	if err := st.Ready(0, 2000); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
	st.VerifyAll([]uint32{0, 1, 2, 3}, func(part uint32, good bool, err error) {
		if want := part == 0 || part == 3; good != want || good == errors.Is(err, syscall.EIO) {
			t.Errorf("part %d: good %v, %v", part, good, err)
		}
	})
	st.files.open = open
	recheck(t, st, 1, true)
}

// Files that cannot be opened since too many are open are opened when some of them are closed.
func TestTooManyOpenFiles(t *testing.T) {
	var files []string
	for n := range 40 {
		files = append(files, fmt.Sprintf("1000 %02d", n))
	}
	s := newFolderShelf(t, files...)
	s.putFolder("content")
	st := s.mustOpen()
	open := st.files.open
	st.files.open = func(file int, write bool) (disk.File, error) {
		st.files.mu.Lock()
		defer st.files.mu.Unlock()
		if len(st.files.kept) >= 5 {
			return nil, &os.PathError{Op: "openat", Path: "x", Err: syscall.EMFILE}
		}
		return open(file, write)
	}
	p := make([]byte, len(s.content))
	for range 2 {
		if err := st.ReadAt(p, 0); err != nil || !bytes.Equal(p, s.content) {
			t.Fatal("not read:", err)
		}
	}
	s.wantLook(st)
	// If all of them are in use, it waits for one.
	var used []Stretch
	for n := range int64(5) {
		st, err := st.Stretch(n*1000, 1000)
		if err != nil {
			t.Fatal(err)
		}
		used = append(used, st)
	}
	time.AfterFunc(openPause, func() { st.Release(used[0]) })
	if err := st.ReadAt(p[:1000], 30*1000); err != nil {
		t.Error(err)
	}
	for _, u := range used[1:] {
		st.Release(u)
	}
}
