package store

import (
	"sort"

	"orchestra/orch"
)

// layout tells which file has which stretch of the content. A single file is a layout of one file;
// the rest of the store knows offsets of the content only.
type layout struct {
	entries []orch.Entry // in the order of the content
}

func newLayout(f *orch.File) layout {
	if f.IsFolder() {
		return layout{f.Entries()}
	}
	return layout{[]orch.Entry{{Path: f.Name, Size: f.Size, ModTime: f.ModTime()}}}
}

// find gives the file that has the byte at an offset of the content, and where in it; the number of
// files where none has. Empty files have no byte.
func (l *layout) find(off int64) (file int, at int64) {
	if len(l.entries) == 1 && off < l.entries[0].Size {
		return 0, off
	}
	file = sort.Search(len(l.entries), func(i int) bool { return l.entries[i].Offset+l.entries[i].Size > off })
	if file < len(l.entries) {
		at = off - l.entries[file].Offset
	}
	return file, at
}

// eachPart calls do for every part that has something of a file.
func (l *layout) eachPart(file int, partSize int64, do func(part uint32)) {
	e := l.entries[file]
	for part := e.Offset / partSize; e.Size > 0 && part*partSize < e.Offset+e.Size; part++ {
		do(uint32(part))
	}
}

// each calls do for every file that has some of a stretch of the content, until it says no.
func (l *layout) each(off, length int64, do func(file int, at, n int64) bool) {
	for length > 0 {
		file, at := l.find(off)
		if file == len(l.entries) {
			return
		}
		n := min(length, l.entries[file].Size-at)
		if !do(file, at, n) {
			return
		}
		off, length = off+n, length-n
	}
}
