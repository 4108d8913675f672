package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// reopen opens content with records, and gives how many parts need not be checked.
func (s *shelf) reopen(records *Records) (*Store, int) {
	s.t.Helper()
	st, err := Open(Config{File: s.comp, Dir: s.dir, Records: records})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { st.Close() })
	return st, st.believedCount
}

// aged gives the content the time of files that nobody just wrote.
func (s *shelf) aged() {
	s.t.Helper()
	at := time.Now().Add(-time.Hour)
	for _, e := range newLayout(s.comp).entries {
		path := filepath.Join(s.dir, "content")
		if s.comp.IsFolder() {
			path = filepath.Join(path, filepath.FromSlash(e.Path))
		}
		if err := os.Chtimes(path, at, at); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestRecordOfContent lets content be shared before it is read, once it was read, as long as it is
// what it was.
func TestRecordOfContent(t *testing.T) {
	for _, folder := range []bool{false, true} {
		s := newShelf(t, 5000)
		inside := "content"
		if folder {
			s = newFolderShelf(t, "2500 a", "0 empty", "2500 b")
			s.putFolder("content")
			inside = "content/b"
		} else {
			s.put("content", s.content)
		}
		s.aged()
		records := OpenRecords(filepath.Join(t.TempDir(), "not", "there"))
		st, n := s.reopen(records)
		if n != 0 || !st.Unchecked() {
			t.Errorf("%d parts are known of what was never read", n)
		}
		checked(t, st)
		if err := st.Finish(); err != nil { // it says so at once: the process may be killed
			t.Fatal(err)
		}
		read := st.Read()
		if st, n := s.reopen(records); n != 5 || st.Unchecked() || !st.Read().Equal(read.Round(0)) {
			t.Errorf("%d parts are known, read at %v, not %v", n, st.Read(), read)
		}
		st.Close()
		if _, n := s.reopen(nil); n != 0 {
			t.Errorf("%d parts are known without records", n)
		}
		if st, err := Open(Config{File: s.comp, Dir: s.dir, Records: records, Check: true}); err != nil || st.believedCount != 0 {
			t.Errorf("with a check %d parts are known: %v", st.believedCount, err)
		}
		// Under another name above it, it is the same content.
		if err := os.Rename(s.dir, s.dir+"x"); err != nil {
			t.Fatal(err)
		}
		s.dir += "x"
		if _, n := s.reopen(records); n != 5 {
			t.Errorf("%d parts are known in a folder of another name", n)
		}
		f, err := os.OpenFile(filepath.Join(s.dir, inside), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("x"), 1700); err != nil {
			t.Fatal(err)
		}
		f.Close()
		want, good := 0, []uint32{0, 2, 3, 4}
		if folder { // part 2 has something of both
			want, good = 2, []uint32{0, 1, 2, 3}
		}
		st, n = s.reopen(records)
		if n != want {
			t.Errorf("%d parts are known of content that was changed, want %d", n, want)
		}
		if diff := cmp.Diff(good, checked(t, st)); diff != "" {
			t.Error(diff)
		}
		st.Close()
		if _, n := s.reopen(records); n != 4 {
			t.Errorf("%d parts are known of content with a bad part", n)
		}
	}
}

// TestRecordAfterADownload is made when content gets its name.
func TestRecordAfterADownload(t *testing.T) {
	s := newShelf(t, 5000)
	records := OpenRecords(t.TempDir())
	st, _ := s.reopen(records)
	s.get(st, 0, 1, 2, 3, 4)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if st, n := s.reopen(records); n != 5 || st.Unchecked() {
		t.Errorf("%d parts are known", n)
	}
}

// TestChangeWhileItIsOpen is not forgotten: what was changed and not read again is in no record.
func TestChangeWhileItIsOpen(t *testing.T) {
	s := newShelf(t, 5000)
	s.put("content", s.content)
	s.aged()
	records := OpenRecords(t.TempDir())
	st, _ := s.reopen(records)
	checked(t, st)
	bad := bytes.Clone(s.content)
	bad[0]++
	s.put("content", bad)
	st.Close()
	if _, n := s.reopen(records); n != 0 {
		t.Errorf("%d parts are known", n)
	}
}

// TestRemember takes what was just read, but for what was written to meanwhile.
func TestRemember(t *testing.T) {
	for _, test := range []struct {
		name    string
		changed time.Duration // before reading began
		whole   bool          // seconds
		want    int
	}{
		{"long ago", time.Hour, false, 5},
		{"a moment ago", time.Second, false, 5},
		{"right before", time.Millisecond, false, 0},
		{"while it was read", -time.Millisecond, false, 0},
		{"a moment ago, where times are coarse", time.Second, true, 0},
		{"long ago, where times are coarse", time.Hour, true, 5},
	} {
		s := newShelf(t, 5000)
		s.put("other name", s.content)
		began := time.Now()
		at := began.Add(-test.changed)
		if test.whole {
			at = at.Truncate(time.Second)
		}
		if err := os.Chtimes(filepath.Join(s.dir, "other name"), at, at); err != nil {
			t.Fatal(err)
		}
		records := OpenRecords(t.TempDir())
		named := *s.comp
		named.Name = "other name"
		records.Remember(&named, s.comp.ID(), s.dir, began)
		if err := os.Rename(filepath.Join(s.dir, "other name"), filepath.Join(s.dir, "content")); err != nil {
			t.Fatal(err)
		}
		if _, n := s.reopen(records); n != test.want {
			t.Errorf("changed %s: %d parts are known, want %d", test.name, n, test.want)
		}
	}
}

// TestRecordsThatCannotBeKept cost nothing but a check.
func TestRecordsThatCannotBeKept(t *testing.T) {
	s := newShelf(t, 5000)
	s.put("content", s.content)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	records := OpenRecords(filepath.Join(file, "below"))
	for range 2 {
		st, n := s.reopen(records)
		if n != 0 {
			t.Errorf("%d parts are known", n)
		}
		checked(t, st)
		if err := st.Finish(); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRecordsAreBounded removes those that were used least recently, by number and by size.
func TestRecordsAreBounded(t *testing.T) {
	r := OpenRecords(t.TempDir())
	at := time.Now().Add(-time.Hour)
	for i := range 6 {
		name := fmt.Sprint(i)
		if err := r.save(name, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Minute)
		if err := os.Chtimes(filepath.Join(r.dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if r.load("1", 100) == nil || r.load("1", 99) != nil {
		t.Error("it is read by its length")
	}
	left := func() (names []string) {
		entries, err := os.ReadDir(r.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	r.prune(4, 1000)
	if diff := cmp.Diff([]string{"1", "3", "4", "5"}, left()); diff != "" {
		t.Error("by number:", diff)
	}
	r.prune(4, 250)
	if diff := cmp.Diff([]string{"1", "5"}, left()); diff != "" {
		t.Error("by size:", diff)
	}
	for i := range 2 * pruneEvery {
		if err := r.save(fmt.Sprint(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if slices.ContainsFunc(left(), func(name string) bool { return name[0] == '.' }) {
		t.Error("what was half written is left")
	}
}
