package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"orchestra/member/store/sha1x8"
)

// intake is the checksum of a part on its way in, as far as its bytes came in order. What came out
// of order, or was not to be hashed yet, is read back. Who holds mu may wait for the disk, so what
// Upto tells can be read without it.
type intake struct {
	mu     sync.Mutex   // held by who changes anything
	stored atomic.Int64 // bytes on disk, from the start of the part
	hash   hash.Hash
	upto   int64       // bytes hashed, from the start of the part
	done   atomic.Bool // the part verified
	torn   bool        // some of it may be gone from the disk since it was written
}

func (s *Store) intake(part uint32) *intake {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verified.has(part) {
		in := &intake{}
		in.done.Store(true)
		return in
	}
	in := s.begun(part)
	if in == nil {
		in = &intake{hash: s.comp.Hash().New()}
		s.intakes.Store(part, in)
	}
	return in
}

// begun returns the intake of a part of which something came and that did not verify; nil: there is
// none. It takes no lock.
func (s *Store) begun(part uint32) *intake {
	in, ok := s.intakes.Load(part)
	if !ok {
		return nil
	}
	return in.(*intake)
}

// close drops the intake of a part that verified. Whoever still holds it finds it done.
func (s *Store) close(part uint32, in *intake) {
	in.done.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verify(part)
	s.intakes.Delete(part) // after that: Upto takes no lock
}

// Write puts p at begin (bytes) of a part. Bytes that continue what was written in order before
// are hashed while they are hot. What the checksum covers is always what is on disk: writes to one
// part wait for each other, one that goes back begins the checksum anew, and a part that verified
// is not written again.
func (s *Store) Write(part uint32, begin int64, p []byte) error { return s.write(part, begin, p, true) }

// WriteOnly is Write for parts that come so fast that they are better hashed together: VerifyAll
// reads them back.
func (s *Store) WriteOnly(part uint32, begin int64, p []byte) error {
	return s.write(part, begin, p, false)
}

func (s *Store) write(part uint32, begin int64, p []byte, hashed bool) error {
	if begin < 0 || begin+int64(len(p)) > s.comp.PartLen(int(part)) {
		return fmt.Errorf("%d bytes at %d are not within part %d", len(p), begin, part)
	}
	err := s.writeOnce(part, begin, p, hashed)
	if s.folder == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.moving.Lock() // the folder was removed, and is made anew
	err = s.lookAtFolders()
	s.moving.Unlock()
	if err != nil {
		return err
	}
	return s.writeOnce(part, begin, p, hashed)
}

func (s *Store) writeOnce(part uint32, begin int64, p []byte, hashed bool) error {
	in := s.intake(part)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.done.Load() {
		return nil
	}
	if begin < in.stored.Load() {
		in.reset()
	}
	if hashed = hashed && begin == in.upto; hashed {
		in.hash.Write(p) // before its turn, so that one is hashed while another one is written
	}
	left, err := s.writeAt(p, s.offset(part)+begin)
	switch {
	case err != nil || left:
		if hashed {
			in.reset()
		}
		return err
	case begin == in.stored.Load():
		in.stored.Add(int64(len(p)))
	}
	if hashed {
		in.upto += int64(len(p))
	}
	return nil
}

// Verify tells whether a part that was written in full matches its checksum. An error is that it
// cannot be read, or [ErrChanged].
func (s *Store) Verify(part uint32) (bool, error) {
	in := s.intake(part)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.done.Load() {
		return true, nil
	}
	if err := s.hashOn(in, part); err != nil {
		in.reset()
		return false, err
	}
	if !bytes.Equal(in.hash.Sum(nil), s.comp.PartSum(int(part))) {
		in.reset()
		if in.torn {
			in.torn = false
			return false, ErrChanged
		}
		return false, nil
	}
	s.close(part, in)
	return true, nil
}

// VerifyAll does so with several parts, which it may do at once, and tells of each, in no order,
// and why one could not be read.
func (s *Store) VerifyAll(parts []uint32, tell func(part uint32, good bool, err error)) {
	parts = slices.Compact(slices.Sorted(slices.Values(parts)))
	for group := range slices.Chunk(parts, sha1x8.Lanes) {
		right, ok := s.verifyTogether(group)
		for i, part := range group {
			if ok {
				tell(part, right[i], nil)
				continue
			}
			good, err := s.Verify(part)
			tell(part, good, err)
		}
	}
}

// verifyTogether does so side by side, if none of the parts is hashed already.
func (s *Store) verifyTogether(parts []uint32) (right []bool, ok bool) {
	intakes := make([]*intake, len(parts))
	for i, part := range parts {
		in := s.intake(part)
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.done.Load() || in.torn || in.upto == s.comp.PartLen(int(part)) {
			return nil, false
		}
		intakes[i] = in
	}
	if right, ok = s.compareTogether(parts); !ok {
		return nil, false
	}
	for i, in := range intakes {
		if right[i] {
			s.close(parts[i], in)
		} else {
			in.reset()
		}
	}
	return right, true
}

// Upto returns how many bytes of a part are on disk in order, from its start. Of a part that this
// Store verified that is all of it. Until then they may turn out to be bad. Upto takes no lock.
func (s *Store) Upto(part uint32) int64 {
	in := s.begun(part)
	switch {
	case in != nil && !in.done.Load():
		return in.stored.Load()
	case in != nil, s.verified.has(part):
		return s.comp.PartLen(int(part))
	}
	return 0
}

// Verified reports whether a part matched its checksum when this Store looked last. It takes no
// lock.
func (s *Store) Verified(part uint32) bool { return s.verified.has(part) }

func (in *intake) reset() {
	in.hash.Reset()
	in.stored.Store(0)
	in.upto = 0
}

// block is room for content on its way from the disk to a checksum.
type block [blockBytes]byte

const blockBytes = 256 << 10

var blocks = sync.Pool{New: func() any { return new(block) }}

// hashOn reads the rest of a part back and hashes it.
func (s *Store) hashOn(in *intake, part uint32) error {
	length := s.comp.PartLen(int(part))
	if in.upto == length {
		return nil
	}
	buf := blocks.Get().(*block)
	defer blocks.Put(buf)
	for in.upto < length {
		p := buf[:min(int64(len(buf)), length-in.upto)]
		if err := s.ReadAt(p, s.offset(part)+in.upto); err != nil {
			return err
		}
		in.hash.Write(p)
		in.upto += int64(len(p))
	}
	return nil
}
