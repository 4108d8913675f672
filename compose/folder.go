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

// folder is the files of a folder, read one after the other. At most one of
// them is open, and none is reached but through root, so that a symbolic link
// planted in the folder leads nowhere.
type folder struct {
	root  *os.Root
	tree  *tree
	next  int // in tree.files
	file  *os.File
	left  int64 // bytes of file
	total int64
}

// openFolder looks through the folder at path. What it leaves out, and what
// others may have trouble with, it says to warn.
func openFolder(ctx context.Context, path string, warn func(string)) (*folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	c := &folder{root: root}
	if c.tree, err = survey(ctx, root, warn); err == nil && len(c.tree.files)+len(c.tree.empty) == 0 {
		err = errors.New("there is no file and no folder in it, so there is nothing to share; put something into it, or compose the folder it lies in")
	}
	for i := 0; err == nil && i < len(c.tree.files); i++ {
		if c.total += c.tree.files[i].info.Size(); c.total < 0 {
			err = errors.New("the files are larger together than 64 bits hold")
		}
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *folder) size() int64 { return c.total }

func (c *folder) close() {
	if c.file != nil {
		_ = c.file.Close()
	}
	_ = c.root.Close()
}

// describe gives f the lines for what is in the folder.
func (c *folder) describe(f *orch.File) {
	entries := make([]orch.Entry, 0, len(c.tree.files))
	for _, file := range c.tree.files {
		entries = append(entries, orch.Entry{
			Path: file.path, Size: file.info.Size(), Exec: file.info.Mode()&0o111 != 0,
		})
	}
	f.AddFolder(entries, c.tree.empty)
}

// read fills p with the bytes that follow, over the ends of files.
func (c *folder) read(p []byte) error {
	for len(p) > 0 {
		if c.file == nil {
			if err := c.open(); err != nil {
				return err
			}
		}
		n := min(int64(len(p)), c.left)
		if _, err := io.ReadFull(c.file, p[:n]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return c.changed(ErrChanged)
		} else if err != nil {
			return c.changed(err)
		}
		p, c.left = p[n:], c.left-n
		if c.left == 0 {
			if err := c.finish(); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens the next file that has bytes.
func (c *folder) open() error {
	for c.next < len(c.tree.files) && c.tree.files[c.next].info.Size() == 0 {
		c.next++
	}
	if c.next == len(c.tree.files) {
		return ErrChanged
	}
	found := &c.tree.files[c.next]
	file, err := c.root.Open(found.path)
	if err != nil {
		return c.changed(err)
	}
	c.file, c.left = file, found.info.Size()
	info, err := file.Stat()
	if err == nil && !same(info, found.info) {
		err = ErrChanged
	}
	if err != nil {
		return c.changed(err)
	}
	return nil
}

// finish is asked when a file was read: it must end there, and be as found.
func (c *folder) finish() error {
	info, err := c.file.Stat()
	if err == nil && !same(info, c.tree.files[c.next].info) {
		err = ErrChanged
	}
	if err != nil {
		return c.changed(err)
	}
	_ = c.file.Close() // nothing was written
	c.file = nil
	c.next++
	return nil
}

// changed names the file that is being read. One that is gone has changed.
func (c *folder) changed(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrChanged
	}
	return fmt.Errorf("%s: %w", c.tree.files[c.next].path, bare(err))
}

// unchanged looks through the folder again, for what came, went, or was
// written to after it had been read.
func (c *folder) unchanged(ctx context.Context) error {
	now, err := survey(ctx, c.root, func(string) {})
	if err != nil {
		return err
	}
	return c.tree.compare(now)
}

// same reports whether two looks at a file found the same.
func same(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.Mode() == b.Mode() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// bare leaves the name of the call and its path out of err: the path is in
// front of it already.
func bare(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
