package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"orchestra/orch"
)

// tree is what is in a folder, in the byte order of whole paths.
type tree struct {
	files []found
	empty []string // folders with nothing in them but links
	links []orch.Link

	folders int // in all
}

// found is a regular file.
type found struct {
	path string // components separated by "/"
	info fs.FileInfo
}

type surveyor struct {
	place *place
	links Links
	warn  func(string)
	tree  tree
}

// listed is a folder that is to be listed.
type listed struct {
	path   string
	info   fs.FileInfo // known where links are followed
	parent *listed
}

// survey looks through the folder. The folders are kept in a list of those to
// come, so that depth costs no stack.
func survey(ctx context.Context, p *place, links Links, warn func(string)) (*tree, error) {
	s := &surveyor{place: p, links: links, warn: warn}
	top := &listed{path: "."}
	var err error
	if top.info, err = p.lstat("."); err != nil {
		return nil, bare(err)
	}
	for folders := []*listed{top}; len(folders) > 0; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		last := folders[len(folders)-1]
		more, err := s.list(last)
		if err != nil {
			return nil, err
		}
		// links may make many out of few
		if s.tree.folders += len(more); s.tree.folders > orch.MaxLines {
			return nil, fmt.Errorf("there are more than %d folders in it; compose an archive of the folder",
				orch.MaxLines)
		}
		folders = append(folders[:len(folders)-1], more...)
	}
	slices.SortFunc(s.tree.files, func(a, b found) int { return strings.Compare(a.path, b.path) })
	slices.SortFunc(s.tree.links, func(a, b orch.Link) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(s.tree.empty)
	return &s.tree, nil
}

// list looks at one folder and returns the folders in it. One that holds only
// what is left out is empty.
func (s *surveyor) list(folder *listed) (folders []*listed, err error) {
	names, err := s.names(folder.path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder.path, bare(err))
	}
	kept, links := names[:0], []string(nil)
	for _, name := range names {
		at := path.Join(folder.path, name)
		info, err := s.look(at)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", at, bare(err))
		case info == nil:
			continue // left out, as was said
		case info.Mode()&fs.ModeSymlink != 0:
			links = append(links, name)
			continue
		case info.IsDir() && s.place.follow && folder.isIn(info):
			s.warn(at + " is left out: it leads to a folder that it lies in")
			continue
		}
		if err := checkPath(at); err != nil {
			return nil, err
		}
		kept = append(kept, name)
		if info.IsDir() {
			folders = append(folders, &listed{at, info, folder})
		} else {
			s.tree.files = append(s.tree.files, found{at, info})
		}
		if len(s.tree.files)+len(s.tree.empty)+len(s.tree.links) > orch.MaxLines {
			return nil, fmt.Errorf("there are more than %d files in it; compose an archive of the folder",
				orch.MaxLines)
		}
	}
	if len(kept) == 0 && folder.path != "." {
		s.tree.empty = append(s.tree.empty, folder.path)
	}
	s.keepLinks(folder.path, links, s.warnAlike(folder.path, kept))
	return folders, nil
}

// look says what stands at a path. It is nil if that is left out, and a link
// only if it is to be kept.
func (s *surveyor) look(at string) (fs.FileInfo, error) {
	info, err := s.place.lstat(at)
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrChanged
	}
	if err != nil {
		return nil, err
	}
	reason := "it is " + kindOf(info.Mode())
	switch {
	case info.IsDir() || info.Mode().IsRegular():
		return info, nil
	case info.Mode()&fs.ModeSymlink == 0:
	case s.links == SkipLinks:
		reason += " (see --links)"
	case s.links == KeepLinks:
		return info, nil
	case s.links == FollowLinks:
		if info, reason, err = s.through(at); err != nil || info != nil {
			return info, err
		}
	}
	s.warn(fmt.Sprintf("%s is left out: %s", at, reason))
	return nil, nil
}

// isIn reports whether the folder is another one, or lies in it.
func (l *listed) isIn(info fs.FileInfo) bool {
	for ; l != nil; l = l.parent {
		if os.SameFile(l.info, info) {
			return true
		}
	}
	return false
}

// names lists what is in a folder, in order.
func (s *surveyor) names(folder string) ([]string, error) {
	d, err := s.place.open(folder)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	slices.Sort(names)
	return names, errors.Join(err, d.Close())
}

// warnAlike names those that are one file on systems that do not tell case or
// the spellings of one character apart. It returns them all by what they are
// there.
func (s *surveyor) warnAlike(folder string, names []string) map[string]string {
	seen := make(map[string]string, len(names))
	for _, name := range names {
		key := orch.FoldName(name)
		if other, ok := seen[key]; ok {
			s.warn(fmt.Sprintf("%s and %s have the same name on some systems, which cannot have both",
				path.Join(folder, other), path.Join(folder, name)))
			continue
		}
		seen[key] = name
	}
	return seen
}

// keepLinks takes the links of a folder that can be carried. One whose name is
// that of something else on some systems cannot: that would go through it.
func (s *surveyor) keepLinks(folder string, names []string, seen map[string]string) {
	for _, name := range names {
		at := path.Join(folder, name)
		err := checkPath(at)
		if other, ok := seen[orch.FoldName(name)]; ok && err == nil {
			err = fmt.Errorf("it is a symbolic link that has the name of %s on some systems",
				path.Join(folder, other))
		}
		if err == nil {
			err = s.keep(at)
		}
		if err != nil {
			s.warn(fmt.Sprintf("%s is left out: %v", at, err))
			continue
		}
		seen[orch.FoldName(name)] = name
	}
}

// checkPath refuses what cannot be stored under the same path on every system.
func checkPath(at string) error {
	if !utf8.ValidString(at) {
		return fmt.Errorf("the path %q is not valid UTF-8; rename it", at)
	}
	if err := orch.CheckPath(at); err != nil {
		return fmt.Errorf("%w; rename it", err)
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "no regular file"
}

// compare says with ErrChanged which file is another one now.
func (t *tree) compare(now *tree) error {
	for i := range max(len(t.files), len(now.files)) {
		switch {
		case i == len(now.files) || i < len(t.files) && t.files[i].path < now.files[i].path:
			return fmt.Errorf("%s: %w", t.files[i].path, ErrChanged)
		case i == len(t.files) || t.files[i].path != now.files[i].path || !same(t.files[i].info, now.files[i].info):
			return fmt.Errorf("%s: %w", now.files[i].path, ErrChanged)
		}
	}
	if !slices.Equal(t.empty, now.empty) || !slices.Equal(t.links, now.links) {
		return ErrChanged
	}
	return nil
}
