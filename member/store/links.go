package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"orchestra/member/store/disk"
	"orchestra/orch"
)

// isLink is the path of a symbolic link among those of files.
const isLink = -2

// makeLinks makes the links that were chosen. What stands in place of one stays, and it is no
// failure of the content if one cannot be made.
func (s *Store) makeLinks(root disk.Root) {
	for _, l := range s.comp.Links() {
		if !s.selection.hasLink(l.Path) {
			continue
		}
		if err := makeLink(root, l); err != nil {
			at := s.at(filepath.Join(s.comp.Name, filepath.FromSlash(l.Path)))
			s.lack(fmt.Sprintf("the symbolic link %s cannot be made: %v", at, bare(err)))
		}
	}
}

func makeLink(root disk.Root, l orch.Link) error {
	err := lookAtLink(root, l)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := root.MkdirAll(path.Dir(l.Path), 0o777); err != nil {
		return err
	}
	return root.Symlink(filepath.FromSlash(l.Target), filepath.FromSlash(l.Path))
}

// lookAtLink says what is not right with a link.
func lookAtLink(root disk.Root, l orch.Link) error {
	info, err := root.Lstat(l.Path)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return errors.New("something else stands there")
	}
	target, err := root.Readlink(l.Path)
	if err == nil && filepath.ToSlash(target) != l.Target {
		err = fmt.Errorf("it leads to %q and not to %q", target, l.Target)
	}
	return err
}

// BadLinks are the links of a folder under its name that are missing or lead elsewhere.
func (s *Store) BadLinks() (bad []string) {
	if s.folder == nil || s.folder.whole == nil {
		return nil
	}
	for _, l := range s.comp.Links() {
		if lookAtLink(s.folder.whole, l) != nil {
			bad = append(bad, l.Path)
		}
	}
	return bad
}
