package orch

import (
	"fmt"
	"path"
	"strings"
)

// Link is a symbolic link in a folder.
type Link struct {
	Path   string // of the link, components separated by "/"
	Target string // relative to the folder that the link lies in
}

// linkSeparator stands between the two paths of a "link" line. Neither can
// have it, since no component of theirs is empty.
const linkSeparator = " // "

// value is that of the link's line.
func (l Link) value() string { return l.Path + linkSeparator + l.Target }

// CheckLink says why l cannot stand in a folder. Its target must be relative
// and stay within the folder on every system: ".." may be at its beginning
// alone, at most as often as there are folders above the link. So nothing leads
// up after another link, and a target stays inside also where it goes through
// links, whose targets stay inside as well.
func CheckLink(l Link) error {
	if err := CheckPath(l.Path); err != nil {
		return err
	}
	if len(l.Target) > maxPath {
		return fmt.Errorf("the target %s has %d bytes; %d is the most",
			quote(l.Target), len(l.Target), maxPath)
	}
	rest, depth := l.Target, strings.Count(l.Path, "/")
	for rest == ".." || strings.HasPrefix(rest, "../") {
		if depth--; depth < 0 {
			return fmt.Errorf("the target %s of the link %s leads out of the folder",
				quote(l.Target), quote(l.Path))
		}
		if rest = strings.TrimPrefix(rest, ".."); rest != "" {
			rest = rest[1:]
			if rest == "" {
				return fmt.Errorf("the target %s of the link %s ends with a separator",
					quote(l.Target), quote(l.Path))
			}
		}
	}
	if rest == "." && rest == l.Target || rest == "" && l.Target != "" {
		return nil // a folder that the link lies in
	}
	if err := CheckPath(rest); err != nil {
		return fmt.Errorf("the target of the link %s: %w", quote(l.Path), err)
	}
	return nil
}

// parseLinkLine cuts the value of a "link" line, PATH // TARGET, and checks it.
func parseLinkLine(value string) (Link, error) {
	path, target, ok := strings.Cut(value, linkSeparator)
	if !ok {
		return Link{}, fmt.Errorf("expected `link: PATH // TARGET`, found the value %s", quote(value))
	}
	l := Link{path, target}
	return l, CheckLink(l)
}

// Links gives the symbolic links of a folder in their order.
func (f *File) Links() []Link {
	var links []Link
	for _, line := range f.Lines {
		if line.Key == keyLink {
			l, _ := parseLinkLine(line.Value)
			links = append(links, l)
		}
	}
	return links
}

// Destination is the path in the folder that the link leads to, "." for the
// folder itself, as long as no other link is on the way.
func (l Link) Destination() string { return path.Join(path.Dir(l.Path), l.Target) }

// linkCheck looks at the links as a whole, when all paths are known.
type linkCheck []string

func (c *linkCheck) add(path string) { *c = append(*c, path) }

// end refuses links that have the name of something else where a file system
// takes two names for one: what should be next to the link would go through it.
func (c linkCheck) end(paths map[string]kind) error {
	if len(c) == 0 {
		return nil
	}
	f := folding{ids: map[foldedName]int{}, seen: map[string]int{}}
	folded := make(map[int]string, len(c))
	for _, link := range c {
		id := f.id(link)
		if other, ok := folded[id]; ok {
			return alike(link, other)
		}
		folded[id] = link
	}
	for path := range paths {
		if link, ok := folded[f.id(path)]; ok && link != path {
			return alike(link, path)
		}
	}
	return nil
}

// folding numbers paths, so that those have one number that some file system
// takes for one. Each component is folded once, however many paths go through it.
type folding struct {
	ids  map[foldedName]int
	seen map[string]int // the numbers of paths that were asked for, and those above them
}

// foldedName is a name within a path that has a number.
type foldedName struct {
	above int // 0: nothing
	name  string
}

func (f *folding) id(path string) int {
	if id, ok := f.seen[path]; ok {
		return id
	}
	key := foldedName{name: path}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		key = foldedName{f.id(path[:i]), path[i+1:]}
	}
	key.name = FoldName(key.name)
	id, ok := f.ids[key]
	if !ok {
		id = len(f.ids) + 1
		f.ids[key] = id
	}
	f.seen[path] = id
	return id
}

func alike(link, other string) error {
	return fmt.Errorf(
		"the link %s has the name of %s on systems that do not tell case or spellings apart",
		quote(link), quote(other))
}
