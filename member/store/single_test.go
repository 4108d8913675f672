package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// What stands where the unfinished content belongs and is something else is not written to.
func TestUnfinishedFileOfSomebodyElse(t *testing.T) {
	junk := bytes.Repeat([]byte("other"), 800)
	zeros := make([]byte, 4*testPart)
	with := func(base []byte, at int, p []byte) []byte {
		base = bytes.Clone(base)
		copy(base[at:], p)
		return base
	}
	s := newShelf(t, 4*testPart)
	for _, test := range []struct {
		name    string
		content []byte
		ours    bool
	}{
		{"empty", nil, true},
		{"zeros", zeros, true},
		{"half a download of something else", junk[:2500], false},
		{"something else", junk, false},
		{"something else with a right part", with(junk, 2*testPart, s.part(2)), true},
		{"shorter, with a right part", s.content[:testPart+3], true},
		{"shorter, with less than a part", s.content[:testPart-1], false},
		{"longer", append(bytes.Clone(s.content), 1), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.t, s.dir = t, t.TempDir()
			s.put("content.part", test.content)
			before, err := os.Stat(s.in("content.part"))
			if err != nil {
				t.Fatal(err)
			}
			st, err := s.open(false)
			if test.ours {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var ce *ContentError
			if !errors.As(err, &ce) || !ce.Unfinished || ce.Path != s.in("content.part") {
				t.Errorf("got %v, %v", st, err)
			}
			got, _ := os.ReadFile(s.in("content.part"))
			after, err := os.Stat(s.in("content.part"))
			if err != nil || !bytes.Equal(got, test.content) || !after.ModTime().Equal(before.ModTime()) {
				t.Error("it was written to", err)
			}
		})
	}
}

// A member that was killed before its first part was whole goes on.
func TestUnfinishedFileWithLessThanAPart(t *testing.T) {
	s := newShelf(t, 4*blankPage)
	s.comp = inParts(s.content, 2*blankPage)
	s.put("content.part", append(bytes.Clone(s.content[:blankPage]), make([]byte, 3*blankPage)...))
	s.mustOpen().Close()
	s.put("content.part", append(bytes.Repeat([]byte{9}, 2*blankPage), make([]byte, 2*blankPage)...))
	var ce *ContentError
	if _, err := s.open(false); !errors.As(err, &ce) {
		t.Errorf("a whole part is something else: %v", err)
	}
}

func TestUnfinishedFolderOfSomebodyElse(t *testing.T) {
	s := newFolderShelf(t, "3000 a", "20 b")
	if err := os.Mkdir(s.in("content.part"), 0o777); err != nil {
		t.Fatal(err)
	}
	mine := bytes.Repeat([]byte("mine!"), 400)
	s.put("content.part/a", mine)
	var ce *ContentError
	if _, err := s.open(false); !errors.As(err, &ce) || !ce.Unfinished {
		t.Errorf("got %v", err)
	}
	if got, err := os.ReadFile(s.in("content.part/a")); err != nil || !bytes.Equal(got, mine) {
		t.Error("it was written to", err)
	}
	s.put("content.part/a", append(bytes.Clone(s.part(0)), mine[1000:]...))
	s.mustOpen()
}

// --repair uses what is right of a file of another size, and shortens it only when all of it is.
func TestRepairOfAnotherSize(t *testing.T) {
	longer := func(s *shelf) []byte { return append(bytes.Clone(s.content), "and more"...) }
	for name, content := range map[string]func(*shelf) []byte{
		"longer":  func(s *shelf) []byte { return append(make([]byte, testPart), longer(s)[testPart:]...) },
		"shorter": func(s *shelf) []byte { return s.content[:2*testPart+1] },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t, 3*testPart)
			was := content(s)
			s.put("content", was)
			_, err := s.open(false)
			var ce *ContentError
			if !errors.As(err, &ce) || !strings.Contains(err.Error(), "--repair") {
				t.Errorf("without --repair: %v", err)
			}
			st, err := s.open(true)
			if err != nil {
				t.Fatal(err)
			}
			if good := checked(t, st); len(good) != 2 {
				t.Error("good parts:", good)
			}
			if got, _ := os.ReadFile(s.in("content")); !bytes.Equal(got, was) {
				t.Error("it was written to before anything came")
			}
			for n := range 3 {
				s.get(st, n)
			}
			if name == "longer" {
				if got, _ := os.ReadFile(s.in("content")); !bytes.Equal(got, longer(s)) {
					t.Error("it was shortened too soon")
				}
			}
			if err := st.Finish(); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(s.in("content")); !bytes.Equal(got, s.content) {
				t.Error("it is not right")
			}
		})
	}
	s := newShelf(t, 3*testPart)
	s.put("content", []byte("something else"))
	var ce *ContentError
	if _, err := s.open(true); !errors.As(err, &ce) {
		t.Errorf("something else: %v", err)
	}
	if got, _ := os.ReadFile(s.in("content")); string(got) != "something else" {
		t.Errorf("it was written to: %q", got)
	}
}

