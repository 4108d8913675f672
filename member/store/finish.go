package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// finishFolder makes the files that were chosen durable and gives them their names: the folder as a whole if all of it is complete and
// nothing stands under its name, else file by file.
func (s *Store) finishFolder() error {
	s.moving.Lock()
	defer s.moving.Unlock()
	f, chosen := s.folder, s.selection
	root := f.unfinished
	if root == nil {
		root = f.whole
	}
	if err := s.fill(root, chosen); err != nil {
		return err
	}
	if err := syncFolder(s, s.unkept()); err != nil {
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
	f.mu.Lock()
	defer f.mu.Unlock()
	return s.files.while(nil, func() error {
		if f.whole == nil && chosen.all() {
			return s.nameFolder()
		}
		return s.moveRest(chosen)
	})
}

// unkept are the chosen files that may have been written to.
func (s *Store) unkept() []int {
	var files []int
	for i := range s.layout.entries {
		if s.selection.Has(i) && !s.keeps(i) {
			files = append(files, i)
		}
	}
	return files
}

// fill makes what no part has anything of: empty files, empty folders, and the bit that lets a file be executed.
func (s *Store) fill(root *os.Root, chosen *Selection) error {
	f := s.folder
	for i, e := range s.layout.entries {
		if !chosen.Has(i) || f.under[i] && !f.repair {
			continue
		}
		if e.Size == 0 {
			if err := s.writeTo(i, nil, 0); err != nil {
				return err
			}
		}
		if e.Exec {
			if err := makeExecutable(root, e.Path, f.under[i], f.whole); err != nil {
				return diskError("make executable", s.pathOf(i), err)
			}
		}
	}
	for _, p := range s.comp.Folders() {
		if chosen.hasFolder(p) {
			if err := root.MkdirAll(p, 0o777); err != nil {
				return diskError("make folder", s.at(filepath.Join(s.comp.Name, filepath.FromSlash(p))), err)
			}
		}
	}
	return nil
}

// makeExecutable lets those execute a file who may read it.
func makeExecutable(root *os.Root, p string, under bool, whole *os.Root) error {
	if under {
		root = whole
	}
	info, err := root.Lstat(p)
	if err != nil {
		return err
	}
	mode := info.Mode().Perm()
	return root.Chmod(p, mode|mode&0o444>>2)
}

// nameFolder renames NAME.part to NAME. Windows renames no folder that is open.
func (s *Store) nameFolder() error {
	f := s.folder
	if renamesOpen {
		f.whole = f.unfinished
	} else {
		f.unfinished.Close()
		defer func() { f.whole, _ = s.root.OpenRoot(*s.name.Load()) }()
	}
	from := *s.name.Load()
	if err := rename(s.root, from, s.comp.Name); err != nil {
		if !renamesOpen {
			f.unfinished = nil
		} else {
			f.whole = nil
		}
		return s.notNamed(s.comp.Name, err)
	}
	f.unfinished = nil
	for i := range f.under {
		f.under[i] = true
	}
	s.setName(s.comp.Name)
	return nil
}

// moveRest moves the chosen files that are still in NAME.part into NAME, and removes NAME.part when nothing is left in it.
func (s *Store) moveRest(chosen *Selection) error {
	f := s.folder
	var rest []int
	for i := range s.layout.entries {
		if chosen.Has(i) && !f.under[i] {
			rest = append(rest, i)
		}
	}
	if err := s.moveFiles(rest); err != nil {
		return err
	}
	for _, p := range s.comp.Folders() {
		if chosen.hasFolder(p) {
			if err := f.whole.MkdirAll(p, 0o777); err != nil {
				return diskError("make folder", s.at(filepath.Join(s.comp.Name, p)), err)
			}
		}
	}
	if chosen.all() {
		s.removeFolders(f.unfinished)
		if !renamesOpen {
			f.unfinished.Close()
			f.unfinished = nil
		}
		_ = s.root.Remove(s.comp.Name + Suffix) // something else may lie in it: it stays then
	}
	s.setName(s.comp.Name)
	return nil
}

// removeFolders removes the composition's folders from NAME.part, the deepest first. Those that have something else in them stay.
func (s *Store) removeFolders(root *os.Root) {
	var all []string
	for p, file := range s.folder.paths {
		if file == isFolder {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	for _, p := range all {
		_ = root.Remove(p)
	}
}

// move gives a file of NAME.part the same path in NAME, if nothing has it.
func move(from, to, both *os.Root, name, p string) error {
	if _, err := to.Lstat(p); err == nil {
		return errAppeared
	}
	return both.Rename(filepath.Join(name+Suffix, filepath.FromSlash(p)), filepath.Join(name, filepath.FromSlash(p)))
}

func (s *Store) notNamed(name string, err error) error {
	if errors.Is(err, fs.ErrExist) || errors.Is(err, errAppeared) {
		return &ContentError{Path: s.at(name), Reason: "it appeared meanwhile, and the complete content is in " + s.at(s.comp.Name+Suffix)}
	}
	return diskError("rename", s.at(name), err)
}
