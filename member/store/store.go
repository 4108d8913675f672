// Package store is the content of a composition on disk: opened or made, checked, read, written part by part, and given its name when
// it is complete. All access stays inside one folder (os.Root). It decides nothing about the swarm and knows no peers.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"orchestra/orch"
)

// Suffix is added to the name of content that is not complete.
const Suffix = ".part"

// Config says where the content is and what may be done to content that is there already.
type Config struct {
	File *orch.File
	Dir  string // made if missing; "" is the current folder
	// Repair lets bad parts of content that stands under its name be replaced in place.
	Repair bool
	// Replace gets the content although something else stands under its name, which Finish moves aside.
	Replace bool
	// ReadOnly opens a folder only if it stands under its name, and makes nothing.
	ReadOnly bool
	// Select chooses files of a folder; nil: all of them.
	Select *Selection
}

// Store is the content of one composition in one folder. Its methods may be called from several goroutines at a time, Finish and
// Close apart.
type Store struct {
	comp      *orch.File
	root      *os.Root
	dir       string
	layout    layout
	files     files
	folder    *folder // nil: the content is a single file
	selection *Selection
	name      atomic.Pointer[string] // in the folder; ends in Suffix while incomplete
	partial   bool
	fresh     bool
	writes    bool
	repair    bool        // what has its name may be written to
	named     atomic.Bool // Finish gave it its name
	replace   bool        // what stands under the name is moved aside at the end
	aside     string      // where to; empty until then

	mu       sync.Mutex
	intakes  map[uint32]*intake // parts that were begun and not verified
	verified []byte             // one bit a part
	settling *settling          // nil: no file gets its name before Finish

	writing sync.Mutex // held while a single file is written to
	moving  sync.Mutex // held while files get their names
}

// Open opens the content under its name if it is there, its unfinished file otherwise, and makes that if there is neither. Errors:
// *[Error] for the disk, [ErrLocked], *[ContentError].
func Open(cfg Config) (*Store, error) {
	dir := cfg.Dir
	if dir == "" {
		dir = "."
	}
	if !cfg.ReadOnly {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, diskError("make folder", dir, err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, diskError("open folder", dir, err)
	}
	for {
		s := &Store{comp: cfg.File, root: root, dir: dir, intakes: map[uint32]*intake{}, verified: make([]byte, (cfg.File.NumParts()+7)/8), layout: newLayout(cfg.File), selection: cfg.Select, repair: cfg.Repair}
		s.files.begin()
		var err error
		if cfg.File.IsFolder() {
			err = s.openFolder(cfg)
		} else {
			err = s.open(cfg)
		}
		if err == nil {
			return s, nil
		}
		s.closeFiles()
		if !errors.Is(err, errMoved) {
			root.Close()
			return nil, err
		}
	}
}

// errMoved tells that the file has another name, or none, since it was opened: who held its lock has completed it.
var errMoved = errors.New("it was renamed or removed meanwhile")

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
		return s.openPartial(name + Suffix)
	case errors.Is(err, fs.ErrNotExist):
		return s.openPartial(name + Suffix)
	}
	return diskError("look for", s.at(name), err)
}

// openWhole opens content that stands under its name. Where it may be written to or be moved aside, one part at least must be right
// before: only then it is this content.
func (s *Store) openWhole(name string, info fs.FileInfo, cfg Config) error {
	s.setName(name)
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err := s.root.Stat(name); err == nil {
			info = target
		}
	}
	if !info.Mode().IsRegular() {
		return &ContentError{Path: s.Path(), Reason: "it is not a regular file"}
	}
	if info.Size() != s.comp.Size {
		return &ContentError{Path: s.Path(), Reason: fmt.Sprintf("it has %d bytes and the composition %d", info.Size(), s.comp.Size)}
	}
	flag := os.O_RDONLY
	if cfg.Repair {
		flag, s.writes = os.O_RDWR, true
	}
	var err error
	if s.files.single, err = s.root.OpenFile(name, flag, 0); err != nil {
		return diskError("open", s.Path(), err)
	}
	if cfg.Repair {
		if err := s.lock(s.files.single); err != nil {
			return err
		}
	}
	if cfg.Repair || cfg.Replace {
		return s.anyGood()
	}
	return nil
}

