package store

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"orchestra/orch"
)

// paddedContent is a hybrid torrent with files that pad, and its content with the zeros in it.
func paddedContent(t *testing.T) (*orch.File, []byte) {
	t.Helper()
	f, err := orch.OpenTorrent(filepath.Join("..", "..", "orch", "testdata", "torrents", "folder-hybrid.torrent"))
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]byte, f.Size)
	for _, e := range f.Entries() {
		copy(whole[e.Offset:], ramp(int(e.Size)))
	}
	return f, whole
}

// ramp is what the files were filled with that the torrent was made of.
func ramp(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*i>>7 ^ i)
	}
	return b
}

func TestPadding(t *testing.T) {
	f, whole := paddedContent(t)
	dir := t.TempDir()
	s, err := Open(Config{File: f, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for part := range uint32(f.NumParts()) {
		at := s.offset(part)
		if err := s.Write(part, 0, whole[at:at+f.PartLen(int(part))]); err != nil {
			t.Fatal(err)
		}
		if good, err := s.Verify(part); !good || err != nil {
			t.Fatalf("part %d: %v, %v", part, good, err)
		}
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, e := range f.Entries() {
		got, err := os.ReadFile(filepath.Join(dir, f.Name, filepath.FromSlash(e.Path)))
		if err != nil || !bytes.Equal(got, ramp(int(e.Size))) {
			t.Errorf("%s: %d bytes, %v", e.Path, len(got), err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, f.Name, ".pad")); err == nil {
		t.Error("a file was made of what pads")
	}
	if target, err := os.Readlink(filepath.Join(dir, f.Name, "link")); err != nil || filepath.ToSlash(target) != "sub/b" {
		t.Errorf("the link leads to %q, %v", target, err)
	}

	if s, err = Open(Config{File: f, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := checked(t, s); len(got) != f.NumParts() {
		t.Errorf("good are %v of %d parts", got, f.NumParts())
	}
	for _, r := range [][2]int64{{0, f.Size}, {39_999, 2}, {40_001, 25_534}, {65_535, 2}, {f.Size - 1, 1}} {
		got := bytes.Repeat([]byte{0xff}, int(r[1]))
		if err := s.ReadAt(got, r[0]); err != nil || !bytes.Equal(got, whole[r[0]:r[0]+r[1]]) {
			t.Errorf("%d bytes at %d are wrong: %v", r[1], r[0], err)
		}
	}
	if err := s.Ready(0, f.Size); err != nil {
		t.Error(err)
	}
	if err := s.ReadAt(make([]byte, 1), f.Size); err == nil {
		t.Error("there is a byte behind the end")
	}
	for off, left := int64(0), f.Size; left > 0; {
		st, err := s.Stretch(off, left)
		if err != nil || st.Length <= 0 {
			t.Fatalf("at %d: %v, %v", off, st, err)
		}
		inFile := slices.ContainsFunc(f.Entries(), func(e orch.Entry) bool {
			return e.Offset <= off && off+st.Length <= e.Offset+e.Size
		})
		if inFile != (st.File != nil) {
			t.Errorf("%d bytes at %d are of a file: %v", st.Length, off, st.File != nil)
		}
		s.Release(st)
		off, left = off+st.Length, left-st.Length
	}
}

// What somebody sends in the place of zeros that pad is not on the disk, so it is not verified.
func TestWrongPaddingIsNotVerified(t *testing.T) {
	f, whole := paddedContent(t)
	whole[f.Entries()[0].Size] = 1
	f.PartSums = nil
	for part := range f.NumParts() {
		at := int64(part) * f.PartSize
		f.PartSums = f.Hash().AppendSum(f.PartSums, whole[at:at+f.PartLen(part)])
	}
	s, err := Open(Config{File: f, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	part := uint32(f.Entries()[0].Size / f.PartSize)
	at := s.offset(part)
	if err := s.Write(part, 0, whole[at:at+f.PartSize]); err != nil {
		t.Fatal(err)
	}
	if good, err := s.Verify(part); good || err != nil {
		t.Errorf("a part that cannot be kept is good: %v, %v", good, err)
	}
}
