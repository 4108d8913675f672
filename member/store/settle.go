package store

import (
	"context"
	"path"
	"path/filepath"
)

// settling is what is known of the chosen files of a folder that get their names as each is complete. The store's mu guards it.
type settling struct {
	left  []uint32      // by file: how many of its parts have not verified, if it is to be moved
	ready []int         // files that are complete and wait in NAME.part
	some  chan struct{} // holds one: some are ready
}

// beginSettling lets files move one by one if NAME is not made in one step at the end, and need not be moved aside before.
func (s *Store) beginSettling() {
	f := s.folder
	if !s.partial || s.replace || f.unfinished == nil || f.whole == nil && s.selection.all() {
		return
	}
	s.settling = &settling{left: make([]uint32, len(s.layout.entries)), some: make(chan struct{}, 1)}
	for i, e := range s.layout.entries {
		if e.Size == 0 || f.under[i] || !s.selection.Has(i) {
			continue
		}
		for part := e.Offset / s.comp.PartSize; part <= (e.Offset+e.Size-1)/s.comp.PartSize; part++ {
			if s.verified[part>>3]&(1<<(part&7)) == 0 {
				s.settling.left[i]++
			}
		}
		if s.settling.left[i] == 0 {
			s.settling.add(i)
		}
	}
}

func (st *settling) add(file int) {
	st.ready = append(st.ready, file)
	select {
	case st.some <- struct{}{}:
	default:
	}
}

// verify notes that a part is right on disk. Called with mu held.
func (s *Store) verify(part uint32) {
	if s.isVerified(part) {
		return
	}
	s.verified[part>>3] |= 1 << (part & 7)
	if s.settling == nil {
		return
	}
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, _, _ int64) bool {
		if left := &s.settling.left[file]; *left > 0 {
			if *left--; *left == 0 {
				s.settling.add(file)
			}
		}
		return true
	})
}

// Settle moves chosen files of a folder into NAME as each is complete, until ctx ends. What it cannot move stays where it is, and is
// tried again by Finish, which tells why.
func (s *Store) Settle(ctx context.Context) {
	if s.settling == nil {
		return
	}
	for {
		select {
		case <-s.settling.some:
			_ = s.settle()
		case <-ctx.Done():
			return
		}
	}
}

// settle moves the files that are ready.
func (s *Store) settle() error {
	s.moving.Lock()
	defer s.moving.Unlock()
	f := s.folder
	s.mu.Lock()
	var ready []int
	for _, i := range s.settling.ready {
		if !f.under[i] { // else Finish was faster
			ready = append(ready, i)
		}
	}
	s.settling.ready = nil
	s.mu.Unlock()
	if len(ready) == 0 {
		return nil
	}
	if err := s.syncReady(ready); err != nil {
		return err
	}
	for _, i := range ready {
		if e := s.layout.entries[i]; e.Exec {
			if err := makeExecutable(f.unfinished, e.Path, false, nil); err != nil {
				return diskError("make executable", s.pathOf(i), err)
			}
		}
		s.setFolderTime(i)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return s.files.while(ready, func() error { return s.moveFiles(ready) })
}

// few is up to how many files are made durable one by one, rather than with all that the file system has to write.
const few = 16

// syncReady makes files durable, and those that share parts with them: a part that has some of a file under its name is not fetched again.
func (s *Store) syncReady(ready []int) error {
	seen := map[int]bool{}
	var files []int
	for _, i := range ready {
		e := s.layout.entries[i]
		from := e.Offset / s.comp.PartSize * s.comp.PartSize
		last := uint32((e.Offset + e.Size - 1) / s.comp.PartSize)
		s.layout.each(from, s.offset(last)+s.comp.PartLen(int(last))-from, func(file int, _, _ int64) bool {
			if !seen[file] && !s.folder.under[file] {
				seen[file] = true
				files = append(files, file)
			}
			return true
		})
	}
	sync := syncFiles
	if len(files) > few {
		sync = syncFolder
	}
	if err := sync(s, files); err != nil {
		return diskError("write", s.Path(), err)
	}
	return nil
}

// syncFiles makes files durable one by one.
func syncFiles(s *Store, files []int) error {
	for _, i := range files {
		f, k, err := s.files.get(i, true)
		if err != nil {
			return err
		}
		err = f.Sync()
		s.files.put(k)
		if err != nil {
			return err
		}
	}
	return nil
}

// moveFiles moves files that are complete and durable from NAME.part into NAME, which is made if it is missing. Called with the folder's mu held.
func (s *Store) moveFiles(files []int) error {
	f := s.folder
	if f.whole == nil {
		if err := s.root.Mkdir(s.comp.Name, 0o777); err != nil {
			return s.notNamed(s.comp.Name, err)
		}
		var err error
		if f.whole, err = s.openRoot(s.comp.Name, true); err != nil {
			return err
		}
	}
	made := "."
	for _, i := range files {
		p := s.layout.entries[i].Path
		if dir := path.Dir(p); dir != made {
			if err := f.whole.MkdirAll(dir, 0o777); err != nil {
				return diskError("make folder", s.at(filepath.Join(s.comp.Name, dir)), err)
			}
			made = dir
		}
		if err := move(f.unfinished, f.whole, s.root, s.comp.Name, p); err != nil {
			return s.notNamed(filepath.Join(s.comp.Name, filepath.FromSlash(p)), err)
		}
		f.under[i] = true
	}
	return nil
}
