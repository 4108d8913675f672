package store

import (
	"bytes"
)

// Recheck compares a part with what is on disk now, whatever was found before. A part that is not
// right, or cannot be read, may be written anew from then on. It waits for the disk.
func (s *Store) Recheck(part uint32) (good bool, err error) {
	if good, err = s.reread(part); good {
		return true, nil
	}
	s.moving.Lock() // a file that is being moved is kept or not, once that is over
	defer s.moving.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unverify(part)
	return false, err
}

// reread reads a part, while nobody writes to it, and notes that it is verified if it is right.
func (s *Store) reread(part uint32) (bool, error) {
	fresh := &intake{hash: s.comp.Hash().New()}
	in := fresh
	if !s.Keeps(part) {
		in = s.intake(part)
		in.mu.Lock()
		defer in.mu.Unlock()
	}
	err := s.hashOn(fresh, part)
	right := err == nil && bytes.Equal(fresh.hash.Sum(nil), s.comp.PartSum(int(part)))
	if right {
		err = s.rewrite(part)
		right = err == nil
	}
	if !right && !s.clear(part) {
		return false, err
	}
	s.close(part, in)
	return true, nil
}

// unverify notes that a part may not be right on disk: it is taken in again, and its files wait
// for it if they do not have their names yet. It reports whether the part was verified. Called
// with moving and mu held.
func (s *Store) unverify(part uint32) bool {
	if !s.verified.has(part) {
		return false
	}
	s.verified.clear(part)
	s.journal.lostOne()
	st := s.settling
	if st == nil {
		return true
	}
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, _, _ int64) bool {
		if s.selection.Has(file) && !s.folder.under[file] {
			st.left[file]++
			delete(st.ready, file)
		}
		return true
	})
	return true
}

// Where is where the file is that has these parts, for people; the whole content if several have.
func (s *Store) Where(parts []int) string {
	first, several := -1, false
	for _, part := range parts {
		length := s.comp.PartLen(part)
		s.layout.each(s.offset(uint32(part)), length, func(file int, _, _ int64) bool {
			if first < 0 {
				first = file
			}
			several = several || file != first
			return !several
		})
	}
	if first < 0 || several {
		return s.Path()
	}
	return s.pathOf(first)
}
