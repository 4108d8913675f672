package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/orch"
)

const testPart = 1000

// shelf is a folder for one composition, and what belongs into it.
type shelf struct {
	t       *testing.T
	dir     string
	comp    *orch.File
	content []byte
}

func newShelf(t *testing.T, size int) *shelf {
	s := &shelf{t: t, dir: t.TempDir(), content: make([]byte, size)}
	rand.NewChaCha8([32]byte{byte(size)}).Read(s.content)
	s.comp = compositionOf(s.content)
	if err := s.comp.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}

func compositionOf(content []byte) *orch.File { return inParts(content, testPart) }

func inParts(content []byte, partSize int) *orch.File {
	f := &orch.File{Conductor: "localhost:9999", Name: "content", Size: int64(len(content)), PartSize: int64(partSize), Checksum: orch.SHA1.Sum(content)}
	for part := range slices.Chunk(content, partSize) {
		f.PartSums = append(f.PartSums, orch.SHA1.Sum(part)...)
	}
	return f
}

func (s *shelf) put(name string, content []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o666); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) open(repair bool) (*Store, error) {
	s.t.Helper()
	st, err := Open(Config{File: s.comp, Dir: s.dir, Repair: repair})
	if err == nil {
		s.t.Cleanup(func() { st.Close() })
	}
	return st, err
}

