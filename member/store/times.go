package store

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"orchestra/member/store/disk"
)

// times is when the files were modified last, by what the composition says.
type times struct {
	wanted bool
	wrote  []atomic.Bool // by file that has its name: it was written to
}

func newTimes(cfg Config, files int) times {
	t := times{wanted: !cfg.NoTimes}
	if cfg.Repair {
		t.wrote = make([]atomic.Bool, files)
	}
	return t
}

// wrote notes that a file is written to here, so that its time is not what it was.
func (s *Store) wrote(file int) {
	if s.times.wrote != nil && !s.times.wrote[file].Load() {
		s.times.wrote[file].Store(true)
	}
}

// setTime gives a file, which stands under name in root, the composition's time, if this Store
// wrote it: one that had its name and was not written to keeps what it has. It is no failure of
// the content if the time cannot be set.
func (s *Store) setTime(root disk.Root, name string, file int, hadName bool) {
	at := s.layout.entries[file].ModTime
	if at.IsZero() || !s.times.wanted {
		return
	}
	if hadName && (s.times.wrote == nil || !s.times.wrote[file].Load()) {
		return
	}
	if err := root.Chtimes(name, time.Time{}, at); err != nil {
		s.lack(fmt.Sprintf("the time of %s cannot be set: %v", s.pathOf(file), bare(err)))
		return
	}
	s.restamp(file)
}

// setFileTime does so with a single file.
func (s *Store) setFileTime() { s.setTime(s.root, *s.name.Load(), 0, !s.partial) }

// setFolderTime does so with a file of a folder.
func (s *Store) setFolderTime(file int) {
	f := s.folder
	root := f.unfinished
	if f.under[file] {
		root = f.whole
	}
	s.setTime(root, filepath.FromSlash(s.layout.entries[file].Path), file, f.under[file])
}

// lack notes what a composition has besides its content that this system could not take.
func (s *Store) lack(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lacks = append(s.lacks, text)
}

// Lacks takes what is known of links and times that could not be made or set, in words. The content
// is right without them.
func (s *Store) Lacks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lacks := s.lacks
	s.lacks = nil
	return lacks
}
