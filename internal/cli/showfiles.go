package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"orchestra/orch"
)

// mostFiles is how many files, empty folders and links show lists for people.
const mostFiles = 50

// A fileDescription is a file of a folder, in the form of --json (docs/scripting.md).
type fileDescription struct {
	Path     string `json:"path"` // components separated by /
	Size     int64  `json:"size"` // bytes
	Exec     bool   `json:"exec"`
	Modified string `json:"modified,omitempty"` // RFC 3339, in UTC
}

// A linkDescription is a symbolic link of a folder, in the form of --json (docs/scripting.md).
type linkDescription struct {
	Path   string `json:"path"`   // components separated by /
	Target string `json:"target"` // relative to the folder of the link
}

// momentText is a time as an .orch file has it, empty if there is none.
func momentText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func linksOf(f *orch.File) []linkDescription {
	var links []linkDescription
	for _, l := range f.Links() {
		links = append(links, linkDescription{l.Path, l.Target})
	}
	return links
}

func filesOf(f *orch.File) []fileDescription {
	if !f.IsFolder() {
		return nil
	}
	files := []fileDescription{}
	for _, e := range f.Entries() {
		files = append(files, fileDescription{e.Path, e.Size, e.Exec, momentText(e.ModTime)})
	}
	return files
}

// showFiles lists the first files of a folder, and after them its empty folders and its links.
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
	for _, link := range d.Links[:min(len(d.Links), mostFiles-shown)] {
		fmt.Fprintf(&b, "%12s   %s -> %s\n", "link", harmless(link.Path), harmless(link.Target))
		shown++
	}
	if more := len(d.Files) + len(d.Folders) + len(d.Links) - shown; more > 0 {
		fmt.Fprintf(&b, "... and %s more; --json lists all\n", grouped(int64(more)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
