package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"orchestra/member/store/disk"
)

// Several links and the workers write one part at a time that the check finds right or wrong: what
// verified is right on the disk and stays so.
func TestWritesOfManyAtATime(t *testing.T) {
	s := newShelf(t, 20*testPart)
	st := s.mustOpen()
	bad := bytes.Repeat([]byte{9}, testPart)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for n := range 20 {
				part := uint32(n)
				p := s.part(n)
				if worker == n%8 {
					p = bad
				}
				for begin := 0; begin < testPart; begin += 250 {
					if err := st.Write(part, int64(begin), p[begin:begin+250]); err != nil {
						t.Error(err)
					}
				}
				good, err := st.Verify(part)
				if err != nil {
					t.Error(err)
				}
				got := make([]byte, testPart)
				if err := st.ReadAt(got, int64(n)*testPart); err != nil {
					t.Error(err)
				}
				if good && !bytes.Equal(got, s.part(n)) {
					t.Errorf("part %d verified and is not right", n)
				}
			}
		})
	}
	all.Wait()
}

func TestWriteStaysWithinItsPart(t *testing.T) {
	s := newShelf(t, 2*testPart+10)
	st := s.mustOpen()
	for _, test := range []struct {
		part  uint32
		begin int64
		n     int
	}{{0, -1, 2}, {0, 1, testPart}, {0, testPart, 1}, {2, 0, 11}} {
		if err := st.Write(test.part, test.begin, make([]byte, test.n)); err == nil {
			t.Errorf("%+v was written", test)
		}
	}
}

// A late duplicate of a part that verified leaves nothing behind in memory.
func TestLateWritesAreForgotten(t *testing.T) {
	s := newShelf(t, testPart)
	st := s.mustOpen()
	st.Write(0, 0, s.content)
	if ok, err := st.Verify(0); !ok || err != nil {
		t.Fatal(ok, err)
	}
	st.Write(0, 0, s.content)
	if st.begun(0) != nil {
		t.Error("it is remembered")
	}
}

// A file that is something else altogether, by chance of the right size, is not written to however
// long the check takes.
func TestRepairNeedsOneGoodPart(t *testing.T) {
	s := newShelf(t, 3*testPart)
	other := bytes.Repeat([]byte{1}, len(s.content))
	s.put("content", other)
	_, err := s.open(true)
	var ce *ContentError
	if !errors.As(err, &ce) || ce.Unfinished {
		t.Errorf("got %v", err)
	}
	copy(other[2*testPart:], s.part(2))
	s.put("content", other)
	if _, err := s.open(true); err != nil {
		t.Error(err)
	}
}

