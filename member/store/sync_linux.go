package store

import "golang.org/x/sys/unix"

// syncFolder makes all that was written durable, in one call whatever the number of files.
func syncFolder(s *Store, _ []int) error {
	dir, err := s.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Syncfs(int(dir.Fd()))
}
