package compose

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"orchestra/orch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// random makes n bytes, the same for the same n.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

func fileOf(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func text(t testing.TB, f *orch.File) string {
	t.Helper()
	var b strings.Builder
	if _, err := f.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// check compares f with content hashed in the simplest way.
func check(t testing.TB, f *orch.File, content []byte, partSize int64, h orch.Hash) {
	t.Helper()
	if f.Size != int64(len(content)) || f.PartSize != partSize || f.Hash() != h {
		t.Errorf("size %d, part size %d, %v; want %d, %d, %v", f.Size, f.PartSize, f.Hash(), len(content), partSize, h)
		return
	}
	if !bytes.Equal(f.Checksum, h.Sum(content)) {
		t.Errorf("%d bytes in parts of %d: the checksum of the whole is wrong", len(content), partSize)
	}
	if len(f.PartSums) != f.NumParts()*h.Size() {
		t.Errorf("%d bytes of checksums for %d parts", len(f.PartSums), f.NumParts())
		return
	}
	for i := range f.NumParts() {
		at := int64(i) * partSize
		if !bytes.Equal(f.PartSum(i), h.Sum(content[at:at+f.PartLen(i)])) {
			t.Errorf("%d bytes in parts of %d: the checksum of part %d is wrong", len(content), partSize, i)
			return
		}
	}
}

func TestGolden(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "golden")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the golden files of the original program are not here")
	}
	for file, conductor := range map[string]string{
		"maxresdefault.jpg": "192.168.1.1:9999",
		"ATJ.jpg":           "192.168.1.1",
	} {
		want, err := os.ReadFile(filepath.Join(dir, file+".orch"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Compose(t.Context(), Config{Path: filepath.Join(dir, file), Conductors: []string{conductor}, NoTimes: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, f); got != string(want) {
			t.Errorf("%s: composed\n%s", file, got)
		}
	}
}

func TestSizes(t *testing.T) {
	const ki = 1 << 10
	for _, c := range []struct{ size, partSize int }{
		{0, 16 * ki},
		{1, 16 * ki},
		{16*ki - 1, 16 * ki},
		{16 * ki, 16 * ki},
		{16*ki + 1, 16 * ki},
		{9 * 16 * ki, 16 * ki},
		{9*16*ki + 1, 16 * ki},
		{100_000, 1},
		{100_000, 7},
		{3*blockSize + 5, blockSize - 1},
		{3 * blockSize, blockSize},
		{3*blockSize + 5, blockSize + 1},
		{50*blockSize + 5, 3*blockSize/2 + 1},
		{50 * blockSize, 10 * blockSize},
		{40*blockSize + 1, 20 * blockSize},
		{1_000_000, orch.MaxPartSize},
	} {
		content := random(c.size)
		path := fileOf(t, content)
		for _, h := range []orch.Hash{orch.SHA1, orch.SHA256} {
			f, err := Compose(t.Context(), Config{Path: path, PartSize: int64(c.partSize), Hash: h})
			if err != nil {
				t.Errorf("%d bytes in parts of %d: %v", c.size, c.partSize, err)
				continue
			}
			check(t, f, content, int64(c.partSize), h)
		}
	}
}

func TestAnySize(t *testing.T) {
	content := random(5 * blockSize)
	path := filepath.Join(t.TempDir(), "content")
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(0, len(content)).Draw(rt, "size")
		partSize := rapid.OneOf(rapid.Int64Range(100, 40_000), rapid.Int64Range(40_000, 6*blockSize)).Draw(rt, "part size")
		if err := os.WriteFile(path, content[:size], 0o600); err != nil {
			rt.Fatal(err)
		}
		f, err := Compose(t.Context(), Config{Path: path, PartSize: partSize})
		if err != nil {
			rt.Fatal(err)
		}
		check(t, f, content[:size], partSize, orch.SHA1)
	})
}

func TestManyWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	content := random(30*blockSize + 11)
	for _, partSize := range []int64{1000, blockSize, 3 * blockSize, 40 * blockSize} {
		f, err := Compose(t.Context(), Config{Path: fileOf(t, content), PartSize: partSize})
		if err != nil {
			t.Fatal(err)
		}
		check(t, f, content, partSize, orch.SHA1)
	}
}

func TestDefaults(t *testing.T) {
	path := fileOf(t, random(40_000))
	f, err := Compose(t.Context(), Config{Path: path, NoTimes: true})
	if err != nil {
		t.Fatal(err)
	}
	check(t, f, random(40_000), 16384, orch.SHA1)
	if f.Name != "content" || f.Conductor != "localhost:9999" || f.Lines != nil {
		t.Errorf("name %q, conductor %q, lines %q", f.Name, f.Conductor, f.Lines)
	}
}

func TestLines(t *testing.T) {
	f, err := Compose(t.Context(), Config{
		Path:       fileOf(t, []byte("abc")),
		Conductors: []string{"::1", "b:1", "fe80::1"},
		Comment:    " a: b ",
		NoTimes:    true,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []orch.Line{
		{Key: "conductor", Value: "b:1"},
		{Key: "conductor", Value: "[fe80::1]:9999"},
		{Key: "comment", Value: " a: b "},
	}
	if f.Conductor != "[::1]:9999" || !reflect.DeepEqual(f.Lines, want) {
		t.Errorf("conductor %q, lines %q", f.Conductor, f.Lines)
	}
}

func TestRefused(t *testing.T) {
	path := fileOf(t, random(1000))
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<30); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cfg Config
		say string
	}{
		"no path":             {Config{}, "no such file"},
		"no file":             {Config{Path: path + "x"}, "no such file"},
		"negative part size":  {Config{Path: path, PartSize: -1}, "part size"},
		"large part size":     {Config{Path: path, PartSize: orch.MaxPartSize + 1}, "part size"},
		"too many parts":      {Config{Path: large, PartSize: 1}, "larger parts"},
		"bad conductor":       {Config{Path: path, Conductors: []string{"a", "http://b"}}, "HOST:PORT"},
		"empty conductor":     {Config{Path: path, Conductors: []string{""}}, "HOST:PORT"},
		"two lines of remark": {Config{Path: path, Comment: "a\nb"}, "line break"},
	} {
		c.cfg.Progress = func(done, total int64) { t.Errorf("%s: it was read", name) }
		f, err := Compose(t.Context(), c.cfg)
		if err == nil || f != nil {
			t.Errorf("%s: Compose = %v, %v, want an error", name, f, err)
			continue
		}
		if runtime.GOOS == "windows" && c.say == "no such file" {
			continue
		}
		if !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), c.cfg.Path) {
			t.Errorf("%s: %v, want it to name the file and say %q", name, err, c.say)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	path := fileOf(t, random(1<<20))
	started := func(done, total int64) { cancel() }
	if _, err := Compose(ctx, Config{Path: path, Progress: started}); !errors.Is(err, context.Canceled) {
		t.Errorf("Compose = %v", err)
	}
}

func TestProgress(t *testing.T) {
	var calls [][2]int64
	path := fileOf(t, random(100_000))
	_, err := Compose(t.Context(), Config{Path: path, Progress: func(done, total int64) {
		calls = append(calls, [2]int64{done, total})
	}})
	if err != nil {
		t.Fatal(err)
	}
	if first, last := calls[0], calls[len(calls)-1]; first != [2]int64{0, 100_000} || last != [2]int64{100_000, 100_000} {
		t.Errorf("calls were %v", calls)
	}
}
