package store

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"orchestra/orch"
)

// Selection is a choice among the files of a folder.
type Selection struct {
	files   []bool
	folders map[string]bool // the empty folders chosen
	links   map[string]bool // the links chosen
}

// PatternError tells what is wrong with a pattern.
type PatternError struct{ Text string }

func (e *PatternError) Error() string { return e.Text }

// Select chooses the files that one of the patterns in only matches, or all of them if there are
// none, without those that one in except matches. A pattern is cut at "/"; * ? and [a-z] match
// within a component, ** any number of components. One without "/" may begin anywhere. One that
// matches a folder chooses what is below it. Files are paths of files that are chosen beside those
// of only. Errors are *[PatternError].
func Select(f *orch.File, only, except []string, files ...string) (*Selection, error) {
	if len(only)+len(except)+len(files) == 0 {
		return nil, nil
	}
	if !f.IsFolder() && len(only)+len(except) == 0 {
		return nil, nil // a single file is all or nothing
	}
	if !f.IsFolder() {
		return nil, &PatternError{"--only and --except choose files of a folder, and this composition is a single file"}
	}
	entries, empty, links := f.Entries(), f.Folders(), f.Links()
	paths := make([]string, 0, len(entries)+len(empty)+len(links))
	for _, e := range entries {
		paths = append(paths, e.Path)
	}
	paths = append(paths, empty...)
	for _, l := range links {
		paths = append(paths, l.Path)
	}
	chosen := make([]bool, len(paths))
	named := make(map[string]bool, len(files))
	for _, p := range files {
		named[p] = true
	}
	for i, p := range paths {
		chosen[i] = len(only)+len(files) == 0 || named[p]
	}
	for _, p := range only {
		if err := mark(chosen, paths, "--only", p, true); err != nil {
			return nil, err
		}
	}
	for _, p := range except {
		if err := mark(chosen, paths, "--except", p, false); err != nil {
			return nil, err
		}
	}
	s := &Selection{files: chosen[:len(entries)], folders: map[string]bool{}, links: map[string]bool{}}
	some := false
	for i, c := range chosen {
		some = some || c
		switch n := i - len(entries); {
		case n < 0 || !c:
		case n < len(empty):
			s.folders[empty[n]] = true
		default:
			s.links[links[n-len(empty)].Path] = true
		}
	}
	if !some {
		return nil, &PatternError{"--except leaves no file"}
	}
	return s, nil
}

// mark sets what a pattern matches.
func mark(chosen []bool, paths []string, flag, pattern string, to bool) error {
	cut := strings.TrimRight(pattern, "/")
	parts := strings.Split(strings.TrimPrefix(cut, "/"), "/")
	if !strings.Contains(cut, "/") {
		parts = []string{"**", cut}
	}
	for _, p := range parts {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return &PatternError{fmt.Sprintf("%s %q is no pattern: a component is empty, or a [ is not closed", flag, pattern)}
		}
	}
	matched := false
	for i, p := range paths {
		if matches(parts, strings.Split(p, "/")) {
			matched, chosen[i] = true, to
		}
	}
	if !matched {
		return &PatternError{fmt.Sprintf("%s %q matches no file; 'orchestra show' lists them", flag, pattern)}
	}
	return nil
}

// matches tells whether a pattern matches a path, or a folder on it. reach holds, for the pattern
// as far as it was read, after which components it may have ended.
func matches(pattern, components []string) bool {
	reach := make([]bool, len(components)+1)
	reach[0] = true
	for i, p := range pattern {
		next := make([]bool, len(reach))
		for n := range reach {
			switch {
			case !reach[n]:
			case p == "**" && i == len(pattern)-1:
				return n < len(components)
			case p == "**":
				for m := n; m < len(next); m++ {
					next[m] = true
				}
			case n < len(components):
				if ok, err := path.Match(p, components[n]); ok && err == nil {
					next[n+1] = true
				}
			}
		}
		reach = next
	}
	for _, r := range reach {
		if r {
			return true
		}
	}
	return false
}

// Has tells whether a file is chosen, by its place among the entries.
func (s *Selection) Has(file int) bool { return s == nil || s.files[file] }

// Skip has a bit, as in a bitfield message, for each part that no chosen file has anything of; nil
// if all are wanted.
func (s *Selection) Skip(f *orch.File) (skip []byte, parts int, bytes int64) {
	parts, bytes = f.NumParts(), f.Size
	if s == nil {
		return nil, parts, bytes
	}
	wanted := make([]bool, parts)
	for i, e := range f.Entries() {
		if s.files[i] && e.Size > 0 {
			for part := e.Offset / f.PartSize; part <= (e.Offset+e.Size-1)/f.PartSize; part++ {
				wanted[part] = true
			}
		}
	}
	skip = make([]byte, (parts+7)/8)
	total := parts
	for i := range total {
		if !wanted[i] {
			skip[i>>3] |= 0x80 >> (i & 7)
			parts--
			bytes -= f.PartLen(i)
		}
	}
	return skip, parts, bytes
}

var errAppeared = errors.New("it appeared meanwhile")

// all tells whether nothing is left out.
func (s *Selection) all() bool {
	if s == nil {
		return true
	}
	for _, chosen := range s.files {
		if !chosen {
			return false
		}
	}
	return true
}

func (s *Selection) hasFolder(p string) bool { return s == nil || s.folders[p] }

func (s *Selection) hasLink(p string) bool { return s == nil || s.links[p] }
