package orch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is the specification's example, the fifteen lines that describe
// maxresdefault.jpg.
const sample = `192.168.1.1:9999
maxresdefault.jpg
2953289a34e0cc2bf776decc3f8b86622d66b705
142044
16384
9
d53bff7979a4ac6f56da2f7085e6c2dff49656eb
a36d78065883e2b2cf4b02f61ebbdc3b5dca7a26
6dc13d0429aea3e39979a0191ca0aa80b6ab55d4
a9ff34e937e3bf554046072fa489339c3df550fc
0d597842e3d47c1d32c529d03f9f89054dcf3c76
2d1fc8ff5acdf2e63a694f1b99cae4a173933430
1d9de0a99e38435b7001f3c85020e388d73529a8
32fa02ffdbcde31deb1290a24beafcf5554f35b7
c0a63314f9a0e677ecdd5bebeb5b746024deabba
`

func mustParse(t testing.TB, text string) *File {
	t.Helper()
	f, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("Parse: %v\nof %.300q", err, text)
	}
	return f
}

func text(t testing.TB, f *File) string {
	t.Helper()
	var b bytes.Buffer
	n, err := f.WriteTo(&b)
	if err != nil {
		t.Fatalf("WriteTo: %v", err)
	}
	if n != int64(b.Len()) || n != f.textSize() {
		t.Errorf("WriteTo says %d bytes, textSize %d; it wrote %d", n, f.textSize(), b.Len())
	}
	return b.String()
}

// compose describes content; it is what tests make a File with.
func compose(name string, content []byte, partSize int64, h Hash) *File {
	f := &File{Conductor: "localhost:9999", Name: name, Checksum: h.Sum(content), Size: int64(len(content)), PartSize: partSize}
	for i := range f.NumParts() {
		at := int64(i) * partSize
		f.PartSums = h.AppendSum(f.PartSums, content[at:at+f.PartLen(i)])
	}
	return f
}

// golden is the folder with files of the original program, beside the
// repository.
func golden(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "golden")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the golden files of the original program are not here")
	}
	return dir
}

func TestAccessors(t *testing.T) {
	f := mustParse(t, sample)
	if f.NumParts() != 9 || f.Hash() != SHA1 || f.IsFolder() {
		t.Errorf("NumParts %d, Hash %v, IsFolder %v", f.NumParts(), f.Hash(), f.IsFolder())
	}
	if a, b := f.PartLen(0), f.PartLen(8); a != 16384 || b != 142044-8*16384 {
		t.Errorf("PartLen(0) = %d, PartLen(8) = %d", a, b)
	}
	if got := f.PartSum(8); got[0] != 0xc0 || got[19] != 0xba || cap(got) != 20 {
		t.Errorf("PartSum(8) = %x with room for %d", got, cap(got))
	}
}

// TestOffsetsOver4GiB holds that lengths are computed wide.
func TestOffsetsOver4GiB(t *testing.T) {
	f := &File{Size: 5<<30 + 1, PartSize: 1 << 20}
	if f.NumParts() != 5121 || f.PartLen(5119) != 1<<20 || f.PartLen(5120) != 1 {
		t.Errorf("%d parts, of which the last two have %d and %d bytes", f.NumParts(), f.PartLen(5119), f.PartLen(5120))
	}
}

func TestDefaultPartSize(t *testing.T) {
	const ki, mi = 1 << 10, 1 << 20
	for _, c := range []struct{ size, want int64 }{
		{0, 16 * ki},
		{1, 16 * ki},
		{32 * mi, 16 * ki},
		{32*mi + 1, 32 * ki},
		{64 * mi, 32 * ki},
		{5 << 30, 4 * mi},
		{32 << 30, 16 * mi},
		{1 << 40, 16 * mi},
		{1<<63 - 1, 16 * mi},
	} {
		if got := DefaultPartSize(c.size); got != c.want {
			t.Errorf("DefaultPartSize(%d) = %d, want %d", c.size, got, c.want)
		}
	}
}

func TestHash(t *testing.T) {
	for _, h := range []Hash{SHA1, SHA256} {
		whole := h.New()
		whole.Write([]byte("abc"))
		sum := h.Sum([]byte("abc"))
		if !bytes.Equal(whole.Sum(nil), sum) || len(sum) != h.Size() {
			t.Errorf("%v: Sum is %x, New gives %x, Size %d", h, sum, whole.Sum(nil), h.Size())
		}
	}
}
