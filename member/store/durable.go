package store

import (
	"errors"
	"io/fs"
	"path"
	"slices"

	"orchestra/member/store/disk"
)

// What is complete is told only when it outlasts a power cut: first the content is made durable,
// then the name that it gets.

// few is up to how many files are made durable one by one, rather than with all that the file
// system has to write.
const few = 16

// syncFiles makes files of the content durable. Once each was opened, or was not and why, it may be
// passed over.
func (s *Store) syncFiles(files []int, pass func(file int, opened error) bool) error {
	if len(files) > few {
		done, err := s.syncSystem()
		if done {
			s.kept(err, files...)
		}
		if done || err != nil {
			return err
		}
	}
	for _, i := range files {
		f, k, err := s.files.get(i, false)
		switch {
		case pass(i, err):
			s.files.put(k)
			continue
		case err != nil:
			return diskError("open", s.pathOf(i), err)
		}
		err = f.Sync()
		s.files.put(k)
		if s.kept(err, i); err != nil {
			return diskError("write", s.pathOf(i), err)
		}
	}
	return nil
}

// syncAll makes files durable that are all to be there.
func (s *Store) syncAll(files []int) error {
	return s.syncFiles(files, func(int, error) bool { return false })
}

// syncIncoming makes files durable that something was written to. Those that are kept as they are
// either were so before they got their names, or were never written to; those that are gone are
// found to be so by a look.
func (s *Store) syncIncoming(files []int) error {
	files = slices.DeleteFunc(slices.Clone(files), s.keeps)
	return s.syncFiles(files, func(file int, opened error) bool {
		return errors.Is(opened, fs.ErrNotExist) || s.keeps(file) // it got its name meanwhile
	})
}

// kept takes in what came of making files durable. A system that could not write something says so
// once, and may take it for written then: to sync again would tell nothing. So the parts of such
// files are doubted, and those that can be read back are written again ([Store.Recheck]).
func (s *Store) kept(err error, files ...int) {
	if err == nil {
		return
	}
	for _, i := range files {
		s.layout.eachPart(i, s.comp.PartSize, s.unkept.set)
		s.watch.unkept[i].Store(true)
	}
}

// closed takes in what came of closing a file. Some file systems tell only then that what was
// written before is lost.
func (s *Store) closed(file int, err error) {
	if err != nil && s.writes {
		s.kept(err, file)
	}
}

// rewrite writes a part again that is right and that the disk may not have kept.
func (s *Store) rewrite(part uint32) error {
	if !s.unkept.has(part) {
		return nil
	}
	s.unkept.clear(part) // a sync that fails meanwhile sets it again
	buf := blocks.Get().(*block)
	defer blocks.Put(buf)
	off := s.offset(part)
	for end := off + s.comp.PartLen(int(part)); off < end; {
		p := buf[:min(int64(len(buf)), end-off)]
		err := s.ReadAt(p, off)
		if err == nil {
			_, err = s.writeAt(p, off)
		}
		if err != nil {
			s.unkept.set(part)
			return err
		}
		off += int64(len(p))
	}
	return nil
}

// syncSystem makes all durable that was written where the content is, if that can be done at once.
func (s *Store) syncSystem() (done bool, err error) {
	dir, err := s.root.Open(".")
	if err != nil {
		return false, diskError("open folder", s.dir, err)
	}
	defer dir.Close()
	if !dir.SyncsAll() {
		return false, nil
	}
	if err := dir.SyncAll(); err != nil {
		return true, diskError("write", s.Path(), err)
	}
	return true, nil
}

// syncNames makes the names in folders below a root durable, and in those on the way to them.
func (s *Store) syncNames(root disk.Root, folders []string) error {
	if len(folders) > few {
		if done, err := s.syncSystem(); done || err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, p := range append(folders, ".") {
		for ; !seen[p]; p = path.Dir(p) {
			seen[p] = true
			if err := syncNamesIn(root, p); err != nil {
				return diskError("write folder", root.Name(), err)
			}
		}
	}
	return nil
}

func syncNamesIn(root disk.Root, folder string) error {
	dir, err := root.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.SyncNames()
}

// tellsAtOnce reports whether a file system tells what a file is like without writing anything to a
// server before.
func tellsAtOnce(root disk.Root) bool {
	dir, err := root.Open(".")
	if err != nil {
		return false
	}
	defer dir.Close()
	return dir.SyncsAll()
}
