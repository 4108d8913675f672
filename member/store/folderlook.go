package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"orchestra/member/store/disk"
)

// lookAtFolders sees whether NAME and NAME.part still are the folders that are held open. A NAME
// that was replaced is taken instead; its files are looked at like any. A NAME.part that was
// removed is made anew. Called with moving held.
func (s *Store) lookAtFolders() error {
	f := s.folder
	if f.whole != nil && s.elsewhere(f.whole, s.root.Stat, s.comp.Name) == errSwapped {
		if root, err := s.openRoot(s.comp.Name, false); err == nil && root != nil {
			s.swapRoot(&f.whole, root)
		}
	}
	if f.unfinished == nil || s.named.Load() {
		return nil
	}
	name := s.comp.Name + Suffix
	err := s.elsewhere(f.unfinished, s.root.Lstat, name)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return diskError("go on with", s.at(name), err)
	}
	if err := s.root.Mkdir(name, 0o777); err != nil {
		return diskError("make again", s.at(name), fmt.Errorf("it was removed: %w", bare(err)))
	}
	root, err := s.openRoot(name, true)
	if err != nil {
		return err
	}
	if root == nil {
		return diskError("open folder", s.at(name), fs.ErrNotExist)
	}
	s.swapRoot(&f.unfinished, root)
	f.lock.Close()
	if err := s.lockFolder(name); err != nil {
		return err
	}
	s.report(Change{Path: s.at(name), What: "was removed; it is made anew, and what was in it is fetched again"})
	g := s.glance()
	defer g.end()
	for i := range s.layout.entries {
		if !f.under[i] {
			g.lookAt(i)
		}
	}
	return nil
}

// elsewhere reports how a name does not lead to the folder that is held open; nil: it does.
func (s *Store) elsewhere(held disk.Root, stat func(string) (fs.FileInfo, error), name string) error {
	is, err := held.Stat(".")
	if err != nil {
		return err
	}
	there, err := stat(name)
	if err == nil && !os.SameFile(is, there) {
		err = errSwapped
	}
	return err
}

// swapRoot takes another folder in place of one that is held.
func (s *Store) swapRoot(held *disk.Root, root disk.Root) {
	s.folder.mu.Lock()
	defer s.folder.mu.Unlock()
	_ = s.files.while(nil, func() error {
		(*held).Close()
		*held = root
		return nil
	})
}
