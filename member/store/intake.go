package store

import (
	"bytes"
	"hash"
	"sync"
)

// intake is the checksum of a part on its way in, as far as its bytes came in order. What came out of order is read back.
type intake struct {
	mu   sync.Mutex
	hash hash.Hash
	upto int64 // bytes hashed, from the start of the part
}

func (s *Store) intake(part uint32) *intake {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.intakes[part]
	if in == nil {
		in = &intake{hash: s.comp.Hash().New()}
		s.intakes[part] = in
	}
	return in
}

// Forget drops what is known of a part that was begun; it may be written anew.
func (s *Store) Forget(part uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.intakes, part)
}

// Write puts p at begin (bytes) of a part. Bytes that continue what was written in order before are hashed while they are hot.
func (s *Store) Write(part uint32, begin int64, p []byte) error {
	in := s.intake(part)
	in.mu.Lock()
	if in.upto == begin {
		in.hash.Write(p)
		in.upto += int64(len(p))
	}
	in.mu.Unlock()
	if _, err := s.file.WriteAt(p, s.offset(part)+begin); err != nil {
		return diskError("write", s.Path(), err)
	}
	return nil
}

// Verify tells whether a part that was written in full matches its checksum.
func (s *Store) Verify(part uint32) (bool, error) {
	in := s.intake(part)
	defer s.Forget(part)
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := s.hashOn(in, part); err != nil {
		return false, err
	}
	return bytes.Equal(in.hash.Sum(nil), s.comp.PartSum(int(part))), nil
}

var blocks = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// hashOn reads the rest of a part back and hashes it.
func (s *Store) hashOn(in *intake, part uint32) error {
	length := s.comp.PartLen(int(part))
	if in.upto == length {
		return nil
	}
	buf := blocks.Get().(*[256 << 10]byte)
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
