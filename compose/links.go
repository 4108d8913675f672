package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"orchestra/orch"
)

// Links says what becomes of the symbolic links in a folder.
type Links uint8

const (
	// SkipLinks leaves them out.
	SkipLinks Links = iota
	// FollowLinks reads through them: what they lead to is carried as if it lay
	// in their place.
	FollowLinks
	// KeepLinks carries those that lead to something in the folder as links.
	KeepLinks
)

// place is the folder that is composed. Nothing is reached but through root, so
// that a link planted in the folder leads nowhere, unless links are followed.
type place struct {
	root   *os.Root
	path   string
	follow bool
}

func openPlace(path string, links Links) (*place, error) {
	root, err := os.OpenRoot(path)
	return &place{root, path, links == FollowLinks}, err
}

// at is where something in the folder is for the system.
func (p *place) at(name string) string { return filepath.Join(p.path, filepath.FromSlash(name)) }

func (p *place) open(name string) (*os.File, error) {
	if p.follow {
		return os.Open(p.at(name))
	}
	return p.root.Open(name)
}

// lstat does not follow name itself.
func (p *place) lstat(name string) (fs.FileInfo, error) {
	if p.follow {
		return os.Lstat(p.at(name))
	}
	return p.root.Lstat(name)
}

// through looks at what a link leads to. It is not ok, with the reason, if that
// cannot be carried in the link's place.
func (s *surveyor) through(at string) (info fs.FileInfo, reason string, err error) {
	info, err = os.Stat(s.place.at(at))
	switch {
	case err == nil && (info.IsDir() || info.Mode().IsRegular()):
		return info, "", nil
	case err == nil:
		return nil, "it is a symbolic link to " + kindOf(info.Mode()), nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Sprintf("it is a symbolic link to %q, where nothing is", s.readlink(at)), nil
	case errors.Is(err, syscall.ELOOP):
		return nil, "it is a symbolic link that leads to itself", nil
	}
	return nil, "", err
}

// readlink returns a link's target for a message.
func (s *surveyor) readlink(at string) string {
	target, _ := os.Readlink(s.place.at(at))
	return target
}

// keep takes a link as it is, or says why it cannot be carried.
func (s *surveyor) keep(at string) error {
	target, err := s.place.root.Readlink(at)
	if err != nil {
		return fmt.Errorf("it is a symbolic link that cannot be read: %w", bare(err))
	}
	if filepath.IsAbs(target) {
		return fmt.Errorf("it is a symbolic link to %q, which is not relative", target)
	}
	l := orch.Link{Path: at, Target: s.shortest(at, filepath.ToSlash(target))}
	if err := orch.CheckLink(l); err != nil {
		return fmt.Errorf("it is a symbolic link that cannot be carried: %w", err)
	}
	if _, err := s.place.root.Stat(at); err != nil {
		s.warn(fmt.Sprintf("%s is a symbolic link to %q, where nothing can be reached; it is kept", at, target))
	}
	s.tree.links = append(s.tree.links, l)
	return nil
}

// shortest writes a target as an .orch file has it. A name before ".." is left
// out only where that leads to the same, which it does not behind some links.
func (s *surveyor) shortest(at, target string) string {
	short := path.Clean(target)
	if !upBehindName(target) {
		return short
	}
	dir := path.Dir(at)
	was, err := s.place.root.Stat(dir + "/" + target)
	is, err2 := s.place.root.Stat(path.Join(dir, short))
	if err != nil || err2 != nil || !os.SameFile(was, is) {
		return target
	}
	return short
}

// upBehindName reports whether a path has ".." behind a name.
func upBehindName(target string) bool {
	named := false
	for component := range strings.SplitSeq(target, "/") {
		if component == ".." && named {
			return true
		}
		named = named || component != ".." && component != "." && component != ""
	}
	return false
}
