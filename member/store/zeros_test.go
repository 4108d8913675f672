package store

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orchestra/member/store/disk"
	"orchestra/orch"
)

const holePart = 64 << 10 // a multiple of every file system's blocks

// sparseShelf is a shelf for a single file of five parts and a bit. Parts 0, 3 and the last are
// zeros.
func sparseShelf(t *testing.T, hash orch.Hash) *shelf {
	s := &shelf{t: t, dir: t.TempDir(), content: make([]byte, 5*holePart+100)}
	random := newShelf(t, 4*holePart).content
	copy(s.content[holePart:3*holePart], random)
	copy(s.content[4*holePart:5*holePart], random[2*holePart:])
	s.comp = &orch.File{
		Conductor: "localhost:9999", Name: "content", Size: int64(len(s.content)), PartSize: holePart,
		Checksum: hash.Sum(s.content),
	}
	for part := range slices.Chunk(s.content, holePart) {
		s.comp.PartSums = append(s.comp.PartSums, hash.Sum(part)...)
	}
	return s
}

var (
	zeroParts = []uint32{0, 3, 5}
	dataParts = []uint32{1, 2, 4}
)

// partsOf lists the bits that are set.
func partsOf(bits []byte) (parts []uint32) {
	for i := range uint32(8 * len(bits)) {
		if bits[i>>3]&(0x80>>(i&7)) != 0 {
			parts = append(parts, i)
		}
	}
	return parts
}

// fetch writes parts as they come from others, and finishes.
func (s *shelf) fetch(st *Store, parts ...uint32) {
	s.t.Helper()
	for _, part := range parts {
		from := int64(part) * s.comp.PartSize
		if err := st.Write(part, 0, s.content[from:from+s.comp.PartLen(int(part))]); err != nil {
			s.t.Fatal(err)
		}
		if good, err := st.Verify(part); err != nil || !good {
			s.t.Fatalf("part %d: %v, %v", part, good, err)
		}
	}
	if err := st.Finish(); err != nil {
		s.t.Fatal(err)
	}
}

// wantHoles checks that parts take no room in a file, where the file system keeps holes at all.
func wantHoles(t *testing.T, path string, parts ...uint32) {
	t.Helper()
	f, err := disk.System().Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !keepsHoles(t) {
		return
	}
	for _, part := range parts {
		if !f.Hole(int64(part)*holePart, holePart) {
			t.Errorf("%s: part %d is no hole", path, part)
		}
	}
}

// keepsHoles reports whether files for tests may have holes.
func keepsHoles(t *testing.T) bool {
	path := filepath.Join(t.TempDir(), "holes")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 2*holePart); err != nil {
		t.Fatal(err)
	}
	f, err := disk.System().Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Hole(0, holePart)
}

// TestZerosAreKnown holds that parts of zeros are here at once, are shared while the others come,
// and are never written.
func TestZerosAreKnown(t *testing.T) {
	for _, hash := range []orch.Hash{orch.SHA1, orch.SHA256} {
		s := sparseShelf(t, hash)
		st := s.mustOpen()
		if diff := cmp.Diff(zeroParts, partsOf(st.Known())); diff != "" {
			t.Error("known parts (-want +got):", diff)
		}
		p := make([]byte, holePart)
		p[0] = 1
		if err := st.ReadAt(p, 3*holePart); err != nil || !allZero(p) {
			t.Errorf("part 3 cannot be read: %v", err)
		}
		if upto := st.Upto(3); upto != holePart {
			t.Errorf("%d bytes of part 3 are here", upto)
		}
		s.fetch(st, dataParts...)
		if got, err := os.ReadFile(st.Path()); err != nil || !bytes.Equal(got, s.content) {
			t.Errorf("the content is another one: %v", err)
		}
		wantHoles(t, st.Path(), 0, 3)
	}
}

