package store

import (
	"path"

	"orchestra/member/store/disk"
)

// What is complete is told only when it outlasts a power cut: first the content is made durable,
// then the name that it gets.

// few is up to how many files are made durable one by one, rather than with all that the file
// system has to write.
const few = 16

// syncFiles makes files of the content durable.
func (s *Store) syncFiles(files []int) error {
	if len(files) > few {
		if done, err := s.syncSystem(); done || err != nil {
			return err
		}
	}
	for _, i := range files {
		f, k, err := s.files.get(i, true)
		if err != nil {
			return diskError("open", s.pathOf(i), err)
		}
		err = f.Sync()
		s.files.put(k)
		if err != nil {
			return diskError("write", s.pathOf(i), err)
		}
	}
	return nil
}

// syncSystem makes all durable that was written where the content is, if that can be done at once.
func (s *Store) syncSystem() (done bool, err error) {
	dir, err := s.root.Open(".")
	if err != nil {
		return false, diskError("open folder", s.dir, err)
	}
	defer dir.Close()
	if !dir.SyncsAll() {
		return false, nil
	}
	if err := dir.SyncAll(); err != nil {
		return false, diskError("write", s.Path(), err)
	}
	return true, nil
}

// syncNames makes the names in folders below a root durable, and in those on the way to them.
func (s *Store) syncNames(root disk.Root, folders []string) error {
	if len(folders) > few {
		if done, err := s.syncSystem(); done || err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, p := range append(folders, ".") {
		for ; !seen[p]; p = path.Dir(p) {
			seen[p] = true
			if err := syncNamesIn(root, p); err != nil {
				return diskError("write folder", root.Name(), err)
			}
		}
	}
	return nil
}

func syncNamesIn(root disk.Root, folder string) error {
	dir, err := root.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.SyncNames()
}

// tellsAtOnce reports whether a file system tells what a file is like without writing anything to a
// server before.
func tellsAtOnce(root disk.Root) bool {
	dir, err := root.Open(".")
	if err != nil {
		return false
	}
	defer dir.Close()
	return dir.SyncsAll()
}
