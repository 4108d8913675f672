package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/orch"
)

// newFolderShelf is a shelf for a folder with files of these sizes in this order, as "SIZE PATH".
func newFolderShelf(t *testing.T, files ...string) *shelf {
	t.Helper()
	s := &shelf{t: t, dir: t.TempDir()}
	for _, f := range files {
		var size int
		if _, err := fmt.Sscan(f, &size); err != nil {
			t.Fatal(err)
		}
		s.content = append(s.content, make([]byte, size)...)
	}
	rand.NewChaCha8([32]byte{}).Read(s.content)
	s.comp = compositionOf(s.content)
	for _, f := range files {
		s.comp.Lines = append(s.comp.Lines, orch.Line{Key: "file", Value: f})
	}
	return s
}

func (s *shelf) line(key, value string) {
	s.comp.Lines = append(s.comp.Lines, orch.Line{Key: key, Value: value})
}

// putFolder writes the whole folder under a name.
func (s *shelf) putFolder(name string) {
	s.t.Helper()
	for _, e := range s.comp.Entries() {
		p := filepath.Join(s.dir, name, filepath.FromSlash(e.Path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o777), os.WriteFile(p, s.content[e.Offset:e.Offset+e.Size], 0o666)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// wantFiles checks which files lie in a folder, and that they are right.
func (s *shelf) wantFiles(name string, want ...string) {
	s.t.Helper()
	var got []string
	root := filepath.Join(s.dir, name)
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, p)
			got = append(got, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Error("files of "+name+" (-want +got):", diff)
	}
	for _, e := range s.comp.Entries() {
		if !slices.Contains(want, e.Path) {
			continue
		}
		if p, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.Path))); err != nil || !bytes.Equal(p, s.content[e.Offset:e.Offset+e.Size]) {
			s.t.Error(e.Path, "is not right", err)
		}
	}
}

func (s *shelf) openChosen(only ...string) *Store {
	s.t.Helper()
	chosen, err := Select(s.comp, only, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	st, err := Open(Config{File: s.comp, Dir: s.dir, Select: chosen})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { st.Close() })
	return st
}

// get writes and verifies parts.
func (s *shelf) get(st *Store, parts ...int) {
	s.t.Helper()
	for _, n := range parts {
		if err := st.Write(uint32(n), 0, s.part(n)); err != nil {
			s.t.Fatal(err)
		}
		if ok, err := st.Verify(uint32(n)); !ok || err != nil {
			s.t.Errorf("part %d: %v %v", n, ok, err)
		}
	}
}

func TestFolderFromNothingToItsName(t *testing.T) {
	s := newFolderShelf(t, "1500 a/b/one", "0 a/empty", "1 a/tiny", "2700 z", "0 zz")
	s.line("exec", "a/tiny")
	s.line("folder", "nothing/here")
	st := s.mustOpen()
	if !st.Fresh() || !st.Partial() || !st.Writable() {
		t.Error("not a fresh unfinished folder")
	}
	s.get(st, 4, 1, 0)
	got := make([]byte, 1200)
	if err := st.ReadAt(got, 800); err != nil || !bytes.Equal(got, s.content[800:2000]) {
		t.Error("reading over a border:", err)
	}
	st.Close()
	st = s.mustOpen()
	if diff := cmp.Diff([]uint32{0, 1, 4}, checked(t, st)); diff != "" {
		t.Error("after it was opened again:", diff)
	}
	s.get(st, 2, 3)
	if diff := cmp.Diff([]string{"content.part", "content.part.journal"}, s.names()); diff != "" {
		t.Error("before Finish:", diff)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("after Finish:", diff)
	}
	s.wantFiles("content", "a/b/one", "a/empty", "a/tiny", "z", "zz")
	if info, err := os.Stat(filepath.Join(s.dir, "content/a/tiny")); err != nil || info.Mode()&0o100 == 0 {
		t.Error("it cannot be executed", err)
	}
	if info, err := os.Stat(filepath.Join(s.dir, "content/nothing/here")); err != nil || !info.IsDir() {
		t.Error("the empty folder is missing", err)
	}
	if err := st.ReadAt(got, 800); err != nil || !bytes.Equal(got, s.content[800:2000]) {
		t.Error("reading after it got its name:", err)
	}
	st.Close()
	st = s.mustOpen()
	if st.Partial() || len(checked(t, st)) != 5 || len(st.Flaws())+len(st.Extra()) != 0 {
		t.Error("it is not whole", st.Flaws(), st.Extra())
	}
}

