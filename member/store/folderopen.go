package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"orchestra/member/store/disk"
)

// openFolder opens NAME if it is there, and NAME.part if it is there or NAME is not. If both are,
// some of the files were chosen and are complete in NAME, and the rest is in NAME.part.
func (s *Store) openFolder(cfg Config) error {
	err := s.openBoth(cfg)
	if other := new(ContentError); cfg.Replace && errors.As(err, &other) && !other.Unfinished {
		s.closeFiles()
		s.folder = s.newFolder(cfg)
		s.replace = true
		err = s.openUnfinished(cfg)
	}
	if err == nil {
		s.beginSettling()
	}
	return err
}

func (s *Store) openBoth(cfg Config) error {
	s.folder = s.newFolder(cfg)
	f := s.folder
	if err := s.openUnderName(cfg); err != nil {
		return err
	}
	if f.whole == nil && cfg.ReadOnly {
		return diskError("open folder", s.Path(), fs.ErrNotExist)
	}
	if s.partial {
		if err := s.openUnfinished(cfg); err != nil {
			return err
		}
	}
	if f.whole == nil || !cfg.Repair && !cfg.Replace {
		return nil
	}
	if err := s.anyGood(); err != nil {
		return err
	}
	if cfg.Repair { // what is too long is cut at the end
		clear(f.wrong)
	}
	return nil
}

// openUnderName opens and surveys NAME. It is all there is unless NAME.part is there too.
func (s *Store) openUnderName(cfg Config) error {
	f, name := s.folder, s.comp.Name
	s.setName(name)
	var err error
	if f.whole, err = s.openRoot(name, false); err != nil || f.whole == nil {
		s.partial = f.whole == nil
		return err
	}
	switch _, err := s.root.Lstat(name + Suffix); {
	case cfg.ReadOnly || errors.Is(err, fs.ErrNotExist):
	case err != nil: // what was got before may be in it
		return diskError("look for", s.at(name+Suffix), err)
	default:
		s.partial = true
	}
	found, err := s.survey(f.whole, name, false)
	if err != nil {
		return err
	}
	f.extra = found.extra
	for i, size := range found.sizes {
		f.size += max(size, 0)
		f.under[i] = size >= 0 || !s.partial || f.linked[i]
		s.watch.stamps[i] = found.stamps[i]
		if f.under[i] && size != s.layout.entries[i].Size && cfg.Select.Has(i) {
			f.flaws = append(f.flaws, s.layout.entries[i].Path)
		}
		if e := s.layout.entries[i]; size > e.Size && e.Size > 0 {
			f.wrong[uint32((e.Offset+e.Size-1)/s.comp.PartSize)] = true
		}
	}
	if found.files == 0 && len(s.layout.entries) > 0 && (!s.partial || len(found.extra) > 0) {
		return &ContentError{Path: s.Path(), Reason: "none of its files is there"}
	}
	if cfg.Repair && !s.partial {
		s.writes = true
		return s.lockFolder(name)
	}
	return nil
}

// openUnfinished opens or makes NAME.part.
func (s *Store) openUnfinished(cfg Config) error {
	f, name := s.folder, s.comp.Name+Suffix
	s.setName(name)
	s.partial, s.writes = true, true
	if err := s.root.Mkdir(name, 0o777); err == nil {
		s.fresh = f.whole == nil
	} else if !errors.Is(err, fs.ErrExist) {
		return diskError("make folder", s.Path(), err)
	}
	var err error
	if f.unfinished, err = s.openRoot(name, true); err != nil {
		return err
	}
	if f.unfinished == nil {
		return errMoved
	}
	if err := s.lockFolder(name); err != nil {
		return err
	}
	found, err := s.survey(f.unfinished, name, true)
	if err == nil {
		for i, m := range found.stamps {
			if !f.under[i] {
				s.watch.stamps[i] = m
			}
		}
		s.beginJournal()
		err = s.recall(cfg, slices.Clone(s.watch.stamps))
	}
	if err == nil {
		err = s.oursFolder(found)
	}
	if err == nil {
		err = s.apart(f.unfinished)
	}
	if err == nil {
		err = s.checkFolderSpace(found.occupied, cfg.Select)
	}
	if err != nil && s.fresh {
		s.root.Remove(name)
	}
	return err
}

// openRoot opens a folder that stands in the store's; nil if nothing does. A symbolic link in place
// of NAME.part is not followed.
func (s *Store) openRoot(name string, unfinished bool) (disk.Root, error) {
	info, err := s.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, diskError("look for", s.at(name), err)
	}
	if info.Mode()&fs.ModeSymlink != 0 && !unfinished {
		if target, err := s.root.Stat(name); err == nil {
			info = target
		}
	}
	if !info.IsDir() {
		return nil, &ContentError{Path: s.at(name), Reason: "it is not a folder", Unfinished: unfinished}
	}
	root, err := s.root.OpenRoot(name)
	if err != nil {
		return nil, diskError("open folder", s.at(name), err)
	}
	return root, nil
}

func (s *Store) lockFolder(name string) error {
	var err error
	if s.folder.lock, err = s.root.OpenLock(name); err != nil {
		if errors.Is(err, disk.ErrHeld) {
			return fmt.Errorf("%s: %w", s.at(name), ErrLocked)
		}
		return diskError("lock", s.at(name), err)
	}
	return s.lockFolderHere(name)
}

// lockFolderHere tells whether the folder that is locked is still the one of that name. Where the
// lock is a file beside it, it goes with that file.
func (s *Store) lockFolderHere(name string) error {
	if !disk.RenamesOpen {
		return nil
	}
	locked, err := s.folder.lock.Stat()
	if err != nil {
		return diskError("look at", s.at(name), err)
	}
	if named, err := s.root.Stat(name); err != nil || !os.SameFile(locked, named) {
		return errMoved
	}
	return nil
}

func (s *Store) checkFolderSpace(occupied int64, chosen *Selection) error {
	dir, err := s.root.Open(".")
	if err != nil {
		return nil
	}
	defer dir.Close()
	free, ok := dir.Free()
	if !ok {
		return nil
	}
	var need int64
	for i, e := range s.layout.entries {
		if chosen.Has(i) && !s.folder.under[i] {
			need += e.Size
		}
	}
	if need -= occupied + s.holeBytes(); need > free {
		return diskError("make room in", s.dir, &SpaceError{need, free})
	}
	return nil
}
