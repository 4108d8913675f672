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
// them is open.
type folder struct {
	place *place
	links Links
	tree  *tree
	times bool
	next  int // in tree.files
	file  *os.File
	at    int64 // where to read next in file
	holes holes
	total int64
}

// fewFolders is how many there may be without asking whether an .orch file can
// have them: it can have more for each file, and its paths can be no deeper.
const fewFolders = 32 << 10

// openFolder looks through the folder. What it leaves out, and what others may
// have trouble with, it says to cfg.Warn.
func openFolder(ctx context.Context, cfg Config) (*folder, error) {
	p, err := openPlace(cfg.Path, cfg.Links)
	if err != nil {
		return nil, err
	}
	c := &folder{place: p, links: cfg.Links, times: !cfg.NoTimes}
	if c.tree, err = survey(ctx, p, cfg.Links, cfg.Warn); err == nil {
		err = c.tree.total(&c.total)
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("%s: %w", cfg.Path, err)
	}
	c.tree.warnShared(p.follow, cfg.Warn)
	if most := orch.MaxLines - len(cfg.Conductors) - 1; c.times && c.tree.lines() > most {
		cfg.Warn("there are too many files for an .orch file with their times; the times are left out")
		c.times = false
	}
	if c.tree.folders > fewFolders {
		f := &orch.File{Size: c.total}
		c.describe(f)
		if err := f.CheckLines(); err != nil {
			c.close()
			return nil, fmt.Errorf("%s: %w; compose an archive of the folder", cfg.Path, err)
		}
	}
	return c, nil
}

// total sums the sizes up. It refuses a folder of which nothing is left.
func (t *tree) total(sum *int64) error {
	switch {
	case len(t.files)+len(t.empty) > 0:
	case len(t.links) > 0:
		return errors.New("there are only symbolic links in it, so there is nothing to share; " +
			"put something into it, or try --links follow")
	default:
		return errors.New("there is no file and no folder in it, so there is nothing to share; " +
			"put something into it, or compose the folder it lies in")
	}
	for _, file := range t.files {
		if *sum += file.info.Size(); *sum < 0 {
			return errors.New("the files are larger together than 64 bits hold")
		}
	}
	return nil
}

// lines is how many lines there are with times.
func (t *tree) lines() int {
	n := 2*len(t.files) + len(t.empty) + len(t.links)
	for _, file := range t.files {
		if file.info.Mode()&0o111 != 0 {
			n++
		}
	}
	return n
}

func (c *folder) size() int64 { return c.total }

func (c *folder) close() {
	if c.file != nil {
		_ = c.file.Close()
	}
	_ = c.place.root.Close()
}

// describe gives f the lines for what is in the folder.
func (c *folder) describe(f *orch.File) {
	entries := make([]orch.Entry, 0, len(c.tree.files))
	for _, file := range c.tree.files {
		e := orch.Entry{Path: file.path, Size: file.info.Size(), Exec: file.info.Mode()&0o111 != 0}
		if c.times {
			e.ModTime = file.info.ModTime()
		}
		entries = append(entries, e)
	}
	f.AddFolder(entries, c.tree.empty, c.tree.links)
}

// read fills p with the bytes that follow, over the ends of files.
func (c *folder) read(p []byte) error {
	for len(p) > 0 {
		if err := c.open(); err != nil {
			return err
		}
		n, err := c.file.ReadAt(p[:min(int64(len(p)), c.left())], c.at)
		if err != nil && !errors.Is(err, io.EOF) {
			return c.changed(err)
		}
		if n == 0 {
			return c.changed(ErrChanged)
		}
		p = p[n:]
		if err := c.skip(int64(n)); err != nil {
			return err
		}
	}
	return nil
}

// left is how many bytes of the file are to be read.
func (c *folder) left() int64 { return c.tree.files[c.next].info.Size() - c.at }

func (c *folder) hole(most int64) (int64, error) {
	if err := c.open(); err != nil {
		return 0, err
	}
	return c.holes.at(c.at, min(most, c.left())), nil
}

func (c *folder) skip(n int64) error {
	if c.at += n; c.left() == 0 {
		return c.finish()
	}
	return nil
}

// open opens the next file that has bytes, if none is open.
func (c *folder) open() error {
	if c.file != nil {
		return nil
	}
	for c.next < len(c.tree.files) && c.tree.files[c.next].info.Size() == 0 {
		c.next++
	}
	if c.next == len(c.tree.files) {
		return ErrChanged
	}
	found := &c.tree.files[c.next]
	file, err := c.place.open(found.path)
	if err != nil {
		return c.changed(err)
	}
	c.file, c.at = file, 0
	c.holes = findHoles(file, found.info.Size())
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
	now, err := survey(ctx, c.place, c.links, func(string) {})
	if err != nil {
		return err
	}
	return c.tree.compare(now)
}

// same reports whether two looks at a file found the same.
func same(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.Mode() == b.Mode() &&
		a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// bare leaves the name of the call and its path out of err: the path is in
// front of it already.
func bare(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
