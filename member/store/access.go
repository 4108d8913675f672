package store

import (
	"io"
	"os"
	"sync"
)

// Stretch is a stretch of the content within one open file, for sendfile. The file's own offset is
// nobody's: read at explicit offsets only. Zeros that pad lie in no file.
type Stretch struct {
	File   *os.File // nil: zeros
	Offset int64    // in the file
	Length int64
	kept   *kept
}

// Stretch opens the file in which the content goes on at an offset. It is at most so long, is
// there, and is given back with Release.
func (s *Store) Stretch(off, most int64) (Stretch, error) {
	file, at, n := s.layout.next(off, most)
	switch {
	case n == 0:
		return Stretch{}, diskError("read", s.Path(), io.EOF)
	case file == padding:
		return Stretch{Length: n}, nil
	}
	f, k, err := s.files.get(file, false)
	if err != nil {
		return Stretch{}, diskError("open", s.pathOf(file), err)
	}
	st := Stretch{f.System(), at, n, k}
	info, err := f.Stat()
	if err == nil && info.Size() < st.Offset+st.Length {
		err = errShorter
	}
	if err != nil {
		s.files.put(k)
		return Stretch{}, diskError("read", s.pathOf(file), err)
	}
	return st, nil
}

// Ready reports why a stretch of the content cannot be read, as far as that shows without reading
// it: a file of it is missing or short.
func (s *Store) Ready(off, length int64) error {
	for length > 0 {
		st, err := s.Stretch(off, length)
		if err != nil {
			return err
		}
		s.Release(st)
		off, length = off+st.Length, length-st.Length
	}
	return nil
}

// Release gives a stretch back.
func (s *Store) Release(st Stretch) {
	if st.kept != nil {
		s.files.put(st.kept)
	}
}

// ReadAt fills p from an offset of the content. Content that ends before p is full is an *[Error].
func (s *Store) ReadAt(p []byte, off int64) error {
	for len(p) > 0 {
		file, at, n := s.layout.next(off, int64(len(p)))
		switch {
		case n == 0:
			return diskError("read", s.Path(), io.EOF)
		case file == padding:
			clear(p[:n])
			p, off = p[n:], off+n
			continue
		}
		f, k, err := s.files.get(file, false)
		if err != nil {
			return diskError("open", s.pathOf(file), err)
		}
		_, err = f.ReadAt(p[:n], at)
		s.files.put(k)
		if err != nil {
			return diskError("read", s.pathOf(file), err)
		}
		p, off = p[n:], off+n
	}
	return nil
}

// writeAt writes p at an offset of the content. What lies in files that are left as they are is
// not written, and then it tells that the disk may hold something else than p.
func (s *Store) writeAt(p []byte, off int64) (left bool, err error) {
	for len(p) > 0 {
		file, at, n := s.layout.next(off, int64(len(p)))
		switch {
		case n == 0:
			return left, diskError("write", s.Path(), io.EOF)
		case file == padding:
			left = left || !allZero(p[:n])
			p, off = p[n:], off+n
			continue
		}
		if s.keeps(file) {
			left = true
		} else if err := s.writeTo(file, p[:n], at); err != nil {
			return left, err
		}
		p, off = p[n:], off+n
	}
	return left, nil
}

// turn is held by who writes to a file. While one writes, the system would make others spin.
func (s *Store) turn(file int) *sync.Mutex { return &s.turns[file%len(s.turns)] }

func (s *Store) writeTo(file int, p []byte, at int64) error {
	turn := s.turn(file)
	turn.Lock()
	defer turn.Unlock()
	if len(p) > 0 || s.watch.get(file).size < 0 { // an empty file that is there stays as it is
		s.wrote(file)
	}
	f, k, err := s.files.get(file, true)
	if err != nil {
		return diskError("open", s.pathOf(file), err)
	}
	defer s.files.put(k)
	s.before(file, f)
	defer s.after(file, f)
	_, err = f.WriteAt(p, at)
	if r := s.remaking; err == nil && r != nil {
		err = r.write(p, at)
	}
	if err != nil {
		return diskError("write", s.pathOf(file), err)
	}
	return nil
}

// pathOf is where a file of the content is now, for people.
func (s *Store) pathOf(file int) string {
	if s.folder == nil {
		return s.Path()
	}
	return s.folder.pathOf(s, file)
}
