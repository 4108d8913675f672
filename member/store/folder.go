package store

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
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
		// its folder is made for its first file
		if errors.Is(err, fs.ErrNotExist) && strings.Contains(p, "/") {
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
