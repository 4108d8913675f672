package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// take has a store take in parts in full.
func (s *shelf) take(st *Store, parts ...int) {
	s.t.Helper()
	for _, part := range parts {
		if err := st.Write(uint32(part), 0, s.part(part)); err != nil {
			s.t.Fatal(err)
		}
		if good, err := st.Verify(uint32(part)); !good || err != nil {
			s.t.Fatalf("part %d: good %v, %v", part, good, err)
		}
	}
}

// spoil changes a byte of a file in the shelf's folder.
func (s *shelf) spoil(name string, at int64) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_RDWR, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		s.t.Fatal(err)
	}
	b[0]++
	if _, err := f.WriteAt(b[:], at); err != nil {
		s.t.Fatal(err)
	}
}

// look has a store look at all of its files, and returns what changed.
func look(t *testing.T, st *Store) []Change {
	t.Helper()
	changes, err := st.Look(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func recheck(t *testing.T, st *Store, part uint32, want bool) {
	t.Helper()
	if good, err := st.Recheck(part); good != want || err != nil {
		t.Errorf("part %d: good %v, %v; want %v", part, good, err, want)
	}
}

func TestRecheckFindsWhatChanged(t *testing.T) {
	s := newShelf(t, 4*testPart)
	st := s.mustOpen()
	s.take(st, 0, 1, 2, 3)
	recheck(t, st, 2, true)
	s.spoil("content.part", 2*testPart+7)
	look(t, st)
	for _, part := range []uint32{0, 1, 3} {
		recheck(t, st, part, true)
	}
	recheck(t, st, 2, false)
	if n := st.Upto(2); n != 0 {
		t.Errorf("%d bytes of the bad part count as here", n)
	}
	if st.Keeps(2) {
		t.Error("a bad part of an unfinished file is kept")
	}
	s.take(st, 2) // it is written anew
	for range 2 { // the second time nothing is left to do but to make it durable
		if err := st.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(s.dir, "content")); err != nil || !bytes.Equal(got, s.content) {
		t.Error("the content is not right", err)
	}
	s.spoil("content", 5)
	recheck(t, st, 0, false)
	if !st.Keeps(0) {
		t.Error("what has its name is written to without --repair")
	}
	s.spoil("content", 5+1)
	s.put("content", s.content) // in place
	recheck(t, st, 0, true)
	if n := st.Upto(0); n != testPart {
		t.Errorf("%d bytes of the good part count as here", n)
	}
}

func TestRecheckOfWhatCannotBeRead(t *testing.T) {
	s := newShelf(t, 2*testPart)
	s.put("content", s.content)
	st := s.mustOpen()
	if err := os.Truncate(filepath.Join(s.dir, "content"), testPart+1); err != nil {
		t.Fatal(err)
	}
	recheck(t, st, 0, true)
	if good, err := st.Recheck(1); good || err == nil {
		t.Errorf("good %v, %v", good, err)
	}
}

// A file that waits for its name waits for a part again that was lost.
func TestLostPartHoldsItsFileBack(t *testing.T) {
	s := newFolderShelf(t, "1000 a", "1000 b", "1000 c")
	st := s.openChosen("a", "b")
	s.take(st, 0, 1)
	s.spoil("content.part/b", 3)
	look(t, st)
	recheck(t, st, 1, false)
	s.settleNow(st)
	s.wantFiles("content", "a")
	if st.Keeps(1) || !st.Keeps(0) {
		t.Errorf("part 0 kept %v, part 1 kept %v; want what has its name", st.Keeps(0), st.Keeps(1))
	}
	if got, want := st.Where([]int{1}), filepath.Join(s.dir, "content.part", "b"); got != want {
		t.Errorf("part 1 is at %s, want %s", got, want)
	}
	s.take(st, 1)
	s.settleNow(st)
	s.wantFiles("content", "a", "b")
}

func TestRanges(t *testing.T) {
	if got := Ranges([]int{3, 7, 8, 9, 11}); got != "3, 7-9, 11" {
		t.Errorf("ranges: %q", got)
	}
}