// More files than are kept open, written by several at a time.
func TestFolderOfManyFiles(t *testing.T) {
	var files []string
	for i := range 500 {
		files = append(files, fmt.Sprintf("%d d%02d/f%03d", i%40, i/100, i))
	}
	s := newFolderShelf(t, files...)
	st := s.mustOpen()
	done := make(chan struct{})
	for w := range 4 {
		go func() {
			for n := w; n < s.comp.NumParts(); n += 4 {
				s.get(st, n)
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	if n := len(st.files.kept); n > openMost {
		t.Errorf("%d files are open", n)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, e := range s.comp.Entries() {
		want = append(want, e.Path)
	}
	s.wantFiles("content", want...)
}

func TestChosenFilesGetTheirNames(t *testing.T) {
	s := newFolderShelf(t, "1500 a/one", "1000 b/two", "2500 c/three", "10 d")
	st := s.openChosen("b")
	s.get(st, 1, 2) // two lies in both
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "b/two")
	if st.Path() != filepath.Join(s.dir, "content") {
		t.Error("path:", st.Path())
	}
	st.Close()

	st = s.openChosen("one")
	if diff := cmp.Diff([]uint32{1, 2}, checked(t, st)); diff != "" {
		t.Error("after it was opened again:", diff)
	}
	if !st.Keeps(1) || st.Keeps(3) {
		t.Error("what has its name is to be kept, and nothing else")
	}
	s.get(st, 0)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a/one", "b/two")
	st.Close()

	st = s.mustOpen()
	if diff := cmp.Diff([]uint32{0, 1, 2}, checked(t, st)); diff != "" {
		t.Error("without a choice:", diff)
	}
	s.get(st, 3, 4, 5)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a/one", "b/two", "c/three", "d")
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("left:", diff)
	}
}

// What has its name is not written to, whatever a part that touches it brings.
func TestChosenFileIsNotWrittenAgain(t *testing.T) {
	s := newFolderShelf(t, "500 a", "500 b")
	st := s.openChosen("a")
	s.get(st, 0)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	st.Close()
	if err := os.Remove(filepath.Join(s.dir, "content.part.journal")); err != nil {
		t.Fatal(err) // with it the part is known to be right, and nothing of it is written
	}
	st = s.mustOpen()
	if err := st.Write(0, 0, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if ok, err := st.Verify(0); ok || err != nil {
		t.Error("zeros verify", err)
	}
	s.wantFiles("content", "a")
	s.get(st, 0)
}

func TestFlawsOfAFolder(t *testing.T) {
	s := newFolderShelf(t, "1000 a", "1000 b", "1000 c", "1000 d")
	s.putFolder("content")
	in := func(name string) string { return filepath.Join(s.dir, "content", name) }
	if err := errors.Join(os.Remove(in("a")), os.Truncate(in("b"), 10), os.Truncate(in("c"), 2000), os.WriteFile(in("mine"), []byte("x"), 0o666)); err != nil {
		t.Fatal(err)
	}
	st := s.mustOpen()
	if diff := cmp.Diff([]uint32{3}, checked(t, st)); diff != "" {
		t.Error("good parts:", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, st.Flaws()); diff != "" {
		t.Error("flaws:", diff)
	}
	if diff := cmp.Diff([]string{"mine"}, st.Extra()); diff != "" {
		t.Error("extra:", diff)
	}
	if st.Writable() || !st.Keeps(0) {
		t.Error("it would be changed")
	}
	st.Close()
	st, err := s.open(true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint32{2, 3}, checked(t, st)); diff != "" {
		t.Error("good parts when shortened:", diff)
	}
	s.get(st, 0, 1)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a", "b", "c", "d", "mine")
}

func TestWhatStandsInTheWayOfAFolder(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "a"), []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		put  func(dir string) error
	}{
		{"a file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "content"), nil, 0o666) }},
		{"a folder of something else", func(dir string) error { return os.MkdirAll(filepath.Join(dir, "content", "x"), 0o777) }},
		{"unfinished file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "content.part"), nil, 0o666) }},
		{"unfinished link", func(dir string) error { return os.Symlink(outside, filepath.Join(dir, "content.part")) }},
		{"link to a folder", func(dir string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, "content.part"), 0o777), os.Symlink(outside, filepath.Join(dir, "content.part", "in")))
		}},
		{"link to a file within", func(dir string) error {
			return errors.Join(os.MkdirAll(filepath.Join(dir, "content.part", "in"), 0o777), os.Symlink("../b", filepath.Join(dir, "content.part", "in", "a")))
		}},
		{"too long", func(dir string) error {
			return errors.Join(os.MkdirAll(filepath.Join(dir, "content.part"), 0o777), os.WriteFile(filepath.Join(dir, "content.part", "b"), make([]byte, 2001), 0o666))
		}},
		{"folder for a file", func(dir string) error { return os.MkdirAll(filepath.Join(dir, "content.part", "b"), 0o777) }},
		{"file for a folder", func(dir string) error {
			return errors.Join(os.MkdirAll(filepath.Join(dir, "content.part"), 0o777), os.WriteFile(filepath.Join(dir, "content.part", "in"), nil, 0o666))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newFolderShelf(t, "1000 in/a", "2000 b")
			if err := test.put(s.dir); err != nil {
				t.Skip("cannot be made here:", err)
			}
			before := s.names()
			_, err := s.open(false)
			var ce *ContentError
			if !errors.As(err, &ce) {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(before, s.names()); diff != "" {
				t.Error("the folder changed:", diff)
			}
		})
	}
	if got, err := os.ReadFile(filepath.Join(outside, "a")); err != nil || string(got) != "precious" {
		t.Error("something outside was changed:", err)
	}
}

// A link planted while the folder is open leads nowhere.
func TestPlantedLinkIsNotFollowed(t *testing.T) {
	s := newFolderShelf(t, "1000 in/a", "2000 b")
	st := s.mustOpen()
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(s.dir, "content.part", "in")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	var de *Error
	if err := st.Write(0, 0, s.part(0)); !errors.As(err, &de) || !strings.Contains(err.Error(), filepath.Join("in", "a")) {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Error("something was written outside", err)
	}
}

func TestFolderIsLocked(t *testing.T) {
	s := newFolderShelf(t, "10 a")
	st := s.mustOpen()
	if _, err := s.open(false); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
	st.Close()
	s.mustOpen()
}

func TestReplaceMovesAFolderAside(t *testing.T) {
	s := newFolderShelf(t, "10 a", "20 b")
	if err := os.MkdirAll(filepath.Join(s.dir, "content", "mine"), 0o777); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is an unfinished one besides
		st, err := Open(Config{File: s.comp, Dir: s.dir, Replace: true})
		if err != nil {
			t.Fatal(err)
		}
		s.get(st, 0)
		st.Close()
	}
	st, err := Open(Config{File: s.comp, Dir: s.dir, Replace: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	checked(t, st)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"content", "content.old"}, s.names()); diff != "" {
		t.Error(diff)
	}
	s.wantFiles("content", "a", "b")
}

func TestFolderWithoutFiles(t *testing.T) {
	s := newFolderShelf(t, "0 a")
	st := s.mustOpen()
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a")
}

// On a file system that tells case apart, names that differ in it are two; elsewhere they are
// refused before anything is written.
func TestNamesThatCollide(t *testing.T) {
	s := newFolderShelf(t, "10 A", "10 a", "10 b/x", "10 B/x")
	if err := os.WriteFile(filepath.Join(s.dir, "probe"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, same := os.Stat(filepath.Join(s.dir, "PROBE"))
	os.Remove(filepath.Join(s.dir, "probe"))
	st, err := s.open(false)
	if same == nil {
		if err == nil || len(s.names()) != 0 {
			t.Error("not refused", err, s.names())
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	s.get(st, 0)
	st.Close()
	st = s.mustOpen() // the files that are there now are not touched
	if good := checked(t, st); len(good) != 1 {
		t.Error("good parts after it was opened again:", good)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "A", "B/x", "a", "b/x")
}

// A file system that takes two names for one is played by a second name for a file: nobody can say
// which file system the tests run on.
func TestNamesThatAreOneFile(t *testing.T) {
	for _, names := range [][2]string{{"A", "a"}, {"\u00e9", "e\u0301"}, {"\u0416", "\u0436"}, {"Stra\u00dfe", "STRASSE"}} {
		s := newFolderShelf(t, "10 "+names[0], "10 "+names[1], "10 other")
		unfinished := filepath.Join(s.dir, "content.part")
		if err := errors.Join(os.Mkdir(unfinished, 0o777), os.WriteFile(filepath.Join(unfinished, names[0]), s.content[:10], 0o666)); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(unfinished, names[0]), filepath.Join(unfinished, names[1])); err != nil && !errors.Is(err, os.ErrExist) {
			t.Skip("a file can have one name only here:", err)
		}
		_, err := s.open(false)
		if err == nil || !strings.Contains(err.Error(), "takes them for one") || !strings.Contains(err.Error(), "--dir") {
			t.Errorf("%+q: got %v", names, err)
		}
		if p, err := os.ReadFile(filepath.Join(unfinished, names[0])); err != nil || !bytes.Equal(p, s.content[:10]) {
			t.Errorf("%+q: what was there is not as it was: %v", names, err)
		}
	}
}

func TestSelect(t *testing.T) {
	s := newFolderShelf(t, "10 a/one.jpg", "10 a/raw/one.cr2", "10 b/two.jpg", "10 c.jpg")
	for _, test := range []struct{ only, except, want string }{
		{"*.jpg", "", "a/one.jpg b/two.jpg c.jpg"},
		{"a", "", "a/one.jpg a/raw/one.cr2"},
		{"a/", "", "a/one.jpg a/raw/one.cr2"},
		{"a/*.jpg", "", "a/one.jpg"},
		{"/*.jpg", "", "c.jpg"},
		{"**/raw", "", "a/raw/one.cr2"},
		{"a/**/one.*", "", "a/one.jpg a/raw/one.cr2"},
		{"**", "", "a/one.jpg a/raw/one.cr2 b/two.jpg c.jpg"},
		{"b/**", "", "b/two.jpg"},
		{"", "raw *.jpg", ""},
		{"", "raw", "a/one.jpg b/two.jpg c.jpg"},
		{"one.* c.jpg", "raw", "a/one.jpg c.jpg"},
		{"d", "", ""},
		{"A", "", ""},
		{"a//raw", "", ""},
		{"[", "", ""},
		{"c.jpg/**", "", ""},
	} {
		chosen, err := Select(s.comp, strings.Fields(test.only), strings.Fields(test.except))
		var got []string
		if err == nil {
			for i, e := range s.comp.Entries() {
				if chosen.Has(i) {
					got = append(got, e.Path)
				}
			}
		} else if pe := new(PatternError); !errors.As(err, &pe) {
			t.Error(err)
		}
		if diff := cmp.Diff(strings.Fields(test.want), append([]string{}, got...)); diff != "" {
			t.Errorf("--only %q --except %q: %v %s", test.only, test.except, err, diff)
		}
	}
	if _, err := Select(newShelf(t, 10).comp, []string{"a"}, nil); err == nil {
		t.Error("chosen in a single file")
	}
	if chosen, err := Select(newShelf(t, 10).comp, nil, nil, "a"); chosen != nil || err != nil {
		t.Errorf("of a single file is chosen %v, %v", chosen, err)
	}
}

// Files that are chosen by their paths are no patterns.
func TestSelectByPath(t *testing.T) {
	s := newFolderShelf(t, "10 a[1]", "10 a1", "10 b/a[1]", "10 c")
	for _, test := range []struct{ only, except, files, want string }{
		{"", "", "a[1]", "a[1]"},
		{"c", "", "a1", "a1 c"},
		{"", "a1", "a1 c", "c"},
		{"", "", "b", ""},
	} {
		chosen, err := Select(s.comp, strings.Fields(test.only), strings.Fields(test.except),
			strings.Fields(test.files)...)
		var got []string
		for i, e := range s.comp.Entries() {
			if err == nil && chosen.Has(i) {
				got = append(got, e.Path)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%+v: %q is chosen, %v", test, got, err)
		}
	}
}

func TestPartsOfChosenFiles(t *testing.T) {
	s := newFolderShelf(t, "1500 a", "0 b", "1000 c", "2500 d")
	for only, want := range map[string][]byte{"a": {0b00111000}, "b": {0b11111000}, "c": {0b10011000}, "d": {0b11000000}} {
		chosen, err := Select(s.comp, []string{only}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if skip, _, _ := chosen.Skip(s.comp); !bytes.Equal(skip, want) {
			t.Errorf("%s: %08b, want %08b", only, skip, want)
		}
	}
}
