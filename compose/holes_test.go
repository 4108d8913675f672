package compose

import (
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"orchestra/orch"
)

// sparseFile writes stretches of a file of a size, and leaves holes between.
func sparseFile(t interface{ Fatal(...any) }, path string, size int64, stretches map[int64][]byte) []byte {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, size)
	for at, b := range stretches {
		if _, err := f.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
		copy(content[at:], b)
	}
	return content
}

// TestHoles composes files with holes anywhere, alone and in a folder.
func TestHoles(t *testing.T) {
	root := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	const unit = 64 << 10 // holes are multiples of the file system's blocks
	rapid.Check(t, func(rt *rapid.T) {
		var whole []byte
		for _, name := range []string{"a", "b"} {
			size := rapid.Int64Range(0, 40*unit).Draw(rt, "size")
			stretches := map[int64][]byte{}
			for range rapid.IntRange(0, 3).Draw(rt, "stretches") {
				at := rapid.Int64Range(0, 40).Draw(rt, "at") * unit
				if n := min(size-at, rapid.Int64Range(1, 3*unit).Draw(rt, "length")); n > 0 {
					stretches[at] = random(int(n))
				}
			}
			whole = append(whole, sparseFile(rt, filepath.Join(root, name), size, stretches)...)
			if name == "a" {
				for _, partSize := range []int64{unit, 5000, 3 << 20} {
					f, err := Compose(t.Context(), Config{Path: filepath.Join(root, name), PartSize: partSize})
					if err != nil {
						rt.Fatal(err)
					}
					check(t, f, whole, partSize, orch.SHA1)
				}
			}
		}
		partSize := rapid.SampledFrom([]int64{1000, unit, 10 * unit, 1 << 20}).Draw(rt, "part size")
		hash := rapid.SampledFrom([]orch.Hash{orch.SHA1, orch.SHA256}).Draw(rt, "hash")
		f, err := Compose(t.Context(), Config{Path: root, PartSize: partSize, Hash: hash})
		if err != nil {
			rt.Fatal(err)
		}
		check(t, f, whole, partSize, hash)
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// TestHolesAreNotRead holds that a hole is found where the system tells of it.
func TestHolesAreNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "content")
	sparseFile(t, path, 8<<20, map[int64][]byte{2 << 20: random(1 << 20)})
	c, err := openContent(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if _, ok := seekData(c.file, 0, 8<<20); !ok {
		t.Skip("the system does not tell of holes")
	}
	if n, err := c.hole(8 << 20); err != nil || n != 2<<20 {
		t.Skipf("this file system keeps no holes: %d, %v", n, err)
	}
	for _, step := range []struct{ at, want int64 }{{1, 2<<20 - 1}, {2 << 20, 0}, {3<<20 - 1, 0}, {3 << 20, 5 << 20}, {8<<20 - 1, 1}} {
		c.at = step.at
		if n, err := c.hole(8 << 20); err != nil || n != step.want {
			t.Errorf("at %d: %d bytes of a hole, %v; want %d", step.at, n, err, step.want)
		}
	}
	if n, err := c.hole(0); err != nil || n != 0 {
		t.Errorf("of nothing: %d, %v", n, err)
	}
}
