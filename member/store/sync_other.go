//go:build !linux

package store

import "os"

// syncFolder makes the files that were chosen durable one by one.
func syncFolder(s *Store, _ *os.Root) error {
	for i := range s.layout.entries {
		if !s.selection.Has(i) || s.keeps(i) {
			continue
		}
		f, k, err := s.files.get(i, true)
		if err != nil {
			return err
		}
		err = f.Sync()
		s.files.put(k)
		if err != nil {
			return err
		}
	}
	return nil
}
