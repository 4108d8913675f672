package store

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"orchestra/member/store/disk"
)

// finishFolder makes the files that were chosen durable and gives them their names: the folder as
// a whole if all of it is complete and nothing stands under its name, else file by file. Called
// with moving held.
func (s *Store) finishFolder() error {
	f, chosen := s.folder, s.selection
	root := f.unfinished
	if root == nil {
		root = f.whole
	}
	if root == nil { // it could not be opened again after it was not renamed
		return diskError("open folder", s.Path(), fs.ErrNotExist)
	}
	if err := s.fill(root, chosen); err != nil {
		return err
	}
	if f.whole == nil || !s.partial {
		s.makeLinks(root)
	}
	if err := s.cut(); err != nil {
		return err
	}
	g := s.glance()
	for i := range s.layout.entries {
		if chosen.Has(i) {
			g.restamp(i)
		}
	}
	g.end()
	if err := s.syncAll(s.written()); err != nil {
		return err
	}
	if err := s.syncNames(root, s.folders()); err != nil {
		return err
	}
	if !s.partial || s.named.Load() {
		return nil
	}
	if s.replace && f.whole == nil {
		if err := s.moveAside(); err != nil {
			return err
		}
	}
	if f.whole == nil && chosen.all() {
		if err := s.nameFolder(); err != nil {
			return err
		}
		f.renamed["."] = true // and in the folder that it is in
		return s.syncMoved(nil)
	}
	made, err := s.moveRest(chosen)
	if err != nil {
		return err
	}
	return s.syncMoved(made)
}

// written are the chosen files that may have been written to.
func (s *Store) written() []int {
	var files []int
	for i := range s.layout.entries {
		if s.selection.Has(i) && !s.keeps(i) {
			files = append(files, i)
		}
	}
	return files
}

// fill makes what no part has anything of: empty files, empty folders, and the bit that lets a
// file be executed.
func (s *Store) fill(root disk.Root, chosen *Selection) error {
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
		s.setFolderTime(i)
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

// makeExecutable lets those execute a file who may read it.
func makeExecutable(root disk.Root, p string, under bool, whole disk.Root) error {
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

// nameFolder renames NAME.part to NAME, if that is what is held open here. Windows renames no
// folder that is open.
func (s *Store) nameFolder() error {
	s.folder.mu.Lock()
	defer s.folder.mu.Unlock()
	return s.files.while(nil, s.renameFolder)
}

func (s *Store) renameFolder() error {
	f, from := s.folder, *s.name.Load()
	held, err := f.unfinished.Stat(".")
	if err != nil {
		return diskError("look at", s.Path(), err)
	}
	if !f.renamesOpen {
		f.unfinished.Close()
		f.unfinished = nil
	}
	if err := s.root.RenameNew(from, s.comp.Name); err != nil {
		if !f.renamesOpen {
			f.unfinished, _ = s.root.OpenRoot(from) // if that fails, its files are missing
		}
		return s.notNamed(s.comp.Name, err)
	}
	there, wrong := s.root.Lstat(s.comp.Name)
	if wrong == nil && !os.SameFile(held, there) {
		wrong = errSwapped
	}
	if wrong != nil {
		wrong = diskError("rename", s.Path(), wrong)
		if s.root.RenameNew(s.comp.Name, from) == nil { // it is another one's
			return wrong
		}
	}
	if f.whole = f.unfinished; f.whole == nil {
		if f.whole, err = s.root.OpenRoot(s.comp.Name); err != nil {
			return diskError("open folder", s.at(s.comp.Name), err)
		}
	}
	f.unfinished = nil
	for i := range f.under {
		f.under[i] = true
	}
	s.setName(s.comp.Name)
	return wrong
}

// moveRest moves the chosen files that are still in NAME.part into NAME, and removes NAME.part when
// nothing is left in it. It returns the empty folders that are there.
func (s *Store) moveRest(chosen *Selection) (made []string, err error) {
	f := s.folder
	var rest []int
	for i := range s.layout.entries {
		if chosen.Has(i) && !f.under[i] {
			rest = append(rest, i)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := s.files.while(nil, func() error { return s.moveFiles(rest) }); err != nil {
		return nil, err
	}
	for _, p := range s.comp.Folders() {
		if chosen.hasFolder(p) {
			if err := f.whole.MkdirAll(p, 0o777); err != nil {
				return nil, diskError("make folder", s.at(filepath.Join(s.comp.Name, p)), err)
			}
			made = append(made, p)
		}
	}
	s.makeLinks(f.whole)
	if chosen.all() && f.unfinished != nil {
		s.removeFolders(f.unfinished)
		f.unfinished.Close()
		f.unfinished = nil
		_ = s.root.Remove(s.comp.Name + Suffix) // something else may lie in it: it stays then
	}
	s.setName(s.comp.Name)
	return made, nil
}

// folders are those of the composition on the way to what was chosen and may have been made here.
func (s *Store) folders() []string {
	seen := map[string]bool{}
	for i, e := range s.layout.entries {
		if s.selection.Has(i) && !s.keeps(i) {
			seen[path.Dir(e.Path)] = true
		}
	}
	for _, p := range s.comp.Folders() {
		if s.selection.hasFolder(p) {
			seen[p] = true
		}
	}
	return slices.Collect(maps.Keys(seen))
}

// removeFolders removes the composition's folders from NAME.part, the deepest first. Those that
// have something else in them stay.
func (s *Store) removeFolders(root disk.Root) {
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
func move(from, to, both disk.Root, name, p string) error {
	if _, err := to.Lstat(p); err == nil {
		return errAppeared
	}
	return both.Rename(filepath.Join(name+Suffix, filepath.FromSlash(p)), filepath.Join(name, filepath.FromSlash(p)))
}

func (s *Store) notNamed(name string, err error) error {
	if errors.Is(err, fs.ErrExist) || errors.Is(err, errAppeared) {
		return &ContentError{
			Path:   s.at(name),
			Reason: "it appeared meanwhile, and the complete content is in " + s.at(s.comp.Name+Suffix),
		}
	}
	return diskError("rename", s.at(name), err)
}