// TestZerosOfWhatIsThere checks content that was there: holes are right without being read, and
// what is no hole is read.
func TestZerosOfWhatIsThere(t *testing.T) {
	s := sparseShelf(t, orch.SHA1)
	st := s.mustOpen()
	if err := st.Write(1, 0, s.content[holePart:2*holePart]); err != nil {
		t.Fatal(err)
	}
	st.Close()
	st = s.mustOpen()
	if st.Known() != nil {
		t.Error("parts are known of a file that was not just made")
	}
	if diff := cmp.Diff([]uint32{0, 1, 3, 5}, checked(t, st)); diff != "" {
		t.Error("good parts of the unfinished file (-want +got):", diff)
	}
	s.fetch(st, 2, 4)
	st.Close()

	bad := slices.Clone(s.content)
	bad[3*holePart] = 1
	s.put("content", bad)
	st = s.mustOpen()
	if diff := cmp.Diff([]uint32{0, 1, 2, 4, 5}, checked(t, st)); diff != "" {
		t.Error("good parts with something in part 3 (-want +got):", diff)
	}
	if got, _ := os.ReadFile(st.Path()); !bytes.Equal(got, bad) {
		t.Error("the check changed content that is only shared")
	}
}

// TestZerosAreRepaired holds that a part of zeros that is something else becomes right without
// being fetched, where it may be written to.
func TestZerosAreRepaired(t *testing.T) {
	for _, name := range []string{"content", "content.part"} {
		s := sparseShelf(t, orch.SHA1)
		bad := slices.Clone(s.content)
		for _, part := range zeroParts {
			bad[int(part)*holePart+50] = 1
		}
		bad[2*holePart] ^= 1
		s.put(name, bad)
		st, err := s.open(true)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]uint32{0, 1, 3, 4, 5}, checked(t, st)); diff != "" {
			t.Errorf("%s: good parts (-want +got): %s", name, diff)
		}
		s.fetch(st, 2)
		if got, err := os.ReadFile(st.Path()); err != nil || !bytes.Equal(got, s.content) {
			t.Errorf("%s: the content is another one: %v", name, err)
		}
	}
}

