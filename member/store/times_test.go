package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

var (
	composedAt = time.Date(2012, 3, 4, 5, 6, 7, 0, time.UTC)
	otherTime  = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
)

const timeLine = "2012-03-04T05:06:07Z"

func (s *shelf) setTime(name string, at time.Time) {
	s.t.Helper()
	if err := os.Chtimes(filepath.Join(s.dir, filepath.FromSlash(name)), at, at); err != nil {
		s.t.Fatal(err)
	}
}

// wantTime checks when a file was modified; the zero time stands for just now.
func (s *shelf) wantTime(name string, want time.Time) {
	s.t.Helper()
	info, err := os.Stat(filepath.Join(s.dir, filepath.FromSlash(name)))
	if err != nil {
		s.t.Fatal(err)
	}
	got := info.ModTime()
	if want.IsZero() && time.Since(got) > time.Hour || !want.IsZero() && !got.Equal(want) {
		s.t.Errorf("%s was modified at %v, want %v", name, got, want)
	}
}

func TestTimeOfSingleFile(t *testing.T) {
	for _, noTimes := range []bool{false, true} {
		s := newShelf(t, testPart)
		s.line("time", timeLine)
		st, err := Open(Config{File: s.comp, Dir: s.dir, NoTimes: noTimes})
		if err != nil {
			t.Fatal(err)
		}
		s.fetch(st, 0)
		st.Close()
		want := composedAt
		if noTimes {
			want = time.Time{}
		}
		s.wantTime("content", want)
	}
}

// TestTimeOfWhatIsThere holds that the time of complete content is left alone, unless it was
// written to.
func TestTimeOfWhatIsThere(t *testing.T) {
	s := newShelf(t, 2*testPart)
	s.line("time", timeLine)
	s.put("content", s.content)
	s.setTime("content", otherTime)
	for _, repair := range []bool{false, true} {
		st, err := s.open(repair)
		if err != nil {
			t.Fatal(err)
		}
		checked(t, st)
		s.fetch(st)
		s.wantTime("content", otherTime)
		st.Close()
	}
	s.put("content", slices.Concat(s.part(0), make([]byte, testPart)))
	s.setTime("content", otherTime)
	st, err := s.open(true)
	if err != nil {
		t.Fatal(err)
	}
	checked(t, st)
	s.fetch(st, 1)
	s.wantTime("content", composedAt)
	if changes, err := st.Look(1); err != nil || len(changes) > 0 {
		t.Errorf("its own change is taken for another's: %v, %v", changes, err)
	}
}

// timedFolder has three files with a time, and one without.
func timedFolder(t *testing.T) *shelf {
	s := newFolderShelf(t)
	for _, file := range []string{"0 empty", "900 a/one", "1100 b", "1000 c"} {
		s.line("file", file)
		if file != "1000 c" {
			s.line("time", timeLine)
		}
	}
	plain := newFolderShelf(t, "0 empty", "900 a/one", "1100 b", "1000 c")
	lines := s.comp.Lines
	s.comp, s.content = plain.comp, plain.content
	s.comp.Lines = lines
	return s
}

func TestTimesInFolder(t *testing.T) {
	s := timedFolder(t)
	st := s.mustOpen()
	s.fetch(st, 0, 1, 2)
	for name, want := range map[string]time.Time{"empty": composedAt, "a/one": composedAt, "b": composedAt, "c": {}} {
		s.wantTime("content/"+name, want)
	}
	if changes, err := st.Look(4); err != nil || len(changes) > 0 {
		t.Errorf("its own changes are taken for another's: %v, %v", changes, err)
	}
	st.Close()

	// A repair gives it to the file that it wrote to alone.
	for _, name := range []string{"content/empty", "content/a/one", "content/b"} {
		s.setTime(name, otherTime)
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "content", "b"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 50), 1000); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if st, err = s.open(true); err != nil {
		t.Fatal(err)
	}
	checked(t, st)
	s.fetch(st, 1)
	for name, want := range map[string]time.Time{"empty": otherTime, "a/one": otherTime, "b": composedAt} {
		s.wantTime("content/"+name, want)
	}
	st.Close()

	// And to one that it made.
	if err := os.Remove(filepath.Join(s.dir, "content", "empty")); err != nil {
		t.Fatal(err)
	}
	if st, err = s.open(true); err != nil {
		t.Fatal(err)
	}
	checked(t, st)
	s.fetch(st)
	s.wantTime("content/empty", composedAt)
}

// TestTimesOfChosenFiles holds that files that get their names before the rest have their times
// then.
func TestTimesOfChosenFiles(t *testing.T) {
	s := timedFolder(t)
	st := s.openChosen("b")
	for part := range uint32(2) {
		if err := st.Write(part, 0, s.part(int(part))); err != nil {
			t.Fatal(err)
		}
		if good, err := st.Verify(part); err != nil || !good {
			t.Fatal(good, err)
		}
	}
	if err := st.settle(func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	s.wantTime("content/b", composedAt)
	if changes, err := st.Look(4); err != nil || len(changes) > 0 {
		t.Errorf("its own change is taken for another's: %v, %v", changes, err)
	}
}
