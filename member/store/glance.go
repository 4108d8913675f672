package store

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"

	"orchestra/member/store/disk"
)

// A glance looks at one file after the other. The folder in which it looked twice stays open until
// it looks elsewhere or ends: files beside each other cost one call of the system each then, and
// not one for each folder on the way besides.
type glance struct {
	s    *Store
	root disk.Root // the folder that dir is in
	dir  string    // in which it looked last
	in   disk.Root // dir, held open; nil: it is not
}

func (s *Store) glance() *glance { return &glance{s: s} }

// end lets go of what a glance holds open.
func (g *glance) end() {
	if g.in != nil {
		g.in.Close()
	}
	g.root, g.dir, g.in = nil, "", nil
}

// see looks at what stands under the name of a file; nothing, and why, if no regular file does.
func (g *glance) see(file int) (stamp, error) {
	info, err := g.look(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nothing, errNoFile
	case err != nil:
		return nothing, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nothing, errIsLink
	case !info.Mode().IsRegular():
		return nothing, errNotRegular
	}
	return stampOf(info), nil
}

func (g *glance) look(file int) (fs.FileInfo, error) {
	s := g.s
	f := s.folder
	switch {
	case f != nil:
		f.mu.RLock()
		defer f.mu.RUnlock()
		p := s.layout.entries[file].Path
		if f.linked[file] {
			return s.disk.Stat(s.at(filepath.Join(s.comp.Name, filepath.FromSlash(p))))
		}
		root, err := f.rootOf(file)
		if err != nil {
			return nil, err
		}
		return g.lstat(root, p)
	case s.linked:
		return s.disk.Stat(s.Path())
	}
	return s.root.Lstat(*s.name.Load())
}

// lstat looks at what stands under a path below a folder.
func (g *glance) lstat(root disk.Root, p string) (fs.FileInfo, error) {
	dir, name := path.Split(p)
	switch {
	case dir == "":
		return root.Lstat(p)
	case g.root != root || g.dir != dir:
		g.end()
		g.root, g.dir = root, dir
		return root.Lstat(p)
	case g.in == nil:
		in, err := root.OpenRoot(path.Clean(dir))
		if err != nil {
			return root.Lstat(p) // which says why
		}
		g.in = in
	}
	return g.in.Lstat(name)
}

// restamp takes a file as it is now, after this Store changed it.
func (g *glance) restamp(file int) {
	m, _ := g.see(file)
	g.s.watch.set(file, m)
}

// restamp does so with one file.
func (s *Store) restamp(file int) { s.glance().restamp(file) }
