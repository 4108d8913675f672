package compose

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"orchestra/orch"
)

// TestOver4GiB composes a sparse file whose offsets need more than 32 bits,
// with a byte of data in its last part.
func TestOver4GiB(t *testing.T) {
	if os.Getenv("ORCHESTRA_TEST_LARGE") == "" {
		t.Skip("reading 5 GiB takes 5 to 25 seconds; set ORCHESTRA_TEST_LARGE=1 to have it")
	}
	const size, partSize = 5<<30 + 1, 16 << 20
	path := filepath.Join(t.TempDir(), "sparse")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{7}, size-1); err != nil {
		t.Skipf("no file of 5 GiB can be made here: %v", err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := Compose(t.Context(), Config{Path: path, PartSize: partSize})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if f.Size != size || f.NumParts() != 321 || f.PartLen(320) != 1 {
		t.Errorf("size %d, %d parts", f.Size, f.NumParts())
	}
	zeros := string(orch.SHA1.Sum(make([]byte, partSize)))
	for i := range 320 {
		if string(f.PartSum(i)) != zeros {
			t.Fatalf("part %d is not that of zeros", i)
		}
	}
	if string(f.PartSum(320)) != string(orch.SHA1.Sum([]byte{7})) {
		t.Error("the last part is wrong")
	}
	// sha1sum of 5 GiB of zeros and that byte.
	if want := "64c662741c6aeb0a84ecf8ead77100dc99ee7fc6"; orch.ID(f.Checksum).String() != want {
		t.Errorf("the checksum of the whole is %x, want %s", f.Checksum, want)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
		t.Errorf("%d bytes of memory were taken", n)
	}
}
