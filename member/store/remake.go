package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"orchestra/member/store/disk"
)

// remaking is the new file that an unfinished one is copied to while more is written to it. The
// turn of the file guards it.
type remaking struct {
	to   disk.File
	upto int64 // the copy is complete up to here
}

// lookAtPart sees whether the unfinished file still is the one that is held open. Called with
// moving held.
func (s *Store) lookAtPart() error {
	f := s.files.single()
	same, err := named(s.root, *s.name.Load(), f)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.remake()
	case err != nil:
		return diskError("look at", s.Path(), err)
	case !same:
		return diskError("go on with", s.Path(), errSwapped)
	}
	info, err := f.Stat()
	if err != nil {
		return diskError("look at", s.Path(), err)
	}
	if info.Size() == s.comp.Size {
		return nil
	}
	s.glance().lookAt(0)
	if err := f.Truncate(s.comp.Size); err != nil {
		return diskError("make room in", s.Path(), err)
	}
	s.restamp(0)
	return nil
}

// remake gives the unfinished file its name again, which was removed. If nothing but this process
// has the file any more, it is copied.
func (s *Store) remake() error {
	was, name := s.files.single(), *s.name.Load()
	if err := s.root.Relink(was, name); err == nil {
		s.report(Change{Path: s.Path(), What: "was moved or renamed; the file has this name again"})
		return nil
	}
	to, err := s.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return diskError("make again", s.Path(), fmt.Errorf("it was removed: %w", bare(err)))
	}
	lost, err := s.copyTo(to, was)
	if err != nil {
		to.Close()
		_ = s.root.Remove(name)
		return diskError("make again", s.Path(), fmt.Errorf("it was removed: %w", bare(err)))
	}
	c := Change{Path: s.Path(), What: "was removed; what came before was kept and is in a new file"}
	for _, part := range lost {
		if s.takeBack(part) {
			c.Parts = append(c.Parts, part)
		}
	}
	s.report(c)
	return nil
}

// copyTo makes a new file that is like the old one and takes its place, while more is written. It
// returns the parts that cannot be read.
func (s *Store) copyTo(to, was disk.File) (lost []uint32, err error) {
	if err := to.Lock(); err != nil {
		return nil, err
	}
	if err := to.Truncate(s.comp.Size); err != nil {
		return nil, err
	}
	turn := s.turn(0)
	turn.Lock()
	defer turn.Unlock()
	r := &remaking{to: to}
	s.remaking = r
	defer func() { s.remaking = nil }()
	buf := blocks.Get().(*block)
	defer blocks.Put(buf)
	for r.upto < s.comp.Size {
		p := buf[:min(blockBytes, s.comp.Size-r.upto)]
		if !was.Hole(r.upto, int64(len(p))) {
			if _, err := was.ReadAt(p, r.upto); err != nil {
				for part := r.upto / s.comp.PartSize; part*s.comp.PartSize < r.upto+int64(len(p)); part++ {
					lost = append(lost, uint32(part))
				}
			} else if _, err := to.WriteAt(p, r.upto); err != nil {
				return nil, err
			}
		}
		r.upto += int64(len(p))
		turn.Unlock() // who waits to write goes first
		turn.Lock()
	}
	s.files.hold(to)
	s.restamp(0)
	return lost, nil
}

// write writes what lies in the copy already.
func (r *remaking) write(p []byte, at int64) error {
	if at >= r.upto {
		return nil
	}
	_, err := r.to.WriteAt(p[:min(int64(len(p)), r.upto-at)], at)
	return err
}
