package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"orchestra/member/store/disk"
	"orchestra/orch"
)

// found is what a survey of NAME or NAME.part found.
type found struct {
	sizes    []int64 // by file; -1: not there
	stamps   []stamp
	files    int   // how many are there
	occupied int64 // bytes on disk
	extra    []string
}

// survey looks at all that is in a folder. Anything that is neither file nor folder in place of
// what belongs there is a *[ContentError]. What is shared is read through symbolic links; what is
// got is not, and there they are such errors too.
func (s *Store) survey(root disk.Root, name string, unfinished bool) (*found, error) {
	f := &found{sizes: make([]int64, len(s.layout.entries)), stamps: make([]stamp, len(s.layout.entries))}
	for i := range f.sizes {
		f.sizes[i], f.stamps[i] = -1, nothing
	}
	if unfinished && s.fresh {
		return f, nil
	}
	for dirs := []string{"."}; len(dirs) > 0; {
		var dir string
		dir, dirs = dirs[len(dirs)-1], dirs[:len(dirs)-1]
		in, err := root.OpenRoot(dir)
		if err != nil {
			return nil, diskError("open folder", s.at(filepath.Join(name, dir)), err)
		}
		below, err := s.surveyFolder(f, in, name, dir, unfinished)
		in.Close()
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, below...)
	}
	return f, nil
}

// surveyFolder looks at what lies in one folder, and returns those below it that belong there.
func (s *Store) surveyFolder(
	f *found, in disk.Root, name, dir string, unfinished bool,
) (below []string, err error) {
	opened, err := in.Open(".")
	if err != nil {
		return nil, diskError("open folder", s.at(filepath.Join(name, dir)), err)
	}
	entries, err := opened.ReadDir(-1)
	opened.Close()
	if err != nil {
		return nil, diskError("read folder", s.at(filepath.Join(name, dir)), err)
	}
	for _, e := range entries {
		p := path.Join(dir, e.Name())
		file, ours := s.folder.paths[p]
		at := s.at(filepath.Join(name, filepath.FromSlash(p)))
		switch {
		case !ours:
			f.extra = append(f.extra, p)
		case file == isLink: // whatever stands there is left alone
		case e.Type()&fs.ModeSymlink != 0 && !unfinished:
			s.surveyLinked(f, p)
		case e.Type()&fs.ModeSymlink != 0:
			return nil, &ContentError{Path: at, Reason: errIsLink.Error(), Unfinished: unfinished}
		case file == isFolder && e.IsDir():
			below = append(below, p)
		case file == isFolder:
			return nil, &ContentError{Path: at, Reason: "it is not a folder", Unfinished: unfinished}
		case !e.Type().IsRegular():
			return nil, &ContentError{Path: at, Reason: errNotRegular.Error(), Unfinished: unfinished}
		default:
			info, err := in.Lstat(e.Name())
			if err != nil {
				return nil, diskError("look at", at, err)
			}
			if want := s.layout.entries[file].Size; unfinished && info.Size() > want {
				reason := fmt.Sprintf("it has %d bytes and the composition only %d", info.Size(), want)
				return nil, &ContentError{Path: at, Reason: reason, Unfinished: true}
			}
			f.sizes[file], f.stamps[file] = info.Size(), stampOf(info)
			f.occupied += disk.Occupied(info)
			f.files++
		}
	}
	return below, nil
}

// surveyLinked looks at a file that is a symbolic link, or at those below a folder that is one.
// They are only read. One that leads nowhere is missing.
func (s *Store) surveyLinked(f *found, link string) {
	first, end := 0, len(s.layout.entries)
	if file := s.folder.paths[link]; file != isFolder { // it is one, and nothing lies below it
		first, end = file, file+1
	}
	for i := first; i < end; i++ {
		e := &s.layout.entries[i]
		if e.Path != link && !strings.HasPrefix(e.Path, link+"/") {
			continue
		}
		s.folder.linked[i] = true
		info, err := s.disk.Stat(s.at(filepath.Join(s.comp.Name, filepath.FromSlash(e.Path))))
		if err == nil && info.Mode().IsRegular() {
			f.sizes[i], f.stamps[i] = info.Size(), stampOf(info)
			f.files++
		}
	}
}

// apart makes sure that this file system does not take two of the composition's names for one, by
// making those that might be. What lies in the folder already stays.
func (s *Store) apart(root disk.Root) error {
	type place struct{ dir, folded string }
	alike := map[place][]string{}
	for p := range s.folder.paths {
		key := place{path.Dir(p), orch.FoldName(path.Base(p))}
		alike[key] = append(alike[key], path.Base(p))
	}
	for _, names := range alike {
		if len(names) < 2 {
			continue
		}
		if err := s.tryApart(root, names); err != nil {
			return err
		}
	}
	return nil
}

// tryApart makes those files of these names that are not there, and removes them again.
func (s *Store) tryApart(root disk.Root, names []string) error {
	var made []string
	defer func() {
		for _, name := range made {
			root.Remove(name)
		}
	}()
	for i, name := range names {
		f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		switch {
		case err == nil:
			f.Close()
			made = append(made, name)
			continue
		case !errors.Is(err, fs.ErrExist):
			return diskError("make", s.at(filepath.Join(s.comp.Name+Suffix, name)), err)
		}
		if other, ok := sameAs(root, name, names[:i]); ok {
			return diskError("tell apart", fmt.Sprintf("the names %q and %q", other, name), errors.New(
				"this file system takes them for one; choose a folder elsewhere with --dir"))
		}
	}
	return nil
}

// sameAs finds which of other names is taken for this one.
func sameAs(root disk.Root, name string, others []string) (string, bool) {
	info, err := root.Lstat(name)
	for _, other := range others {
		if there, err2 := root.Lstat(other); err == nil && err2 == nil && os.SameFile(info, there) {
			return other, true
		}
	}
	return "", false
}
