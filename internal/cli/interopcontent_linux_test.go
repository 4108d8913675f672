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

// An interopContent is a kind of content.
type interopContent struct {
	name string
	make func() interopFiles
}

// interopFiles are a file, or the files of a folder, called music.
type interopFiles []interopFile

type interopFile struct {
	path    string // from the folder that holds music
	content []byte
}

var (
	// oneFile ends with a part of one byte.
	oneFile = interopContent{"a file", func() interopFiles {
		return interopFiles{{"music", randomBytes(40*interopPartSize + 1)}}
	}}
	// aFolder has an empty file, parts that cross the borders of files, and a last part of one
	// byte; with padding files, that of its last file.
	aFolder = interopContent{"a folder", func() interopFiles {
		const first = 2*interopPartSize + 4321
		b := randomBytes(first + 40*interopPartSize + 1)
		return interopFiles{
			{"music/a.txt", b[:first]},
			{"music/deep/er/b.bin", b[first : 32*interopPartSize]},
			{"music/empty", nil},
			{"music/z.bin", b[first : first+9*interopPartSize+1]},
		}
	}}
	// anEmptyFile has no parts at all.
	anEmptyFile = interopContent{"an empty file", func() interopFiles {
		return interopFiles{{"music", nil}}
	}}
)

// withPads adds the padding files of a hybrid torrent (BEP 47), which fill up the last part of each
// file: libtorrent's of the last one, too.
func (c interopFiles) withPads() interopFiles {
	padded := slices.Clone(c)
	for _, f := range c {
		if over := len(f.content) % interopPartSize; over > 0 {
			pad := make([]byte, interopPartSize-over)
			padded = append(padded, interopFile{fmt.Sprintf("music/.pad/%d", len(pad)), pad})
		}
	}
	return padded
}

func (c interopFiles) write(t *testing.T, dir string) {
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
func (c interopFiles) compare(dir string) error {
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
func (c interopFiles) withoutEmpty() interopFiles {
	return slices.DeleteFunc(slices.Clone(c), func(f interopFile) bool { return len(f.content) == 0 })
}