func (s *shelf) mustOpen() *Store {
	s.t.Helper()
	st, err := s.open(false)
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

func (s *shelf) part(n int) []byte {
	return s.content[n*testPart : min((n+1)*testPart, len(s.content))]
}

// names lists the folder.
func (s *shelf) names() (names []string) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// checked returns the parts that are right, by what is known from before and by the check, which
// tells of all others.
func checked(t *testing.T, st *Store) (good []uint32) {
	t.Helper()
	var mu sync.Mutex
	seen := map[uint32]bool{}
	if known := st.Known(); !st.Fresh() && known != nil {
		for part := range uint32(st.comp.NumParts()) {
			if known[part>>3]&(0x80>>(part&7)) != 0 {
				seen[part] = true
				good = append(good, part)
			}
		}
	}
	err := st.Check(context.Background(), func(part uint32, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if seen[part] {
			t.Errorf("part %d was reported twice", part)
		}
		seen[part] = true
		if ok {
			good = append(good, part)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != st.comp.NumParts() {
		t.Errorf("%d of %d parts were reported", len(seen), st.comp.NumParts())
	}
	slices.Sort(good)
	return good
}

func TestFromNothingToItsName(t *testing.T) {
	s := newShelf(t, 3*testPart+1)
	st := s.mustOpen()
	if !st.Fresh() || !st.Partial() || !st.Writable() {
		t.Error("not a fresh unfinished file")
	}
	for _, n := range []int{2, 0, 3, 1} {
		if err := st.Write(uint32(n), 0, s.part(n)); err != nil {
			t.Fatal(err)
		}
		if ok, err := st.Verify(uint32(n)); !ok || err != nil {
			t.Errorf("part %d: %v %v", n, ok, err)
		}
	}
	if diff := cmp.Diff([]string{"content.part"}, s.names()); diff != "" {
		t.Error("before Finish:", diff)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"content"}, s.names()); diff != "" {
		t.Error("after Finish:", diff)
	}
	if got, err := os.ReadFile(st.Path()); err != nil || !bytes.Equal(got, s.content) {
		t.Error("the content differs", err)
	}
}

func TestFinishReplacesNothing(t *testing.T) {
	s := newShelf(t, testPart)
	st := s.mustOpen()
	s.get(st, 0)
	s.put("content", []byte("somebody else's"))
	var ce *ContentError
	if err := st.Finish(); !errors.As(err, &ce) {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(s.dir, "content")); string(got) != "somebody else's" {
		t.Error("it was replaced")
	}
}

func TestCheckOfUnfinishedFile(t *testing.T) {
	s := newShelf(t, 5*testPart+7)
	content := bytes.Clone(s.content)
	content[testPart+5]++
	content[len(content)-1]++
	s.put("content.part", content)
	st := s.mustOpen()
	if st.Fresh() {
		t.Error("a file that was there is not fresh")
	}
	if diff := cmp.Diff([]uint32{0, 2, 3, 4}, checked(t, st)); diff != "" {
		t.Error("good parts (-want +got):", diff)
	}
	if got, _ := os.ReadFile(st.Path()); !bytes.Equal(got, content) {
		t.Error("the check changed the file")
	}
}

func TestCheckSkipsHoles(t *testing.T) {
	s := newShelf(t, 3*testPart)
	s.comp.PartSize, s.comp.PartSums = 64<<10, nil
	s.content = make([]byte, 256<<10) // zeros, which a hole reads as
	rand.NewChaCha8([32]byte{}).Read(s.content[128<<10 : 192<<10])
	s.comp.Size, s.comp.Checksum = 256<<10, orch.SHA1.Sum(s.content)
	for part := range slices.Chunk(s.content, 64<<10) {
		s.comp.PartSums = append(s.comp.PartSums, orch.SHA1.Sum(part)...)
	}
	st := s.mustOpen()
	st.Close()
	st = s.mustOpen()
	if diff := cmp.Diff([]uint32{0, 1, 3}, checked(t, st)); diff != "" {
		t.Error("good parts before the other one came (-want +got):", diff)
	}
	if err := st.Write(2, 0, s.content[128<<10:192<<10]); err != nil {
		t.Fatal(err)
	}
	st.Close()
	st = s.mustOpen()
	if !st.files.single().Hole(0, 64<<10) {
		t.Skip("this file system has no holes")
	}
	// What was never written is here where zeros are right.
	if diff := cmp.Diff([]uint32{0, 1, 2, 3}, checked(t, st)); diff != "" {
		t.Error("good parts (-want +got):", diff)
	}
}

func TestWhatStandsInTheWay(t *testing.T) {
	for _, test := range []struct {
		name string
		put  func(s *shelf)
	}{
		{"shorter", func(s *shelf) { s.put("content", s.content[1:]) }},
		{"longer", func(s *shelf) { s.put("content", append(bytes.Clone(s.content), 0)) }},
		{"folder", func(s *shelf) { os.Mkdir(filepath.Join(s.dir, "content"), 0o777) }},
		{"unfinished file too long", func(s *shelf) { s.put("content.part", append(bytes.Clone(s.content), 0)) }},
		{"unfinished folder", func(s *shelf) { os.Mkdir(filepath.Join(s.dir, "content.part"), 0o777) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShelf(t, 2*testPart)
			test.put(s)
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
}

func TestSymlinkOutOfTheFolderIsNotFollowed(t *testing.T) {
	s := newShelf(t, testPart)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(s.dir, "content.part")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := s.open(false); err == nil {
		t.Error("opened")
	}
	if got, _ := os.ReadFile(outside); string(got) != "precious" {
		t.Error("what the link points to was changed")
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	s := newShelf(t, testPart)
	st := s.mustOpen()
	if _, err := s.open(false); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
	st.Close()
	s.mustOpen()
}

func TestUnwritableFolder(t *testing.T) {
	s := newShelf(t, testPart)
	s.put("file", nil)
	_, err := Open(Config{File: s.comp, Dir: filepath.Join(s.dir, "file")})
	var de *Error
	if !errors.As(err, &de) {
		t.Errorf("got %v", err)
	}
}

// The checksum that Verify answers for must be that of what is on disk, whatever order the writes
// came in.
func TestVerifyAnswersForTheDisk(t *testing.T) {
	s := newShelf(t, testPart)
	good, bad := s.content, bytes.Repeat([]byte{7}, testPart)
	for _, test := range []struct {
		name  string
		write func(st *Store)
		want  bool
	}{
		{"in order", func(st *Store) { st.Write(0, 0, good[:400]); st.Write(0, 400, good[400:]) }, true},
		{"out of order", func(st *Store) { st.Write(0, 400, good[400:]); st.Write(0, 0, good[:400]) }, true},
		{"begun badly, then whole", func(st *Store) { st.Write(0, 0, bad[:400]); st.Write(0, 0, good) }, true},
		{"begun well, then whole and bad", func(st *Store) { st.Write(0, 0, good[:400]); st.Write(0, 0, bad) }, false},
		{"overwritten in the middle", func(st *Store) { st.Write(0, 0, good); st.Write(0, 300, bad[:1]) }, false},
		{"overwritten and mended", func(st *Store) { st.Write(0, 0, good); st.Write(0, 300, bad[:9]); st.Write(0, 300, good[300:309]) }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.dir = t.TempDir()
			st := s.mustOpen()
			test.write(st)
			got, err := st.Verify(0)
			if err != nil {
				t.Fatal(err)
			}
			disk, _ := os.ReadFile(st.Path())
			if got != test.want || got != bytes.Equal(disk, good) {
				t.Errorf("verified %v, want %v; the disk is right: %v", got, test.want, bytes.Equal(disk, good))
			}
		})
	}
}

// TestUpto tells how much of a part may be passed on: what came in order, whatever else is here.
func TestUpto(t *testing.T) {
	s := newShelf(t, testPart+500)
	st := s.mustOpen()
	all := s.part(0)
	for _, test := range []struct {
		name  string
		write func()
		want  int64
	}{
		{"nothing", func() {}, 0},
		{"begun", func() { st.Write(0, 0, all[:400]) }, 400},
		{"out of order", func() { st.Write(0, 600, all[600:700]) }, 400},
		{"further", func() { st.Write(0, 400, all[400:500]) }, 500},
		{"begun anew", func() { st.Write(0, 0, all[:100]) }, 100},
		{"whole and bad", func() { st.Write(0, 0, make([]byte, testPart)); st.Verify(0) }, 0},
		{"whole", func() { st.Write(0, 0, all) }, testPart},
		{"verified", func() { st.Verify(0) }, testPart},
	} {
		test.write()
		if got := st.Upto(0); got != test.want {
			t.Errorf("%s: %d bytes, want %d", test.name, got, test.want)
		}
	}
	st.Write(1, 0, s.part(1))
	if ok, err := st.Verify(1); !ok || err != nil || st.Upto(1) != 500 {
		t.Errorf("of the last part %d bytes, %v", st.Upto(1), err)
	}
}

func TestVerifiedPartIsNotWrittenAgain(t *testing.T) {
	s := newShelf(t, 2*testPart)
	st := s.mustOpen()
	st.Write(0, 0, s.part(0))
	if ok, err := st.Verify(0); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := st.Write(0, 0, make([]byte, testPart)); err != nil { // a late duplicate
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(st.Path()); !bytes.Equal(got[:testPart], s.part(0)) {
		t.Error("overwritten")
	}
	st.Write(1, 0, make([]byte, testPart))
	if ok, _ := st.Verify(1); ok {
		t.Error("a bad part verified")
	}
	st.Write(1, 0, s.part(1))
	if ok, err := st.Verify(1); !ok || err != nil {
		t.Error("the part got anew did not verify", err)
	}
}

func TestContentUnderItsName(t *testing.T) {
	s := newShelf(t, 3*testPart)
	content := bytes.Clone(s.content)
	content[testPart]++
	s.put("content", content)
	st := s.mustOpen()
	if st.Writable() || st.Partial() {
		t.Error("it may be written")
	}
	if diff := cmp.Diff([]uint32{0, 2}, checked(t, st)); diff != "" {
		t.Error("good parts (-want +got):", diff)
	}
	st.Close()
	st, err := s.open(true)
	if err != nil {
		t.Fatal(err)
	}
	checked(t, st)
	st.Write(1, 0, s.part(1))
	if ok, err := st.Verify(1); !ok || err != nil {
		t.Error(ok, err)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(s.dir, "content")); !bytes.Equal(got, s.content) {
		t.Error("not repaired")
	}
}

func TestFileThatShrankIsAnError(t *testing.T) {
	s := newShelf(t, 3*testPart)
	s.put("content", s.content)
	st := s.mustOpen()
	if err := os.Truncate(st.Path(), testPart); err != nil {
		t.Fatal(err)
	}
	var de *Error
	if err := st.ReadAt(make([]byte, testPart), testPart); !errors.As(err, &de) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]uint32{0}, checked(t, st)); diff != "" {
		t.Error(diff)
	}
	if why := st.Unreadable(); len(why) != 1 || why[0].Path != st.Path() {
		t.Errorf("it says %v", why)
	}
}

func TestReplaceMovesAside(t *testing.T) {
	for _, there := range []string{"short", "0123456789"} {
		s := newShelf(t, 10)
		s.put("content", []byte(there))
		s.put("content.old", []byte("older still"))
		st, err := Open(Config{File: s.comp, Dir: s.dir, Replace: true})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if got, _ := os.ReadFile(filepath.Join(s.dir, "content")); string(got) != there {
			t.Fatal("moved before the content is complete")
		}
		s.get(st, 0)
		if err := st.Finish(); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"content": string(s.content), "content.old": "older still", "content.old2": there} {
			if got, err := os.ReadFile(filepath.Join(s.dir, name)); err != nil || string(got) != want {
				t.Errorf("%s: %q %v, want %q", name, got, err, want)
			}
		}
	}
}

func TestReplaceLeavesContentAlone(t *testing.T) {
	s := newShelf(t, 2*testPart)
	s.put("content", s.content)
	st, err := Open(Config{File: s.comp, Dir: s.dir, Replace: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if st.Partial() {
		t.Error("content that is right is got again")
	}
}

func TestContentThatDoesNotFit(t *testing.T) {
	s := newShelf(t, testPart)
	s.comp.PartSize, s.comp.Size = 1<<50, 1<<50 // one part of a pebibyte
	_, err := s.open(false)
	var de *Error
	if !errors.As(err, &de) || de.Op != "make room in" {
		t.Fatalf("got %v", err)
	}
	if names := s.names(); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}
