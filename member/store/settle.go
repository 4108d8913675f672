package store

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// settling is what is known of the chosen files of a folder that get their names as each is
// complete. The store's mu guards it.
type settling struct {
	left  []uint32      // by file: how many of its parts have not verified, if it is to be moved
	ready map[int]bool  // files that are complete and wait in NAME.part
	some  chan struct{} // holds one: some are ready
}

// beginSettling lets files move one by one if NAME is not made in one step at the end, and need
// not be moved aside before.
func (s *Store) beginSettling() {
	f := s.folder
	if !s.partial || s.replace || f.unfinished == nil || f.whole == nil && s.selection.all() {
		return
	}
	s.settling = &settling{
		left: make([]uint32, len(s.layout.entries)), ready: map[int]bool{}, some: make(chan struct{}, 1),
	}
	for i, e := range s.layout.entries {
		if e.Size == 0 || f.under[i] || !s.selection.Has(i) {
			continue
		}
		for part := e.Offset / s.comp.PartSize; part <= (e.Offset+e.Size-1)/s.comp.PartSize; part++ {
			if !s.verified.has(uint32(part)) {
				s.settling.left[i]++
			}
		}
		if s.settling.left[i] == 0 {
			s.settling.add(i)
		}
	}
}

func (st *settling) add(file int) {
	st.ready[file] = true
	signal(st.some)
}

// verify notes that a part is right on disk. Called with mu held.
func (s *Store) verify(part uint32) {
	s.journal.verifiedOne(s, part) // also if it was: it may have been written again
	if s.verified.has(part) {
		return
	}
	s.verified.set(part)
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

// How long what could not be moved waits until it is tried again: longer each time.
const (
	settleFirst = time.Second
	settleMost  = time.Minute
)

// Settle moves chosen files of a folder into NAME as each is complete, until ctx ends. What cannot
// be moved stays where it is, is told, and is tried again later, and by Finish.
func (s *Store) Settle(ctx context.Context, tell func(error)) {
	if s.settling == nil {
		return
	}
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	wait, told := settleFirst, ""
	for {
		select {
		case <-s.settling.some:
		case <-again.C:
		case <-ctx.Done():
			return
		}
		err := s.settle(tell)
		if err == nil {
			again.Stop()
			wait, told = settleFirst, ""
			continue
		}
		if err.Error() != told {
			told = err.Error()
			tell(err)
		}
		again.Reset(wait)
		wait = min(2*wait, settleMost)
	}
}

// settle moves the files that are ready. Those that it does not move are ready the next time, and
// the first error is returned; what does not keep a file from being moved is told.
func (s *Store) settle(tell func(error)) (err error) {
	s.moving.Lock()
	defer s.moving.Unlock()
	ready := s.takeReady()
	if len(ready) == 0 {
		return s.syncMoved(nil)
	}
	defer func() { s.stayReady(ready) }()
	if err := s.lookAtFolders(); err != nil {
		return err
	}
	if err := s.syncReady(ready); err != nil {
		return err
	}
	g := s.glance()
	ready = slices.DeleteFunc(ready, g.lookAt) // those are rechecked, and are ready again then
	g.end()
	for _, i := range ready {
		if e := s.layout.entries[i]; e.Exec {
			if err := makeExecutable(s.folder.unfinished, e.Path, false, nil); err != nil {
				tell(diskError("make executable", s.pathOf(i), err))
			}
		}
		s.setFolderTime(i)
	}
	return errors.Join(s.giveNames(ready), s.syncMoved(nil))
}

// stayReady lets files be ready that were not moved. Called with moving held.
func (s *Store) stayReady(files []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range files {
		if !s.folder.under[i] && s.settling.left[i] == 0 {
			s.settling.ready[i] = true
		}
	}
}

// giveNames moves files into NAME while nobody opens one.
func (s *Store) giveNames(ready []int) error {
	s.folder.mu.Lock()
	defer s.folder.mu.Unlock()
	return s.files.while(ready, func() error { return s.moveFiles(ready) })
}

// takeReady takes the files that are ready and were not moved by Finish, in their order. Called
// with moving held.
func (s *Store) takeReady() (ready []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range slices.Sorted(maps.Keys(s.settling.ready)) {
		if !s.folder.under[i] {
			ready = append(ready, i)
		}
	}
	clear(s.settling.ready)
	return ready
}

// syncReady makes files durable, and those that share parts with them: a part that has some of a
// file under its name is not fetched again.
func (s *Store) syncReady(ready []int) error {
	seenPart, seen := map[uint32]bool{}, map[int]bool{}
	var files []int
	for _, i := range ready {
		s.layout.eachPart(i, s.comp.PartSize, func(part uint32) {
			if seenPart[part] {
				return
			}
			seenPart[part] = true
			length := s.comp.PartLen(int(part))
			s.layout.each(s.offset(part), length, func(file int, _, _ int64) bool {
				if !seen[file] && !s.folder.under[file] {
					seen[file] = true
					files = append(files, file)
				}
				return true
			})
		})
	}
	return s.syncAll(files)
}

// syncMoved makes the names durable that files were given under NAME, and those of empty folders
// there. What fails is done with the next ones.
func (s *Store) syncMoved(empty []string) error {
	renamed := s.folder.renamed
	for _, p := range empty {
		renamed[p] = true
	}
	if len(renamed) == 0 {
		return nil
	}
	if err := s.syncNames(s.folder.whole, slices.Collect(maps.Keys(renamed))); err != nil {
		return err
	}
	if err := s.syncNames(s.root, nil); err != nil {
		return err
	}
	clear(renamed)
	return nil
}

// moveFiles moves files that are complete and durable from NAME.part into NAME, which is made if
// it is missing. One that cannot be moved stays, and the first error is returned. Called with the
// folder's mu held.
func (s *Store) moveFiles(files []int) (failed error) {
	f := s.folder
	if f.whole == nil {
		err := s.root.Mkdir(s.comp.Name, 0o777)
		if err != nil && !(f.made && errors.Is(err, fs.ErrExist)) {
			return s.notNamed(s.comp.Name, err)
		}
		f.made = true
		if f.whole, err = s.openRoot(s.comp.Name, true); err != nil {
			return err
		}
		if f.whole == nil {
			return diskError("open folder", s.at(s.comp.Name), fs.ErrNotExist)
		}
	}
	made := "."
	for _, i := range files {
		if err := s.moveFile(i, &made); err != nil {
			if failed == nil {
				failed = err
			}
			continue
		}
		f.under[i] = true
		s.journal.touch(s, i) // it has another time now
		f.renamed[path.Dir(s.layout.entries[i].Path)] = true
	}
	return failed
}

// moveFile moves one file into NAME, whose folder was made before if it is the same one.
func (s *Store) moveFile(file int, made *string) error {
	p := s.layout.entries[file].Path
	if dir := path.Dir(p); dir != *made {
		if err := s.folder.whole.MkdirAll(dir, 0o777); err != nil {
			return diskError("make folder", s.at(filepath.Join(s.comp.Name, dir)), err)
		}
		*made = dir
	}
	if err := move(s.folder.unfinished, s.folder.whole, s.root, s.comp.Name, p); err != nil {
		return s.notNamed(filepath.Join(s.comp.Name, filepath.FromSlash(p)), err)
	}
	return nil
}
