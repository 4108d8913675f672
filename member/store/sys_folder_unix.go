//go:build linux || darwin

package store

import "os"

// renamesOpen tells that a folder may be renamed while it is open.
const renamesOpen = true

// openLock opens a folder and takes its lock.
func openLock(root *os.Root, _, name string) (*os.File, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lockFolderHere tells whether the folder that is locked is still the one of that name.
func (s *Store) lockFolderHere(name string) error {
	locked, err := s.folder.lock.Stat()
	if err != nil {
		return diskError("look at", s.at(name), err)
	}
	if named, err := s.root.Stat(name); err != nil || !os.SameFile(locked, named) {
		return errMoved
	}
	return nil
}