func TestRepairIsLocked(t *testing.T) {
	s := newShelf(t, testPart)
	s.put("content", s.content)
	if _, err := s.open(true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.open(true); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
	s.mustOpen() // sharing needs no lock
}

// The unfinished file may get its name between the moment it is opened and the moment it is locked.
func TestOpenAfterAnotherFinished(t *testing.T) {
	s := newShelf(t, testPart)
	first := s.mustOpen()
	s.get(first, 0)
	late := &Store{comp: s.comp, root: first.root, dir: s.dir}
	late.setName("content.part")
	file, err := first.root.OpenFile("content.part", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := first.Finish(); err != nil {
		t.Fatal(err)
	}
	first.files.close()
	if err := late.lock(file); !errors.Is(err, errMoved) {
		t.Errorf("got %v", err)
	}
	if st := s.mustOpen(); st.Partial() {
		t.Error("opened as unfinished")
	}
}

func TestReplaceMovesAnythingAside(t *testing.T) {
	for _, test := range []struct {
		name string
		put  func(s *shelf, path string) error
	}{
		{"folder", func(s *shelf, path string) error { return os.MkdirAll(filepath.Join(path, "inside"), 0o777) }},
		{"link to nothing", func(s *shelf, path string) error { return os.Symlink("nothing", path) }},
		{"link out of the folder", func(s *shelf, path string) error { return os.Symlink(os.TempDir(), path) }},
		{"right size, no part right", func(s *shelf, path string) error { return os.WriteFile(path, make([]byte, len(s.content)), 0o666) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newShelf(t, 2*testPart)
			path := filepath.Join(s.dir, "content")
			if err := test.put(s, path); err != nil {
				t.Skip("cannot be made here:", err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.open(false); test.name != "right size, no part right" {
				var ce *ContentError
				if !errors.As(err, &ce) {
					t.Errorf("without --replace: got %v", err)
				}
			}
			st, err := Open(Config{File: s.comp, Dir: s.dir, Replace: true})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			for n := range 2 {
				s.get(st, n)
			}
			if err := st.Finish(); err != nil {
				t.Fatal(err)
			}
			after, err := os.Lstat(st.Aside())
			if err != nil || !os.SameFile(before, after) || filepath.Base(st.Aside()) != "content.old" {
				t.Errorf("aside is %q, and not what stood there: %v", st.Aside(), err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, s.content) {
				t.Error("the content is not under its name", err)
			}
		})
	}
}

// What --replace was told to move may be gone, or have become something else, when the content is
// complete.
func TestReplaceOfWhatWent(t *testing.T) {
	s := newShelf(t, testPart)
	s.put("content", []byte("short"))
	st, err := Open(Config{File: s.comp, Dir: s.dir, Replace: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	s.get(st, 0)
	if err := os.Remove(filepath.Join(s.dir, "content")); err != nil {
		t.Fatal(err)
	}
	if err := st.Finish(); err != nil || st.Aside() != "" {
		t.Error(st.Aside(), err)
	}
}

func TestReplaceDoesNotTouchTheUnfinished(t *testing.T) {
	s := newShelf(t, testPart)
	s.put("content.part", make([]byte, testPart+1))
	_, err := Open(Config{File: s.comp, Dir: s.dir, Replace: true})
	var ce *ContentError
	if !errors.As(err, &ce) || !ce.Unfinished || bytes.Contains([]byte(err.Error()), []byte("--replace")) {
		t.Errorf("got %v", err)
	}
}

// A file that shrinks while the content comes grows again where it is written to, and what was lost
// does not verify.
func TestUnfinishedFileThatShrank(t *testing.T) {
	s := newShelf(t, 2*testPart)
	st := s.mustOpen()
	st.Write(0, 0, s.part(0)[:600])
	if err := os.Truncate(st.Path(), 0); err != nil {
		t.Fatal(err)
	}
	var de *Error
	if ok, err := st.Verify(1); ok || !errors.As(err, &de) {
		t.Errorf("got %v %v", ok, err)
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	s := newShelf(t, 100*testPart)
	s.put("content", s.content)
	st := s.mustOpen()
	ctx, cancel := context.WithCancel(t.Context())
	err := st.Check(ctx, func(uint32, bool) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSpaceErrorTellsHowMuch(t *testing.T) {
	s := newShelf(t, testPart)
	s.comp.PartSize, s.comp.Size = 1<<50, 1<<50
	_, err := s.open(false)
	var se *SpaceError
	if !errors.As(err, &se) || se.Need != 1<<50 || se.Free <= 0 || !bytes.Contains([]byte(err.Error()), []byte(s.dir)) {
		t.Errorf("got %v", err)
	}
}

// Bytes that the unfinished file occupies already are not needed again.
func TestSpaceThatIsOccupiedCounts(t *testing.T) {
	s := newShelf(t, 0)
	path := filepath.Join(s.dir, "content.part")
	if err := os.WriteFile(path, make([]byte, 8<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := disk.Occupied(info); n < 8<<20 {
		t.Errorf("%d bytes of 8 MiB are occupied", n)
	}
}

// FuzzWrites holds what Verify says against the disk, for any writes in any order.
func FuzzWrites(f *testing.F) {
	f.Add([]byte{0, 255, 0})
	f.Add([]byte{0, 100, 0, 100, 255, 0})
	f.Add([]byte{128, 255, 1, 0, 128, 0, 128, 255, 0})
	comp := newFuzzShelf(f)
	f.Fuzz(func(t *testing.T, ops []byte) {
		s := *comp
		s.t, s.dir = t, t.TempDir()
		st := s.mustOpen()
		disk := make([]byte, testPart)
		verified := false
		for ; len(ops) >= 3; ops = ops[3:] {
			from := int(ops[0]) * testPart / 256
			to := min(from+1+int(ops[1])*testPart/255, testPart)
			p := bytes.Clone(s.content[from:to])
			if ops[2]&1 != 0 {
				p[len(p)/2]++
			}
			if err := st.Write(0, int64(from), p); err != nil {
				t.Fatal(err)
			}
			if !verified {
				copy(disk[from:], p)
			}
			if ops[2]&2 == 0 {
				continue
			}
			good, err := st.Verify(0)
			if err != nil || good != bytes.Equal(disk, s.content) {
				t.Fatalf("verified %v, %v; the disk is right: %v", good, err, bytes.Equal(disk, s.content))
			}
			verified = good
		}
		got, err := os.ReadFile(st.Path())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if !bytes.Equal(got, disk) {
			t.Fatal("the disk is not what was written")
		}
	})
}

func newFuzzShelf(f *testing.F) *shelf {
	var s *shelf
	f.Helper()
	s = &shelf{content: make([]byte, testPart)}
	for i := range s.content {
		s.content[i] = byte(i * 7)
	}
	s.comp = compositionOf(s.content)
	return s
}
