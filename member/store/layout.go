package store

import (
	"sort"

	"orchestra/orch"
)

// layout tells which file has which stretch of the content. A single file is a layout of one file;
// the rest of the store knows offsets of the content only. Between the files of a composition that
// came from a torrent there may be zeros that pad (BEP 47), which lie in no file.
type layout struct {
	entries []orch.Entry // in the order of the content
	size    int64        // of the content
}

func newLayout(f *orch.File) layout {
	if f.IsFolder() {
		return layout{f.Entries(), f.Size}
	}
	return layout{[]orch.Entry{{Path: f.Name, Size: f.Size, ModTime: f.ModTime()}}, f.Size}
}

// padding stands for a file where zeros pad.
const padding = -1

// next gives what the content has at an offset: a file, or padding, from where in it, and for how
// many bytes, most at the most. It is none where the content ends. Empty files have no byte.
func (l *layout) next(off, most int64) (file int, at, n int64) {
	if len(l.entries) == 1 && off < l.entries[0].Size && l.entries[0].Offset == 0 {
		return 0, off, min(most, l.entries[0].Size-off)
	}
	file = sort.Search(len(l.entries), func(i int) bool { return l.entries[i].Offset+l.entries[i].Size > off })
	begins := l.size
	if file < len(l.entries) {
		e := l.entries[file]
		if at = off - e.Offset; at >= 0 {
			return file, at, min(most, e.Size-at)
		}
		begins = e.Offset
	}
	return padding, 0, max(0, min(most, begins-off))
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
		file, at, n := l.next(off, length)
		if n == 0 || file != padding && !do(file, at, n) {
			return
		}
		off, length = off+n, length-n
	}
}

// padded is how many bytes of the content pad.
func (l *layout) padded() int64 {
	n := l.size
	for _, e := range l.entries {
		n -= e.Size
	}
	return n
}
