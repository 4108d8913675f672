package store

import (
	"errors"
	"slices"
)

// mostUnreadable is of how many files it is told why they cannot be read.
const mostUnreadable = 10

// cannotRead notes why a part cannot be read, unless a file of a folder is missing or short, of
// which the survey tells.
func (s *Store) cannotRead(err error) {
	disk := (*Error)(nil)
	if s.folder != nil && IsMissing(err) || !errors.As(err, &disk) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := slices.ContainsFunc(s.unreadable, func(e *Error) bool { return e.Path == disk.Path })
	if !known && len(s.unreadable) < mostUnreadable {
		s.unreadable = append(s.unreadable, disk)
	}
}

// unread is why a file could not be read that was checked and is all there; nil: all could.
func (s *Store) unread() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, err := range s.unreadable {
		if !IsMissing(err) {
			return err
		}
	}
	return nil
}

// Unreadable returns why files could not be read that were checked, the first error of each.
func (s *Store) Unreadable() []*Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unreadable)
}
