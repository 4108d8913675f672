package cli

import (
	"fmt"
	"io"
	"strings"

	"orchestra/orch"
)

// mostFiles is how many files and empty folders show lists for people.
const mostFiles = 50

// A fileDescription is a file of a folder, in the form of --json (docs/scripting.md).
type fileDescription struct {
	Path string `json:"path"` // components separated by /
	Size int64  `json:"size"` // bytes
	Exec bool   `json:"exec"`
}

func filesOf(f *orch.File) []fileDescription {
	if !f.IsFolder() {
		return nil
	}
	files := []fileDescription{}
	for _, e := range f.Entries() {
		files = append(files, fileDescription{e.Path, e.Size, e.Exec})
	}
	return files
}

// showFiles lists the first files of a folder, and after them its empty folders.
func (d *description) showFiles(w io.Writer) error {
	if !d.Folder {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s %s\n", "files", grouped(int64(len(d.Files))))
	for _, file := range d.Files[:min(len(d.Files), mostFiles)] {
		mark := " "
		if file.Exec {
			mark = "x"
		}
		fmt.Fprintf(&b, "%12s %s %s\n", bytesText(file.Size), mark, harmless(file.Path))
	}
	shown := min(len(d.Files), mostFiles)
	for _, path := range d.Folders[:min(len(d.Folders), mostFiles-shown)] {
		fmt.Fprintf(&b, "%12s   %s/\n", "empty", harmless(path))
		shown++
	}
	if more := len(d.Files) + len(d.Folders) - shown; more > 0 {
		fmt.Fprintf(&b, "... and %s more; --json lists all\n", grouped(int64(more)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
