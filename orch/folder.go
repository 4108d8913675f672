package orch

import (
	"errors"
	"fmt"
	"strings"
)

// Longest paths in a folder, in bytes.
const (
	maxComponent = 255  // one component
	maxPath      = 4096 // the whole, which bounds the work that a line makes
)

// Bounds of the folders that follow from paths. A line of a few bytes each would
// else make a folder for every two of them, and each is remembered.
const (
	maxLevels      = 255      // components of a path
	foldersPerLine = 4        // of the lines so far
	sparedFolders  = 64 << 10 // beyond that
)

// CheckPath says why path cannot be that of a file or folder in a folder. Its
// components are separated by "/". What could lead out of the folder on some
// system is refused on all.
func CheckPath(path string) error {
	if len(path) > maxPath {
		return fmt.Errorf("the path %s has %d bytes; %d is the most", quote(path), len(path), maxPath)
	}
	if n := strings.Count(path, "/") + 1; n > maxLevels {
		return fmt.Errorf("the path %s has %d components; %d are the most", quote(path), n, maxLevels)
	}
	if strings.Contains(path, `\`) {
		return fmt.Errorf(`the path %s has a backslash; components are separated by "/"`, quote(path))
	}
	if len(path) > 1 && path[1] == ':' && (path[0]|0x20 >= 'a' && path[0]|0x20 <= 'z') {
		return fmt.Errorf("the path %s begins with a drive letter", quote(path))
	}
	for component := range strings.SplitSeq(path, "/") {
		if err := checkComponent(component, maxComponent); err != nil {
			return fmt.Errorf("a component of the path %s %w", quote(path), err)
		}
	}
	return nil
}

// parseFileLine cuts the value of a "file" line, SIZE PATH, and checks each.
func parseFileLine(value string) (size int64, path string, err error) {
	number, path, ok := strings.Cut(value, " ")
	if !ok {
		return 0, "", fmt.Errorf("expected `file: SIZE PATH`, found the value %s", quote(value))
	}
	size, err = parseNumber(number)
	if err != nil {
		return 0, "", fmt.Errorf("expected the file's size in bytes: %w", err)
	}
	if err := CheckPath(path); err != nil {
		return 0, "", err
	}
	return size, path, nil
}

// kind is what stands at a path of a folder.
type kind uint8

const (
	nothing kind = iota
	file
	executable
	folder // with something in it
	emptyFolder
	link
)

// folderCheck looks at the "file", "exec", "folder" and "link" lines as a
// whole: paths that can all exist at once, and sizes whose sum is the content's.
type folderCheck struct {
	left    int64           // bytes of the content that no line has covered
	paths   map[string]kind // nil while there is no line
	placed  int             // files, empty folders and links
	folders int             // with something in them
	listed  int             // "file" and "!pad" lines
	isOne   bool            // there is a "file" or a "folder" line
	links   linkCheck
}

func (c *folderCheck) addFile(value string) error {
	size, path, err := parseFileLine(value)
	if err != nil {
		return err
	}
	if err := c.place(path, file); err != nil {
		return err
	}
	c.isOne = true
	return c.take(size)
}

// addPad looks at a "!pad" line. Nothing is made of it, so its path is nobody
// else's business, and may stand there again.
func (c *folderCheck) addPad(value string) error {
	size, _, err := parseFileLine(value)
	if err != nil {
		return err
	}
	return c.take(size)
}

// take counts a stretch of the content that a line describes.
func (c *folderCheck) take(size int64) error {
	if size > c.left {
		return fmt.Errorf("the files are larger than the size in line %d", lineSize)
	}
	c.left -= size
	c.listed++
	return nil
}

func (c *folderCheck) addExec(path string) error {
	switch c.paths[path] {
	case file:
		c.paths[path] = executable
		return nil
	case executable:
		return fmt.Errorf("the path %s stands there twice", quote(path))
	}
	return fmt.Errorf("expected the path of a file in a line above, found %s", quote(path))
}

func (c *folderCheck) addFolder(path string) error {
	if err := CheckPath(path); err != nil {
		return err
	}
	c.isOne = true
	return c.place(path, emptyFolder)
}

func (c *folderCheck) addLink(value string) error {
	l, err := parseLinkLine(value)
	if err != nil {
		return err
	}
	c.links.add(l.Path)
	return c.place(l.Path, link)
}

// place takes path for a file, an empty folder or a link, and the folders it
// lies in. A folder with nothing in it but links counts as empty.
func (c *folderCheck) place(path string, k kind) error {
	if c.paths == nil {
		c.paths = map[string]kind{}
	}
	if c.paths[path] != nothing {
		return fmt.Errorf("the path %s stands there twice", quote(path))
	}
	c.paths[path] = k
	c.placed++
	for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path[:i], '/') {
		switch c.paths[path[:i]] {
		case folder:
			return nil // and so are those above it
		case file, executable:
			return fmt.Errorf("the path %s goes through a file, %s", quote(path), quote(path[:i]))
		case link:
			return fmt.Errorf("the path %s goes through a link, %s", quote(path), quote(path[:i]))
		case emptyFolder:
			if k == link {
				return nil
			}
			return fmt.Errorf("the path %s lies in a folder that a folder line calls empty", quote(path))
		}
		if c.folders++; c.folders > sparedFolders+foldersPerLine*c.placed {
			return fmt.Errorf("the paths up to %s lie in %d folders; with %d lines %d are the most",
				quote(path), c.folders, c.placed, c.folders-1)
		}
		c.paths[path[:i]] = folder
	}
	return nil
}

func (c *folderCheck) end() error {
	if len(c.links) > 0 && !c.isOne {
		return errors.New("a link line goes with file or folder lines")
	}
	if c.listed > 0 && !c.isOne {
		return errors.New("a !pad line goes with file or folder lines")
	}
	if err := c.links.end(c.paths); err != nil {
		return err
	}
	if c.isOne && c.left != 0 {
		return fmt.Errorf("the sizes of the files sum to %d bytes less than the size in line %d", c.left, lineSize)
	}
	return nil
}