// openPartial opens or makes the unfinished file.
func (s *Store) openPartial(name string) error {
	s.setName(name)
	s.partial, s.writes = true, true
	info, err := s.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.fresh = true
	case err != nil:
		return diskError("look for", s.Path(), err)
	case !info.Mode().IsRegular():
		return &ContentError{s.Path(), "it is not a regular file", true}
	case info.Size() > s.comp.Size:
		return &ContentError{s.Path(), fmt.Sprintf("it has %d bytes and the composition only %d", info.Size(), s.comp.Size), true}
	}
	if s.files.single, err = s.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return diskError("open", s.Path(), err)
	}
	if err := s.lock(s.files.single); err != nil {
		return err
	}
	if err := s.checkSpace(); err != nil {
		return err
	}
	if err := s.files.single.Truncate(s.comp.Size); err != nil {
		return diskError("make room in", s.Path(), err)
	}
	return nil
}

// checkSpace tells at once what would come to light after hours: that the content does not fit. What the file occupies already is not
// needed again. Where the system does not tell, nothing is wrong.
func (s *Store) checkSpace() error {
	free, ok := freeSpace(s.files.single)
	info, err := s.files.single.Stat()
	if !ok || err != nil {
		return nil
	}
	if need := s.comp.Size - occupied(info); need > free {
		if s.fresh {
			s.root.Remove(*s.name.Load())
		}
		return diskError("make room in", s.dir, &SpaceError{need, free})
	}
	return nil
}

func (s *Store) lock(f *os.File) error {
	if err := lockFile(f); err != nil {
		if errors.Is(err, errHeld) {
			return fmt.Errorf("%s: %w", s.Path(), ErrLocked)
		}
		return diskError("lock", s.Path(), err)
	}
	locked, err := f.Stat()
	if err != nil {
		return diskError("look at", s.Path(), err)
	}
	if named, err := s.root.Stat(*s.name.Load()); err != nil || !os.SameFile(locked, named) {
		return errMoved
	}
	return nil
}

// Path is where the content is now: the unfinished file until Finish.
func (s *Store) Path() string { return s.at(*s.name.Load()) }

func (s *Store) at(name string) string    { return filepath.Join(s.dir, name) }
func (s *Store) setName(name string)      { s.name.Store(&name) }
func (s *Store) offset(part uint32) int64 { return int64(part) * s.comp.PartSize }

// Partial tells whether the content did not stand under its name when it was opened.
func (s *Store) Partial() bool { return s.partial }

// Fresh tells whether Open made the file, so that there is nothing to check.
func (s *Store) Fresh() bool { return s.fresh }

// Writable tells whether parts may be written. Content under its name is left as it is unless it is to be repaired.
func (s *Store) Writable() bool { return s.writes }

// Finish makes content that is complete durable and gives it its name, without replacing anything.
// It may be called again, after parts were lost and came again.
func (s *Store) Finish() error {
	if !s.writes {
		return nil
	}
	finish := s.finishFile
	if s.folder != nil {
		finish = s.finishFolder
	}
	if err := finish(); err != nil {
		return err
	}
	s.named.Store(true)
	return nil
}

func (s *Store) finishFile() error {
	if err := s.files.single.Sync(); err != nil {
		return diskError("write", s.Path(), err)
	}
	if !s.partial || s.named.Load() {
		return nil
	}
	if s.replace {
		if err := s.moveAside(); err != nil {
			return err
		}
	}
	if err := rename(s.root, *s.name.Load(), s.comp.Name); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return &ContentError{Path: s.at(s.comp.Name), Reason: "it appeared meanwhile, and the complete content is " + s.Path()}
		}
		return diskError("rename", s.Path(), err)
	}
	s.setName(s.comp.Name)
	return nil
}

// Aside is where Finish moved what stood under the content's name; empty if nothing did.
func (s *Store) Aside() string { return s.aside }

// moveAside gives what stands under the composition's name the first free name of NAME.old, NAME.old2, ...
func (s *Store) moveAside() error {
	for n := 1; ; n++ {
		aside := s.comp.Name + ".old"
		if n > 1 {
			aside += strconv.Itoa(n)
		}
		err := rename(s.root, s.comp.Name, aside)
		switch {
		case err == nil:
			s.aside = s.at(aside)
			return nil
		case errors.Is(err, fs.ErrNotExist): // it went by itself
			return nil
		case !errors.Is(err, fs.ErrExist):
			return diskError("move aside", s.at(s.comp.Name), err)
		}
	}
}

// Close gives the lock and the files back.
func (s *Store) Close() error { return errors.Join(s.closeFiles(), s.root.Close()) }

func (s *Store) closeFiles() error {
	var err error
	if s.files.single != nil || s.folder != nil {
		err = s.files.close()
	}
	if s.folder != nil {
		err = errors.Join(err, s.folder.close())
	}
	return err
}
