package store

import "errors"

// Free returns how many bytes this user may still write where the content is, if the system tells.
func (s *Store) Free() (bytes int64, ok bool) {
	dir, err := s.root.Open(".")
	if err != nil {
		return 0, false
	}
	defer dir.Close()
	return dir.Free()
}

// Beside returns the first and the last of the parts that may be in the same case as one that could
// not be written or read: those of the file that could not be.
func (s *Store) Beside(part uint32, err error) (first, last uint32) {
	first, last = part, part
	var failed *Error
	if !errors.As(err, &failed) {
		return first, last
	}
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, _, _ int64) bool {
		if s.pathOf(file) != failed.Path {
			return true
		}
		first, last = part, part
		s.layout.eachPart(file, s.comp.PartSize, func(part uint32) { first, last = min(first, part), max(last, part) })
		return false
	})
	return first, last
}

// Dir is the folder that the content is in.
func (s *Store) Dir() string { return s.dir }
