package orch

import (
	"slices"
	"strconv"
	"time"
)

// Entry is a file of a folder.
type Entry struct {
	Path    string    // components separated by "/"
	Size    int64     // bytes
	Offset  int64     // of its first byte in the content
	Exec    bool      // whether it is executable
	ModTime time.Time // when it was modified last; zero: not known
}

// IsFolder reports whether the composition is a folder: whether it has "file"
// or "folder" lines. Its content is then that of its files one after the
// other.
func (f *File) IsFolder() bool {
	return slices.ContainsFunc(f.Lines, func(l Line) bool { return l.Key == keyFile || l.Key == keyFolder })
}

// Entries gives the files of a folder in their order, none for a single file.
// Between them there may be zeros (BEP 47), of which no file is made. It reads
// the lines anew each time.
func (f *File) Entries() []Entry {
	var entries []Entry
	at := map[string]int{} // where in entries a path stands
	offset := int64(0)
	for _, l := range f.Lines {
		switch l.Key {
		case keyPad:
			size, _, _ := parseFileLine(l.Value)
			offset += size
		case keyFile:
			size, path, _ := parseFileLine(l.Value)
			at[path] = len(entries)
			entries = append(entries, Entry{Path: path, Size: size, Offset: offset})
			offset += size
		case keyTime:
			if n := len(entries); n > 0 { // its file's line is the one above
				entries[n-1].ModTime, _ = parseTimeLine(l.Value)
			}
		case keyExec:
			if i, ok := at[l.Value]; ok {
				entries[i].Exec = true
			}
		}
	}
	return slices.Clip(entries)
}

// Folders gives the empty folders of a folder. Those with something in them
// follow from the paths of what they hold.
func (f *File) Folders() []string {
	var folders []string
	for _, l := range f.Lines {
		if l.Key == keyFolder {
			folders = append(folders, l.Value)
		}
	}
	return folders
}

// AddFolder appends the lines for the files of a folder, for its empty folders
// and for its links, in the order given. Offsets are not looked at: they follow
// from the sizes.
func (f *File) AddFolder(entries []Entry, folders []string, links []Link) {
	f.Lines = slices.Grow(f.Lines, len(entries)+len(folders)+len(links))
	for _, e := range entries {
		f.Lines = append(f.Lines, Line{keyFile, strconv.FormatInt(e.Size, 10) + " " + e.Path})
		if !e.ModTime.IsZero() && HasTime(e.ModTime) {
			f.Lines = append(f.Lines, Line{keyTime, formatTime(e.ModTime)})
		}
	}
	for _, e := range entries {
		if e.Exec {
			f.Lines = append(f.Lines, Line{keyExec, e.Path})
		}
	}
	for _, path := range folders {
		f.Lines = append(f.Lines, Line{keyFolder, path})
	}
	for _, l := range links {
		f.Lines = append(f.Lines, Line{keyLink, l.value()})
	}
}