// Content that a symbolic link leads to is shared where it lies, and never written to.
func TestLinkToTheContent(t *testing.T) {
	s := newShelf(t, 2*testPart)
	elsewhere := filepath.Join(t.TempDir(), "blob")
	if err := os.Symlink(elsewhere, s.in("content")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	var ce *ContentError
	if _, err := s.open(false); !errors.As(err, &ce) || !strings.Contains(err.Error(), "symbolic link to something that is not there") {
		t.Errorf("a link to nothing: %v", err)
	}
	if err := os.WriteFile(elsewhere, s.content, 0o444); err != nil {
		t.Fatal(err)
	}
	st := s.mustOpen()
	if good := checked(t, st); len(good) != 2 || st.Writable() || st.Partial() || !st.Keeps(0) {
		t.Errorf("good parts %v, writable %v", good, st.Writable())
	}
	s.wantLook(st)
	_, err := s.open(true)
	var de *Error
	if !errors.As(err, &de) || de.Op != "repair" || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("--repair: %v", err)
	}
	if err := os.Remove(elsewhere); err != nil {
		t.Fatal(err)
	}
	s.wantLook(st, "content is gone (no such file) [0 1]")
	if err := os.WriteFile(elsewhere, s.content, 0o444); err != nil {
		t.Fatal(err)
	}
	s.wantLook(st, "content is there again [0 1]")
	recheck(t, st, 0, true)
	if err := os.Remove(elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(elsewhere, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := s.open(false); !errors.As(err, &ce) || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a link to a folder: %v", err)
	}
}

// A folder that is made of links is shared, and what they lead to never written to.
func TestFolderOfLinks(t *testing.T) {
	s := newFolderShelf(t, "1500 a", "1000 in/b", "500 in/c", "1000 d")
	blobs := t.TempDir()
	if err := os.MkdirAll(s.in("content"), 0o777); err != nil {
		t.Fatal(err)
	}
	for path, blob := range map[string]string{"a": "one", "in": "two", "d": "three"} {
		if err := os.Symlink(filepath.Join(blobs, blob), s.in("content/"+path)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	write := func(name string, p []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(blobs, name), p, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(blobs, "two"), 0o777); err != nil {
		t.Fatal(err)
	}
	write("one", s.content[:1500])
	write("two/b", s.content[1500:2500])
	write("two/c", s.content[2500:3000])
	st := s.mustOpen() // three leads nowhere
	if diff := cmp.Diff([]uint32{0, 1, 2}, checked(t, st)); diff != "" {
		t.Error("good parts:", diff)
	}
	write("three", make([]byte, 1000))
	s.wantLook(st, "content/d is there again [3]")
	recheck(t, st, 3, false)
	st.Close()
	st, err := s.open(true)
	if err != nil {
		t.Fatal(err)
	}
	if !st.Keeps(3) || len(st.Linked()) != 4 {
		t.Errorf("what a link leads to is repaired, linked %q", st.Linked())
	}
	if err := st.Write(3, 0, s.part(3)); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(blobs, "three")); !bytes.Equal(got, make([]byte, 1000)) {
		t.Error("it was written to")
	}
}

// Another file in place of the unfinished one does not get the name.
func TestSwappedFileIsNotNamed(t *testing.T) {
	s := newShelf(t, 2*testPart)
	st := s.mustOpen()
	s.get(st, 0, 1)
	s.put("other", make([]byte, 2*testPart))
	if err := os.Rename(s.in("other"), s.in("content.part")); err != nil {
		t.Skip("cannot be done here:", err)
	}
	var de *Error
	if err := st.Finish(); !errors.As(err, &de) || de.Path != s.in("content.part") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"content.part"}, s.names()); diff != "" {
		t.Error(diff)
	}
}

// The unfinished file is removed while it is written to: nothing is lost.
func TestUnfinishedFileIsMadeAgain(t *testing.T) {
	s := newShelf(t, 8<<20)
	st := s.mustOpen()
	half := s.comp.NumParts() / 2
	for n := range half {
		s.get(st, n)
	}
	if err := st.Write(uint32(half), 0, s.part(half)[:10]); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.in("content.part")); err != nil {
		t.Skip("cannot be removed here:", err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		if err := st.Write(uint32(half), 10, s.part(half)[10:]); err != nil {
			t.Error(err)
		}
		for n := half + 1; n < s.comp.NumParts(); n++ {
			s.get(st, n)
		}
	}()
	s.wantLook(st, "content.part was removed; what came before was kept and is in a new file []")
	<-written
	if good, err := st.Verify(uint32(half)); !good || err != nil {
		t.Error(good, err)
	}
	if _, err := s.open(false); !errors.Is(err, ErrLocked) {
		t.Errorf("the new file is not locked: %v", err)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(s.in("content")); err != nil || !bytes.Equal(got, s.content) {
		t.Error("it is not right", err)
	}
}

// A file system that never keeps a name does not keep Open for ever.
func TestOpenGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		err := whileMoved(func() error { tries++; return errMoved })
		if !errors.Is(err, errMoved) || tries != openTries {
			t.Errorf("%v after %d tries", err, tries)
		}
		if err := whileMoved(func() error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

// Where no folder is renamed that is open, it is closed before, and opened again if that fails.
func TestFolderThatIsRenamedClosed(t *testing.T) {
	s := newFolderShelf(t, "1000 a", "1000 b")
	st := s.mustOpen()
	st.folder.renamesOpen = false
	s.get(st, 0, 1)
	s.put("content", []byte("in the way"))
	var ce *ContentError
	if err := st.Finish(); !errors.As(err, &ce) {
		t.Errorf("got %v", err)
	}
	if err := st.ReadAt(make([]byte, testPart), 0); err != nil {
		t.Error("it cannot be read any more:", err)
	}
	if err := os.Remove(s.in("content")); err != nil {
		t.Fatal(err)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := st.ReadAt(make([]byte, testPart), 0); err != nil {
		t.Error("it cannot be read under its name:", err)
	}
	s.wantFiles("content", "a", "b")
	st.folder.whole.Close()
	st.folder.whole = nil // as when it could not be opened again
	st.files.forget(0)
	if err := st.ReadAt(make([]byte, testPart), 0); !IsMissing(err) {
		t.Errorf("got %v", err)
	}
}
