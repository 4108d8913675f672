package store

import (
	"context"
	"fmt"
	"sync/atomic"

	"orchestra/member/store/disk"
)

// ours sees that an unfinished file is one of this composition before anything is written to it.
// It is if nothing was ever written to it, if its journal is believed, or if one of its parts is
// right. If it was left before the first part came in full it has the composition's size, which it
// was given at its start, and no part of it is written in full.
func (s *Store) ours(f disk.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return diskError("look at", s.Path(), err)
	case info.Size() > s.comp.Size:
		return s.foreign(fmt.Sprintf("it has %d bytes and the composition only %d",
			info.Size(), s.comp.Size))
	case s.fresh || s.believedCount > 0 || f.Hole(0, info.Size()) || info.Size() == 0:
		return nil
	}
	good, full, err := s.anyRight(func(uint32) bool { return true })
	switch {
	case err != nil:
		return err
	case !good && s.unread() != nil:
		return s.unread()
	case !good && (full || info.Size() != s.comp.Size):
		return s.foreign("none of its parts is right")
	}
	return nil
}

func (s *Store) foreign(reason string) error {
	return &ContentError{Path: s.Path(), Reason: reason, Unfinished: true}
}

// oursFolder does so with the unfinished folder. There, files of the composition that are there
// count.
func (s *Store) oursFolder(found *found) error {
	if found.occupied == 0 || s.believedCount > 0 {
		return nil
	}
	good, full, err := s.anyRight(func(part uint32) bool {
		there := false
		s.eachFile(part, func(file int) bool {
			there = found.sizes[file] > 0 && !s.folder.under[file]
			return !there
		})
		return there
	})
	switch {
	case err != nil || good:
	case s.unread() != nil:
		err = s.unread()
	case full:
		err = s.foreign("none of the parts of its files is right")
	}
	return err
}

// anyGood sees that one of the parts is right that have something of what stands under the name, if
// there are any: only then it is this content.
func (s *Store) anyGood() error {
	var looked atomic.Bool
	good, _, err := s.anyRight(func(part uint32) bool {
		touches := s.touchesName(part)
		if touches {
			looked.Store(true)
		}
		return touches
	})
	if err != nil || good || !looked.Load() {
		return err
	}
	if err := s.unread(); err != nil {
		return err
	}
	return &ContentError{Path: s.at(s.comp.Name), Reason: "none of its parts is right"}
}

// touchesName reports whether a part has something of a file that stands under its name.
func (s *Store) touchesName(part uint32) bool {
	touches := s.folder == nil
	s.eachFile(part, func(file int) bool {
		touches = touches || s.folder.under[file]
		return !touches
	})
	return touches
}

// eachFile calls do for each file that has something of a part, until it says no.
func (s *Store) eachFile(part uint32, do func(file int) bool) {
	length := s.comp.PartLen(int(part))
	s.layout.each(s.offset(part), length, func(file int, _, _ int64) bool { return do(file) })
}

// anyRight reports whether one of some parts is right on disk, and if none is, whether one is
// written in full and wrong.
func (s *Store) anyRight(some func(part uint32) bool) (good, full bool, err error) {
	ctx, found := context.WithCancel(context.Background())
	defer found()
	var right, wrong atomic.Bool
	// many a file has zeros
	telling := func(part uint32) bool { return !s.zeros.has(part) && some(part) }
	err = s.check(ctx, telling, func(part uint32, good bool) {
		switch {
		case good:
			right.Store(true)
			found()
		case !wrong.Load() && s.full(part):
			wrong.Store(true)
		}
	})
	if right.Load() {
		return true, false, nil
	}
	return false, wrong.Load(), err
}

// A page of a file reaches the disk as a whole or not at all. One that is all zeros was not
// written, or was lost in a power cut. What a part has of a page may be zeros by chance if it is
// very little.
const (
	blankPage  = 4 << 10
	blankLeast = 64
)

// full reports whether something was written to all of a part.
func (s *Store) full(part uint32) bool {
	full := true
	buf := make([]byte, blankPage)
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, at, n int64) bool {
		from := s.layout.entries[file].Offset
		for end := at + n; full && at < end; {
			p := buf[:min(blankPage-at%blankPage, end-at)]
			full = s.ReadAt(p, from+at) == nil && (len(p) < blankLeast || !allZero(p))
			at += int64(len(p))
		}
		return full
	})
	return full
}

func allZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}
