package orch

import (
	"fmt"
	"strings"
)

// maxComponent is the largest length in bytes of one component of a path in a
// folder.
const maxComponent = 255

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
	if strings.Contains(path, `\`) {
		return 0, "", fmt.Errorf(`the path %s has a backslash; components are separated by "/"`, quote(path))
	}
	for component := range strings.SplitSeq(path, "/") {
		if err := checkComponent(component, maxComponent); err != nil {
			return 0, "", fmt.Errorf("a component of the path %s %w", quote(path), err)
		}
	}
	return size, path, nil
}

// folderCheck looks at the "file" lines as a whole: paths that can all exist
// at once, and sizes whose sum is the content's.
type folderCheck struct {
	left    int64           // bytes of the content that no line has covered
	files   map[string]bool // paths of files, nil while there is none
	folders map[string]bool // paths of the folders that they lie in
}

func (c *folderCheck) add(value string) error {
	size, path, err := parseFileLine(value)
	if err != nil {
		return err
	}
	if c.files == nil {
		c.files, c.folders = map[string]bool{}, map[string]bool{}
	}
	if c.files[path] || c.folders[path] {
		return fmt.Errorf("the path %s stands there twice", quote(path))
	}
	c.files[path] = true
	for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path[:i], '/') {
		if c.files[path[:i]] {
			return fmt.Errorf("the path %s goes through a file, %s", quote(path), quote(path[:i]))
		}
		if c.folders[path[:i]] {
			break
		}
		c.folders[path[:i]] = true
	}
	if size > c.left {
		return fmt.Errorf("the files are larger than the size in line %d", lineSize)
	}
	c.left -= size
	return nil
}

func (c *folderCheck) end() error {
	if c.files != nil && c.left != 0 {
		return fmt.Errorf("the sizes of the files sum to %d bytes less than the size in line %d", c.left, lineSize)
	}
	return nil
}
