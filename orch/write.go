package orch

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// WriteTo writes f as the text of an .orch file, which it validates first.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	if err := f.Validate(); err != nil {
		return 0, err
	}
	counted := &countingWriter{w: w}
	b := bufio.NewWriterSize(counted, 64<<10)
	_, _ = b.WriteString(f.Conductor) // Flush reports the first error
	_ = b.WriteByte('\n')
	f.writeContent(b)
	f.writeLines(b, func(Line) bool { return true })
	err := b.Flush()
	return counted.n, err
}

// writeContent writes line 2 to the last part's: with the "file" lines they
// are the canonical text that a SHA-256 ID is made from.
func (f *File) writeContent(w *bufio.Writer) {
	line := func(b []byte) { _, _ = w.Write(append(b, '\n')) }
	room := make([]byte, 0, 2*SHA256.Size()+1)
	line([]byte(f.Name))
	if f.Checksum == nil {
		line([]byte(unknownChecksum))
	} else {
		line(hex.AppendEncode(room, f.Checksum))
	}
	line(strconv.AppendInt(room, f.Size, 10))
	line(strconv.AppendInt(room, f.PartSize, 10))
	n := f.NumParts()
	line(strconv.AppendInt(room, int64(n), 10))
	for i := range n {
		line(hex.AppendEncode(room, f.PartSum(i)))
	}
}

// writeLines writes the optional lines that are wanted.
func (f *File) writeLines(w *bufio.Writer, wanted func(Line) bool) {
	for _, l := range f.Lines {
		if wanted(l) {
			for _, s := range []string{l.Key, ": ", l.Value, "\n"} {
				_, _ = w.WriteString(s)
			}
		}
	}
}

// textSize is how many bytes WriteTo writes.
func (f *File) textSize() int64 {
	digits := func(n int64) int { return len(strconv.FormatInt(n, 10)) }
	n := len(f.Conductor) + 1 + len(f.Name) + 1
	n += digits(f.Size) + 1 + digits(f.PartSize) + 1 + digits(int64(f.NumParts())) + 1
	checksum := int64(hex.EncodedLen(f.Hash().Size()) + 1)
	size := int64(n) + checksum*int64(f.NumParts())
	if f.Checksum == nil {
		size += int64(len(unknownChecksum) + 1)
	} else {
		size += checksum
	}
	for _, l := range f.Lines {
		size += int64(len(l.Key) + 2 + len(l.Value) + 1)
	}
	return size
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// WriteFile writes f to path in one step: a file that was there is replaced
// when the new one is safely on disk, or left as it was.
func WriteFile(path string, f *File) error {
	return replaceFile(path, func(w io.Writer) error {
		_, err := f.WriteTo(w)
		return err
	})
}

func replaceFile(path string, write func(w io.Writer) error) error {
	// The name does not grow with that of path, which may be as long as the
	// file system takes.
	temp := filepath.Join(filepath.Dir(path), ".orch-"+rand.Text())
	out, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return asked(path, err)
	}
	err = write(out)
	if err == nil {
		err = out.Sync()
	}
	if e := out.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return asked(path, err)
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// asked is an error of the system with the path that the caller knows instead of a temporary one.
func asked(path string, err error) error {
	var file *fs.PathError
	var rename *os.LinkError
	switch {
	case errors.As(err, &file):
		err = file.Err
	case errors.As(err, &rename):
		err = rename.Err
	default:
		return err
	}
	return &fs.PathError{Op: "write", Path: path, Err: err}
}

// syncFolder makes a rename last. Some systems cannot do it; the file is
// complete without.
func syncFolder(path string) {
	if runtime.GOOS == "windows" {
		return
	}
	if d, err := os.Open(path); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
