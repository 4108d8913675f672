package compose

import (
	"os"
	"path/filepath"
	"testing"

	"orchestra/orch"
)

// BenchmarkCompose is to be compared with `openssl dgst -sha1` of as large a
// file, the part size deciding little.
func BenchmarkCompose(b *testing.B) {
	for _, c := range []struct {
		name           string
		size, partSize int64
		hash           orch.Hash
	}{
		{"parts=auto", 1 << 30, 0, orch.SHA1},
		{"parts=16KiB", 1 << 30, 16 << 10, orch.SHA1},
		{"parts=256MiB", 1 << 30, 256 << 20, orch.SHA1},
		{"parts=one", 256 << 20, 256 << 20, orch.SHA1},
		{"parts=1B", 4 << 20, 1, orch.SHA1},
		{"sha256", 1 << 30, 0, orch.SHA256},
		{"sparse", 1 << 30, 0, orch.SHA1},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "content")
			if err := fillUp(path, c.size, c.name == "sparse"); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(c.size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compose(b.Context(), Config{Path: path, PartSize: c.partSize, Hash: c.hash}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fillUp makes a file of a size, of bytes that are written or of a hole.
func fillUp(path string, size int64, hole bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if hole {
		return f.Truncate(size)
	}
	b := random(1 << 20)
	for ; size > 0; size -= int64(len(b)) {
		if _, err := f.Write(b[:min(size, int64(len(b)))]); err != nil {
			return err
		}
	}
	return nil
}
