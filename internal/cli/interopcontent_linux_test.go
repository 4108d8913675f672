package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// interopPartSize is that of all torrents here.
const interopPartSize = 32 << 10

// An interopContent is a file, or a folder of files, called music.
type interopContent []interopFile

type interopFile struct {
	path    string // from the folder that holds music
	content []byte
}

// oneFile ends with a part of one byte.
func oneFile() interopContent {
	return interopContent{{"music", randomBytes(40*interopPartSize + 1)}}
}

// aFolder has an empty file, parts that cross the borders of files, and a last part of one byte,
// with and without padding files.
func aFolder() interopContent {
	const first = 2*interopPartSize + 4321
	b := randomBytes(first + 40*interopPartSize + 1)
	return interopContent{
		{"music/a.txt", b[:first]},
		{"music/deep/er/b.bin", b[first : 32*interopPartSize]},
		{"music/empty", nil},
		{"music/z.bin", b[first : first+9*interopPartSize+1]},
	}
}

func (c interopContent) write(t *testing.T, dir string) {
	t.Helper()
	for _, f := range c {
		path := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// compare says in which file a copy is another one. What is there besides does not matter: some
// programs write padding files, and their own.
func (c interopContent) compare(dir string) error {
	for _, f := range c {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.path)))
		if err != nil {
			return err
		}
		if !bytes.Equal(got, f.content) {
			return fmt.Errorf("%s has %d bytes that are not the original's %d", f.path, len(got), len(f.content))
		}
	}
	return nil
}

// withoutEmpty leaves out files without content.
func (c interopContent) withoutEmpty() interopContent {
	return slices.DeleteFunc(slices.Clone(c), func(f interopFile) bool { return len(f.content) == 0 })
}
