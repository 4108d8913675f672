package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"orchestra/member/store/disk"
)

// folder is what a composition of several files has besides. Each of its files is either in
// NAME.part/ or in NAME/, where all are in the end.
type folder struct {
	repair bool
	// renamesOpen tells that a folder may be renamed while it is open.
	renamesOpen bool
	lock        disk.File
	paths       map[string]int // its files by path, and -1 for each folder on the way
	wrong       map[uint32]bool

	mu         sync.RWMutex    // guards the following, which Finish changes
	whole      disk.Root       // NAME; nil while there is none
	unfinished disk.Root       // NAME.part
	under      []bool          // by file: it is in NAME
	made       bool            // NAME was made here, file by file
	renamed    map[string]bool // folders in NAME in which files got names that are not durable yet

	linked []bool // by file: it is reached by a symbolic link in NAME, and left as it is

	size  int64    // bytes of its files in NAME
	flaws []string // what is not as it should be in NAME
	extra []string // what else is there
}

// isFolder is the path of a folder among those of files.
const isFolder = -1

func (s *Store) newFolder(cfg Config) *folder {
	f := &folder{
		repair: cfg.Repair, renamesOpen: disk.RenamesOpen, paths: map[string]int{}, wrong: map[uint32]bool{},
		renamed: map[string]bool{},
		under:   make([]bool, len(s.layout.entries)), linked: make([]bool, len(s.layout.entries)),
	}
	folders := func(p string) {
		for p = path.Dir(p); p != "."; p = path.Dir(p) {
			if _, ok := f.paths[p]; ok {
				return
			}
			f.paths[p] = isFolder
		}
	}
	for i, e := range s.layout.entries {
		f.paths[e.Path] = i
		folders(e.Path)
	}
	for _, p := range s.comp.Folders() {
		if _, ok := f.paths[p]; !ok {
			f.paths[p] = isFolder
			folders(p)
		}
	}
	for _, l := range s.comp.Links() {
		f.paths[l.Path] = isLink
		folders(l.Path)
	}
	s.files.open = f.openFile(s)
	return f
}

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

// cut shortens files under their names that are longer than they should be, once all that belongs
// there was found right.
func (s *Store) cut() error {
	f := s.folder
	if !f.repair {
		return nil
	}
	for i, e := range s.layout.entries {
		if !f.under[i] || f.linked[i] || s.watch.get(i).size <= e.Size {
			continue
		}
		file, k, err := s.files.get(i, true)
		if err == nil {
			err = file.Truncate(e.Size)
			s.files.put(k)
		}
		if err != nil {
			return diskError("shorten", s.pathOf(i), err)
		}
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
	for i := range s.layout.entries {
		if !f.under[i] {
			s.lookAt(i)
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

// rootOf is the folder in which one of the files is now. Called with mu held.
func (f *folder) rootOf(file int) (disk.Root, error) {
	root := f.unfinished
	if f.under[file] {
		root = f.whole
	}
	if root == nil { // it could not be opened again
		return nil, fs.ErrNotExist
	}
	return root, nil
}

// openFile opens one of the files where it is now, and not what a link in its place leads to.
func (f *folder) openFile(s *Store) func(int, bool) (disk.File, error) {
	return func(file int, write bool) (disk.File, error) {
		f.mu.RLock()
		defer f.mu.RUnlock()
		p := s.layout.entries[file].Path
		root, err := f.rootOf(file)
		switch {
		case err != nil:
			return nil, err
		case f.linked[file]:
			return openThrough(s.disk, s.at(filepath.Join(s.comp.Name, filepath.FromSlash(p))))
		case f.under[file] && !f.repair:
			return openExact(root, p, os.O_RDONLY)
		case !write:
			return openExact(root, p, os.O_RDWR)
		}
		opened, made, err := makeExact(root, p)
		if errors.Is(err, fs.ErrNotExist) && strings.Contains(p, "/") { // its folder is made for its first file
			if err := root.MkdirAll(path.Dir(p), 0o777); err != nil {
				return nil, err
			}
			opened, made, err = makeExact(root, p)
		}
		if made {
			if info, err := opened.Stat(); err == nil {
				s.watch.set(file, stampOf(info))
			}
		}
		return opened, err
	}
}

func (f *folder) pathOf(s *Store, file int) string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	name := s.comp.Name
	if !f.under[file] {
		name += Suffix
	}
	return s.at(filepath.Join(name, filepath.FromSlash(s.layout.entries[file].Path)))
}

// keeps tells whether a file is left as it is: it has its name already, and is not to be repaired.
func (s *Store) keeps(file int) bool {
	f := s.folder
	if f == nil || f.repair && !f.linked[file] {
		return false
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.under[file]
}

// Keeps tells whether a part is left as it is if it is bad, since some of it has its name already
// and is not to be repaired.
func (s *Store) Keeps(part uint32) bool {
	if !s.writes || s.named.Load() && !s.repair {
		return true
	}
	kept := false
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, _, _ int64) bool {
		kept = s.keeps(file)
		return !kept
	})
	return kept
}

// Flaws are the files of a folder that are missing under its name or have another size than they
// should.
func (s *Store) Flaws() []string {
	if s.folder == nil {
		return nil
	}
	return s.folder.flaws
}

// FolderSize is how many bytes of content the files of a folder had when it was opened under its
// name, with what pads.
func (s *Store) FolderSize() int64 { return s.folder.size + s.layout.padded() }

// Linked are the files of a folder that are reached by symbolic links. They are only read.
func (s *Store) Linked() (paths []string) {
	if s.folder == nil {
		return nil
	}
	for i, linked := range s.folder.linked {
		if linked {
			paths = append(paths, s.layout.entries[i].Path)
		}
	}
	return paths
}

// Extra is what else lies in a folder. It is left alone.
func (s *Store) Extra() []string {
	if s.folder == nil {
		return nil
	}
	return s.folder.extra
}

func (f *folder) close() error {
	var err error
	if f.lock != nil {
		err = f.lock.Close()
	}
	for _, root := range []disk.Root{f.whole, f.unfinished} {
		if root != nil {
			err = errors.Join(err, root.Close())
		}
	}
	return err
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
