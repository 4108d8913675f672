package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// settleNow moves what is complete, as Settle does when it is told.
func (s *shelf) settleNow(st *Store) {
	s.t.Helper()
	if st.settling == nil {
		return
	}
	if err := st.settle(func(err error) { s.t.Error(err) }); err != nil {
		s.t.Fatal(err)
	}
}

func TestChosenFilesMoveAsEachIsComplete(t *testing.T) {
	s := newFolderShelf(t, "1500 a/one", "1000 b/two", "2500 c/three", "10 d")
	s.line("exec", "b/two")
	st := s.openChosen("a", "b")
	s.get(st, 0)
	s.settleNow(st)
	if diff := cmp.Diff([]string{"content.part"}, s.names()); diff != "" {
		t.Error("nothing is complete yet:", diff)
	}
	s.get(st, 2, 1) // two lies in both, one in 0 and 1
	s.settleNow(st)
	s.wantFiles("content", "a/one", "b/two")
	if _, err := os.Stat(filepath.Join(s.dir, "content.part", "c/three")); err != nil {
		t.Error("the rest of a part is not kept:", err)
	}
	if info, err := os.Stat(filepath.Join(s.dir, "content/b/two")); err != nil || info.Mode()&0o100 == 0 {
		t.Error("two cannot be executed", err)
	}
	if st.Path() != filepath.Join(s.dir, "content.part") {
		t.Error("before Finish it is not complete:", st.Path())
	}
	got := make([]byte, 3000) // 500 of three
	if err := st.ReadAt(got, 0); err != nil || !bytes.Equal(got, s.content[:3000]) {
		t.Error("reading from both places:", err)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a/one", "b/two")
}

// Whenever a member is killed, the next one finds what was got, wherever it is.
func TestSettlingGoesOnAfterAKill(t *testing.T) {
	files := []string{"1500 a/one", "1000 b/two", "1000 c", "700 d/e/four", "2500 f"}
	for seven := range 7 { // parts that were got before
		s := newFolderShelf(t, files...)
		st := s.openChosen("a", "b", "c", "four")
		var had []uint32
		for n := range seven {
			s.get(st, n)
			had = append(had, uint32(n))
			s.settleNow(st)
			st.Close() // without Finish, as a kill
			only := []string{"a", "b", "c", "four"}
			if n%2 == 0 {
				only = nil
			}
			st = s.openChosen(only...)
			if diff := cmp.Diff(had, checked(t, st)); diff != "" {
				t.Fatalf("after %d parts: %s", n+1, diff)
			}
			s.settleNow(st) // what the check found complete
		}
		st.Close()
		st = s.mustOpen()
		checked(t, st)
		for n := seven; n < s.comp.NumParts(); n++ {
			s.get(st, n)
		}
		if err := st.Finish(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
			t.Error("left:", diff)
		}
		s.wantFiles("content", "a/one", "b/two", "c", "d/e/four", "f")
	}
}

// A kill between two steps of a move: NAME was made, or a folder in it, and nothing is in it yet.
func TestKillBetweenFolderAndFile(t *testing.T) {
	for _, made := range []string{"content", "content/a"} {
		s := newFolderShelf(t, "1500 a/one", "1500 b")
		st := s.openChosen("a")
		s.get(st, 0, 1)
		st.Close()
		if err := os.MkdirAll(filepath.Join(s.dir, made), 0o777); err != nil {
			t.Fatal(err)
		}
		st = s.openChosen("a")
		if diff := cmp.Diff([]uint32{0, 1}, checked(t, st)); diff != "" {
			t.Error(made, diff)
		}
		s.settleNow(st)
		s.wantFiles("content", "a/one")
		if err := st.Finish(); err != nil {
			t.Error(made, err)
		}
	}
}

// All are chosen, and nothing stands under the name: it gets its name in one step.
func TestWholeFolderDoesNotSettle(t *testing.T) {
	s := newFolderShelf(t, "1000 a", "1000 b")
	st := s.mustOpen()
	s.get(st, 0)
	st.Settle(t.Context(), nil) // returns, since there is nothing to wait for
	if diff := cmp.Diff([]string{"content.part"}, s.names()); diff != "" {
		t.Error(diff)
	}
}

func TestOwnChangesAreLeftAlone(t *testing.T) {
	s := newFolderShelf(t, "1000 a", "1000 b", "1000 c")
	st := s.openChosen("a", "b")
	s.get(st, 0)
	s.settleNow(st)
	st.Close()
	mine := bytes.Repeat([]byte("mine"), 250)
	if err := os.WriteFile(filepath.Join(s.dir, "content", "a"), mine, 0o666); err != nil {
		t.Fatal(err)
	}
	st = s.mustOpen()
	if diff := cmp.Diff([]uint32(nil), checked(t, st)); diff != "" || !st.Keeps(0) {
		t.Error("what was changed is to stay:", diff)
	}
	if err := st.Write(0, 0, s.part(0)); err != nil {
		t.Fatal(err)
	}
	s.get(st, 1)
	s.settleNow(st)
	// A file that appears in the way of one that comes is not replaced, and stops nothing before
	// the end.
	if err := os.WriteFile(filepath.Join(s.dir, "content", "c"), mine, 0o666); err != nil {
		t.Fatal(err)
	}
	s.get(st, 2)
	var ce *ContentError
	if err := st.settle(func(err error) { t.Error("told:", err) }); !errors.As(err, &ce) {
		t.Errorf("it took the place of what appeared: %v", err)
	}
	if err := st.Finish(); !errors.As(err, &ce) || ce.Path != filepath.Join(s.dir, "content", "c") {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"a", "c"} {
		if got, err := os.ReadFile(filepath.Join(s.dir, "content", name)); err != nil || !bytes.Equal(got, mine) {
			t.Error(name, "is not as it was left:", err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(s.dir, "content.part", "c")); err != nil || !bytes.Equal(got, s.part(2)) {
		t.Error("what was got is lost:", err)
	}
}

// With --repair and with --replace, what has its name already is judged by the parts that it has
// something of, though some of them lie in NAME.part as well.
func TestRepairAndReplaceInBothPlaces(t *testing.T) {
	for _, cfg := range []Config{{Repair: true}, {Replace: true}} {
		s := newFolderShelf(t, "1500 a", "700 b", "1800 c")
		st := s.openChosen("b")
		s.get(st, 1, 2)
		s.settleNow(st)
		st.Close()
		cfg.File, cfg.Dir = s.comp, s.dir
		st, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]uint32{1, 2}, checked(t, st)); diff != "" {
			t.Error(diff)
		}
		s.get(st, 0, 3)
		if err := st.Finish(); err != nil {
			t.Fatal(err)
		}
		st.Close()
		if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
			t.Error("nothing is moved aside:", diff)
		}
		s.wantFiles("content", "a", "b", "c")
	}
}

