package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"orchestra/orch"
)

// source is what is composed: a file, or a folder of them.
type source interface {
	size() int64
	// describe gives f the lines that only a folder has.
	describe(f *orch.File)
	// read fills p with the bytes that follow.
	read(p []byte) error
	// unchanged is asked when all was read, and says what is not as it was.
	unchanged(ctx context.Context) error
	close()
}

// openSource opens what cfg says.
func openSource(ctx context.Context, cfg Config) (source, error) {
	info, err := os.Stat(cfg.Path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return openContent(cfg.Path)
	}
	warn := cfg.Warn
	if warn == nil {
		warn = func(string) {}
	}
	return openFolder(ctx, cfg.Path, warn)
}

// content is the file that is read. It is not locked: what keeps the result
// true is that it must look the same before and after.
type content struct {
	path   string
	file   *os.File
	before fs.FileInfo
}

// openContent opens the regular file at path. It looks before it opens, as
// opening a pipe waits for a writer.
func openContent(path string) (*content, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := checkKind(info.Mode()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c := &content{path: path, file: file}
	if c.before, err = file.Stat(); err == nil {
		if err = checkKind(c.before.Mode()); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func checkKind(mode fs.FileMode) error {
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return ErrChanged // it was none a moment ago
	case mode&fs.ModeNamedPipe != 0:
		return errors.New("this is a pipe, whose size is not known; only regular files can be composed")
	case mode&fs.ModeDevice != 0:
		return errors.New("this is a device; only regular files can be composed")
	case mode&fs.ModeSocket != 0:
		return errors.New("this is a socket; only regular files can be composed")
	default:
		return errors.New("this is no regular file; only those can be composed")
	}
}

func (c *content) size() int64 { return c.before.Size() }

func (c *content) describe(*orch.File) {}

func (c *content) close() { _ = c.file.Close() }

// read fills p with the bytes that follow.
func (c *content) read(p []byte) error {
	_, err := io.ReadFull(c.file, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrChanged
	}
	return err
}

// unchanged is asked when size bytes have been read. It expects the end there,
// and the file as it was found, open and by its path.
func (c *content) unchanged(context.Context) error {
	switch n, err := c.file.Read(make([]byte, 1)); {
	case n > 0:
		return ErrChanged
	case err != nil && !errors.Is(err, io.EOF):
		return err
	}
	open, err := c.file.Stat()
	if err != nil {
		return err
	}
	found, err := os.Stat(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	} else if err != nil {
		return err
	}
	for _, after := range []fs.FileInfo{open, found} {
		if after.Size() != c.size() || !after.ModTime().Equal(c.before.ModTime()) || !os.SameFile(after, c.before) {
			return ErrChanged
		}
	}
	return nil
}
