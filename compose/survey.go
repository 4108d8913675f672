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
	empty []string // folders with nothing in them
}

// found is a regular file.
type found struct {
	path string // components separated by "/"
	info fs.FileInfo
}

type surveyor struct {
	root *os.Root
	warn func(string)
	tree tree
}

// survey looks through the folder. The folders are kept in a list of those to
// come, so that depth costs no stack.
func survey(ctx context.Context, root *os.Root, warn func(string)) (*tree, error) {
	s := &surveyor{root: root, warn: warn}
	for folders := []string{"."}; len(folders) > 0; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		last := folders[len(folders)-1]
		more, err := s.list(last)
		if err != nil {
			return nil, err
		}
		folders = append(folders[:len(folders)-1], more...)
	}
	slices.SortFunc(s.tree.files, func(a, b found) int { return strings.Compare(a.path, b.path) })
	slices.Sort(s.tree.empty)
	return &s.tree, nil
}

// list looks at one folder and returns the folders in it. One that holds only
// what is left out is empty.
func (s *surveyor) list(folder string) (folders []string, err error) {
	names, err := s.names(folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, bare(err))
	}
	kept := names[:0]
	for _, name := range names {
		at := path.Join(folder, name)
		info, err := s.root.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrChanged
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, bare(err))
		}
		if !info.Mode().IsRegular() && !info.IsDir() {
			s.warn(fmt.Sprintf("%s is left out: it is %s", at, kindOf(info.Mode())))
			continue
		}
		if err := checkPath(at); err != nil {
			return nil, err
		}
		kept = append(kept, name)
		if info.IsDir() {
			folders = append(folders, at)
		} else {
			s.tree.files = append(s.tree.files, found{at, info})
		}
		if len(s.tree.files)+len(s.tree.empty) > orch.MaxLines {
			return nil, fmt.Errorf("there are more than %d files in it; compose an archive of the folder", orch.MaxLines)
		}
	}
	if len(kept) == 0 && folder != "." {
		s.tree.empty = append(s.tree.empty, folder)
	}
	s.warnAlike(folder, kept)
	return folders, nil
}

// names lists what is in a folder, in order.
func (s *surveyor) names(folder string) ([]string, error) {
	d, err := s.root.Open(folder)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	slices.Sort(names)
	return names, errors.Join(err, d.Close())
}

// warnAlike names those that are one file on systems that do not tell case or
// the spellings of one character apart.
func (s *surveyor) warnAlike(folder string, names []string) {
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
	if !slices.Equal(t.empty, now.empty) {
		return ErrChanged
	}
	return nil
}