// A file that was moved and changed since is repaired where it is.
func TestRepairOfAMovedFile(t *testing.T) {
	s := newFolderShelf(t, "2000 a", "1000 b")
	st := s.openChosen("a")
	s.get(st, 0, 1)
	s.settleNow(st)
	st.Close()
	if err := os.WriteFile(filepath.Join(s.dir, "content", "a"), append(make([]byte, 1000), s.part(1)...), 0o666); err != nil {
		t.Fatal(err)
	}
	st, err := Open(Config{File: s.comp, Dir: s.dir, Repair: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if diff := cmp.Diff([]uint32{1}, checked(t, st)); diff != "" || st.Keeps(0) {
		t.Error("what is bad is to be got anew:", diff)
	}
	s.get(st, 0, 2)
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "a", "b")
}

// Files move while they are read from both places, by several at a time.
func TestReadingWhileFilesMove(t *testing.T) {
	var files []string
	for i := range 200 {
		files = append(files, fmt.Sprintf("%d d%d/%03d", 100+i, i%7, i))
	}
	s := newFolderShelf(t, append(files, "100 last")...)
	st := s.openChosen("d*")
	ctx, stop := context.WithCancel(t.Context())
	var settled, readers sync.WaitGroup
	settled.Go(func() {
		st.Settle(ctx, func(err error) { t.Error(err) })
	})
	got := make(chan uint32, s.comp.NumParts())
	for range 4 {
		readers.Go(func() {
			var have []uint32
			for part := range got {
				have = append(have, part)
				for _, n := range have {
					p := make([]byte, len(s.part(int(n))))
					if err := st.ReadAt(p, st.offset(n)); err != nil || !bytes.Equal(p, s.part(int(n))) {
						t.Errorf("part %d is read otherwise than it was written: %v", n, err)
					}
				}
			}
		})
	}
	for n := range s.comp.NumParts() {
		s.get(st, n)
		got <- uint32(n)
	}
	close(got)
	if err := st.Finish(); err != nil { // while some move still
		t.Fatal(err)
	}
	readers.Wait()
	stop()
	settled.Wait()
	if diff := cmp.Diff([]uint32{0, 1, 2}, checked(t, st)[:3]); diff != "" {
		t.Error(diff)
	}
	for _, e := range s.comp.Entries()[:200] {
		if p, err := os.ReadFile(filepath.Join(s.dir, "content", filepath.FromSlash(e.Path))); err != nil || !bytes.Equal(p, s.content[e.Offset:e.Offset+e.Size]) {
			t.Errorf("%s: %v", e.Path, err)
		}
	}
}
