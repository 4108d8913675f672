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
	// describe gives f the lines for what is in a folder, and for times.
	describe(f *orch.File)
	// read fills p with the bytes that follow.
	read(p []byte) error
	// hole tells how many of the bytes that follow, up to most, are zeros that
	// need not be read. They are passed over with skip.
	hole(most int64) (int64, error)
	skip(n int64) error
	// unchanged is asked when all was read, and says what is not as it was.
	unchanged(ctx context.Context) error
	close()
}

// openSource opens what cfg says.
func openSource(ctx context.Context, cfg Config) (source, error) {
	if cfg.Stream != nil {
		return &streamed{cfg.Stream, !cfg.NoTimes}, nil
	}
	info, err := os.Stat(cfg.Path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return openContent(cfg.Path, !cfg.NoTimes)
	}
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	return openFolder(ctx, cfg)
}

// content is the file that is read. It is not locked: what keeps the result
// true is that it must look the same before and after.
type content struct {
	path   string
	file   *os.File
	before fs.FileInfo
	times  bool
	at     int64 // where to read next
	holes  holes
}

// openContent opens the regular file at path. It looks before it opens, as
// opening a pipe waits for a writer.
func openContent(path string, times bool) (*content, error) {
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
	c := &content{path: path, file: file, times: times}
	if c.before, err = file.Stat(); err == nil {
		if err = checkKind(c.before.Mode()); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		c.close()
		return nil, err
	}
	c.holes = findHoles(file, c.size())
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

func (c *content) describe(f *orch.File) {
	if c.times {
		f.SetModTime(c.before.ModTime())
	}
}

func (c *content) close() { _ = c.file.Close() }

// read fills p with the bytes that follow.
func (c *content) read(p []byte) error {
	n, err := c.file.ReadAt(p, c.at)
	c.at += int64(n)
	switch {
	case n == len(p):
		return nil
	case errors.Is(err, io.EOF):
		return ErrChanged
	}
	return err
}

func (c *content) hole(most int64) (int64, error) {
	return c.holes.at(c.at, min(most, c.size()-c.at)), nil
}

func (c *content) skip(n int64) error {
	c.at += n
	return nil
}

// unchanged is asked when size bytes have been read. It expects the end there,
// and the file as it was found, open and by its path.
func (c *content) unchanged(context.Context) error {
	switch n, err := c.file.ReadAt(make([]byte, 1), c.size()); {
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
