package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"orchestra/member/store/disk"
)

func (s *Store) open(cfg Config) error {
	name := cfg.File.Name
	info, err := s.root.Lstat(name)
	switch {
	case err == nil:
		err := s.openWhole(name, info, cfg)
		var other *ContentError
		if !cfg.Replace || !errors.As(err, &other) {
			return err
		}
		s.closeFiles()
		s.replace = true
		return s.openPartial(cfg, name+Suffix)
	case errors.Is(err, fs.ErrNotExist):
		return s.openPartial(cfg, name+Suffix)
	}
	return diskError("look for", s.at(name), err)
}

// openWhole opens content that stands under its name. Where it may be written to or be moved
// aside, one part at least must be right before: only then it is this content.
func (s *Store) openWhole(name string, info fs.FileInfo, cfg Config) error {
	s.setName(name)
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := s.target()
		if err != nil {
			return err
		}
		info, s.linked = target, true
	}
	if !info.Mode().IsRegular() {
		return &ContentError{Path: s.Path(), Reason: errNotRegular.Error()}
	}
	if info.Size() != s.comp.Size && !cfg.Repair {
		return &ContentError{
			Path: s.Path(), Mend: "--repair uses what is right of it",
			Reason: fmt.Sprintf("it has %d bytes and the composition %d", info.Size(), s.comp.Size),
		}
	}
	if cfg.Repair && s.linked {
		return diskError("repair", s.Path(), errors.New("it is a symbolic link, and what it leads to "+
			"is not written to; join without --repair, or copy the file here in place of the link"))
	}
	s.writes = cfg.Repair
	f, err := s.openSingle(0, cfg.Repair)
	if err != nil {
		return diskError("open", s.Path(), err)
	}
	s.files.hold(f)
	s.restamp(0)
	if cfg.Repair {
		if err := s.lock(f); err != nil {
			return err
		}
	}
	if cfg.Repair || cfg.Replace {
		return s.anyGood()
	}
	return nil
}

// target is the regular file that a symbolic link in place of the content leads to, wherever it is.
func (s *Store) target() (fs.FileInfo, error) {
	info, err := s.disk.Stat(s.Path())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &ContentError{
			Path: s.Path(), Reason: "it is a symbolic link to something that is not there",
		}
	case err != nil:
		return nil, diskError("follow the symbolic link", s.Path(), err)
	case !info.Mode().IsRegular():
		return nil, &ContentError{
			Path: s.Path(), Reason: "it is a symbolic link to something that is not a regular file",
		}
	}
	return info, nil
}

// openSingle opens a single file that stands under its name.
func (s *Store) openSingle(int, bool) (disk.File, error) {
	if !s.linked {
		flag := os.O_RDONLY
		if s.repair {
			flag = os.O_RDWR
		}
		return openExact(s.root, *s.name.Load(), flag)
	}
	return openThrough(s.disk, s.Path())
}

// openPartial opens or makes the unfinished file.
func (s *Store) openPartial(cfg Config, name string) error {
	s.setName(name)
	s.partial, s.writes = true, true
	f, made, err := makeExact(s.root, name)
	switch {
	case errors.Is(err, errIsLink), errors.Is(err, errNotRegular):
		return &ContentError{Path: s.Path(), Reason: errNotRegular.Error(), Unfinished: true}
	case errors.Is(err, errSwapped), errors.Is(err, fs.ErrExist):
		return errMoved
	case err != nil:
		return diskError("open", s.Path(), err)
	}
	s.fresh = made
	s.files.hold(f)
	if err := s.lock(f); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return diskError("look at", s.Path(), err)
	}
	s.beginJournal()
	if err := s.recall(cfg, []stamp{stampOf(info)}); err != nil {
		return err
	}
	if err := s.ours(f); err != nil {
		return err
	}
	if err := s.checkSpace(f); err != nil {
		return err
	}
	if info.Size() != s.comp.Size { // else it would have another time for nothing
		if err := f.Truncate(s.comp.Size); err != nil {
			return diskError("make room in", s.Path(), err)
		}
	}
	s.restamp(0)
	return nil
}

// checkSpace tells at once what would come to light after hours: that the content does not fit.
// What the file occupies already is not needed again. Where the system does not tell, nothing is
// wrong.
func (s *Store) checkSpace(f disk.File) error {
	free, ok := f.Free()
	info, err := f.Stat()
	if !ok || err != nil {
		return nil
	}
	if need := s.comp.Size - s.holeBytes() - disk.Occupied(info); need > free {
		if s.fresh {
			s.root.Remove(*s.name.Load())
		}
		return diskError("make room in", s.dir, &SpaceError{need, free})
	}
	return nil
}

func (s *Store) lock(f disk.File) error {
	if err := f.Lock(); err != nil {
		if errors.Is(err, disk.ErrHeld) {
			return fmt.Errorf("%s: %w", s.Path(), ErrLocked)
		}
		return diskError("lock", s.Path(), err)
	}
	if same, err := named(s.root, *s.name.Load(), f); err != nil || !same {
		return errMoved
	}
	return nil
}

// finishFile makes a single file durable and gives it its name, if that is what is held open here.
// Called with moving held.
func (s *Store) finishFile() error {
	f, k, err := s.files.get(0, true)
	if err != nil {
		return diskError("open", s.Path(), err)
	}
	defer s.files.put(k)
	info, err := f.Stat()
	if err == nil && info.Size() > s.comp.Size { // all that belongs there was found right
		err = f.Truncate(s.comp.Size)
		s.restamp(0)
	}
	if err != nil {
		return diskError("shorten", s.Path(), err)
	}
	s.setFileTime()
	err = f.Sync()
	if s.kept(err, 0); err != nil {
		return diskError("write", s.Path(), err)
	}
	if !s.partial || s.named.Load() {
		return nil
	}
	if s.replace && *s.name.Load() != s.comp.Name {
		if err := s.moveAside(); err != nil {
			return err
		}
	}
	if err := s.nameFile(f); err != nil {
		return err
	}
	return s.syncNames(s.root, nil)
}

// nameFile renames the unfinished file, unless that was done before and what followed failed.
func (s *Store) nameFile(f disk.File) error {
	unfinished := s.comp.Name + Suffix
	if *s.name.Load() == unfinished {
		err := s.root.RenameNew(unfinished, s.comp.Name)
		if errors.Is(err, fs.ErrExist) {
			return &ContentError{
				Path: s.at(s.comp.Name), Reason: "it appeared meanwhile, and the complete content is " + s.Path(),
			}
		}
		if err != nil {
			return diskError("rename", s.Path(), err)
		}
		s.setName(s.comp.Name)
	}
	same, err := named(s.root, s.comp.Name, f)
	if err == nil && same {
		return nil
	}
	if err == nil {
		err = errSwapped
	}
	if s.root.RenameNew(s.comp.Name, unfinished) == nil { // it is another one's
		s.setName(unfinished)
	}
	return diskError("rename", s.at(unfinished), err)
}