// TestZerosAreRechecked holds that a part of zeros that somebody wrote to, or cut off, while the
// rest comes is mended without being fetched, and that content that is only shared is left alone.
func TestZerosAreRechecked(t *testing.T) {
	s := folderOfZeros(t)
	st := s.mustOpen()
	path := filepath.Join(s.dir, "content"+Suffix, "none", "all")
	for name, change := range map[string]func() error{
		"written": func() error { return os.WriteFile(path, []byte("something else"), 0o666) },
		"cut":     func() error { return os.Truncate(path, 1) },
		"removed": func() error { return os.Remove(path) },
	} {
		if err := change(); err != nil {
			t.Fatal(name, err)
		}
		if _, err := st.Look(6); err != nil {
			t.Fatal(name, err)
		}
		for _, part := range []uint32{2, 3, 4, 5} {
			if good, err := st.Recheck(part); err != nil || !good {
				t.Errorf("%s: part %d: %v, %v", name, part, good, err)
			}
		}
	}
	s.fetch(st, 0, 6)
	s.wantFiles("content", "begins", "empty", "ends", "none/all", "skipped/all", "tail")
	path = filepath.Join(s.dir, "content", "none", "all")
	if err := os.WriteFile(path, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if good, _ := st.Recheck(3); good {
		t.Error("content that is shared is taken for right")
	}
	if got, _ := os.ReadFile(path); string(got) != "mine" {
		t.Errorf("content that is shared was changed to %q", got)
	}
}

// TestZerosProveNothing holds that zeros, which many a file has, do not make it this content.
func TestZerosProveNothing(t *testing.T) {
	s := sparseShelf(t, orch.SHA1)
	other := make([]byte, len(s.content))
	for _, part := range dataParts {
		other[part*holePart] = 1
	}
	s.put("content", other)
	if _, err := s.open(true); err == nil {
		t.Error("another file is taken for the content, for its zeros")
	}
	if got, _ := os.ReadFile(filepath.Join(s.dir, "content")); !bytes.Equal(got, other) {
		t.Error("another file was written to")
	}
}

// folderOfZeros has files that are zeros, end in them and begin with them, in parts of 1000 bytes.
func folderOfZeros(t *testing.T) *shelf {
	s := newFolderShelf(t, "0 empty", "2500 ends", "3000 none/all", "1500 begins", "1000 skipped/all", "500 tail")
	for _, stretch := range [][2]int{{1000, 2500}, {2500, 5500}, {5500, 6500}, {7000, 8500}} {
		clear(s.content[stretch[0]:stretch[1]])
	}
	sums := compositionOf(s.content)
	s.comp.Checksum, s.comp.PartSums = sums.Checksum, sums.PartSums
	return s
}

func TestZerosInFolder(t *testing.T) {
	s := folderOfZeros(t)
	st := s.mustOpen()
	known := []uint32{1, 2, 3, 4, 5, 7, 8}
	if diff := cmp.Diff(known, partsOf(st.Known())); diff != "" {
		t.Error("known parts (-want +got):", diff)
	}
	p := make([]byte, 5000)
	p[0] = 1
	if err := st.ReadAt(p, 1000); err != nil || !allZero(p) {
		t.Errorf("what is known cannot be read: %v", err)
	}
	st.Close()
	st = s.mustOpen()
	if diff := cmp.Diff(known, checked(t, st)); diff != "" {
		t.Error("good parts when it is opened again (-want +got):", diff)
	}
	s.fetch(st, 0, 6)
	s.wantFiles("content", "begins", "empty", "ends", "none/all", "skipped/all", "tail")
}

// TestZerosAppear opens a NAME.part in which files of zeros are missing or short.
func TestZerosAppear(t *testing.T) {
	s := folderOfZeros(t)
	st := s.mustOpen()
	st.Close()
	part := filepath.Join(s.dir, "content"+Suffix)
	if err := os.RemoveAll(filepath.Join(part, "none")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(part, "ends"), 10); err != nil {
		t.Fatal(err)
	}
	st = s.mustOpen()
	good := checked(t, st)
	if diff := cmp.Diff([]uint32{1, 2, 3, 4, 5, 7, 8}, good); diff != "" {
		t.Error("good parts (-want +got):", diff)
	}
	s.fetch(st, 0, 6)
	s.wantFiles("content", "begins", "empty", "ends", "none/all", "skipped/all", "tail")
}

// TestZerosThatAreNotChosen holds that only what is wanted is made.
func TestZerosThatAreNotChosen(t *testing.T) {
	s := folderOfZeros(t)
	st := s.openChosen("none")
	if diff := cmp.Diff([]uint32{2, 3, 4, 5}, partsOf(st.Known())); diff != "" {
		t.Error("known parts (-want +got):", diff)
	}
	if err := st.Finish(); err != nil {
		t.Fatal(err)
	}
	s.wantFiles("content", "none/all")
	if _, err := os.Lstat(filepath.Join(s.dir, "content"+Suffix, "skipped")); err == nil {
		t.Error("a file was made that is not wanted")
	}
}

// TestShortFileIsNoHole holds that a file under its name that is missing or short is not taken for
// a hole.
func TestShortFileIsNoHole(t *testing.T) {
	s := folderOfZeros(t)
	s.putFolder("content")
	if err := os.Truncate(filepath.Join(s.dir, "content", "ends"), 1500); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.dir, "content", "skipped", "all")); err != nil {
		t.Fatal(err)
	}
	st := s.mustOpen()
	if diff := cmp.Diff([]uint32{0, 3, 4, 5, 6, 8}, checked(t, st)); diff != "" {
		t.Error("good parts (-want +got):", diff)
	}
}

// TestAllZeros is complete at once.
func TestAllZeros(t *testing.T) {
	s := newShelf(t, 10)
	s.content = make([]byte, 3*testPart+1)
	s.comp = compositionOf(s.content)
	st := s.mustOpen()
	if got := partsOf(st.Known()); len(got) != 4 {
		t.Errorf("known parts %v", got)
	}
	s.fetch(st)
	f, err := os.Open(filepath.Join(s.dir, "content"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || !bytes.Equal(b, s.content) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// TestCheckOfZerosIsQuick checks a file that is too large to be read in a test.
func TestCheckOfZerosIsQuick(t *testing.T) {
	if !keepsHoles(t) {
		t.Skip("files have no holes here")
	}
	const size, partSize = 1 << 40, 16 << 20
	f := &orch.File{
		Conductor: "localhost:9999", Name: "content", Size: size, PartSize: partSize,
		Checksum: make([]byte, 20),
	}
	f.PartSums = bytes.Repeat(orch.SHA1.SumOfZeros(partSize), size/partSize)
	dir := t.TempDir()
	path := filepath.Join(dir, "content")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Skip("files cannot be as large here:", err)
	}
	st, err := Open(Config{File: f, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	err = st.Check(context.Background(), func(part uint32, good bool) {
		if !good {
			t.Errorf("part %d is bad", part)
		}
	})
	if err != nil {
		t.Error(err)
	}
}
