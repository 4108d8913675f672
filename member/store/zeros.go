package store

import (
	"bytes"
	"errors"

	"orchestra/member/store/disk"
	"orchestra/orch"
)

// A part whose checksum is that of zeros is known without being fetched: a hole in its place is
// right. So the empty stretches of a disk image take neither the network nor the disk.

// zeros are the parts that are known to be nothing but zeros, of those that are wanted.
type zeros struct {
	bits  []byte // one a part, as in a bitfield message; nil: there are none
	bytes int64
}

// findZeros looks for them. The checksum of zeros is computed for the length of all parts but the
// last, and for that of the last.
func findZeros(f *orch.File, chosen *Selection) (z zeros) {
	n := f.NumParts()
	if n == 0 || f.PartSize > orch.MaxPartSize {
		return z
	}
	skip, _, _ := chosen.Skip(f)
	sum := f.Hash().SumOfZeros(f.PartLen(0))
	for part := range n {
		if part > 0 && part == n-1 && f.PartLen(part) != f.PartSize {
			sum = f.Hash().SumOfZeros(f.PartLen(part))
		}
		if !bytes.Equal(f.PartSum(part), sum) || skip != nil && skip[part>>3]&(0x80>>(part&7)) != 0 {
			continue
		}
		if z.bits == nil {
			z.bits = make([]byte, (n+7)/8)
		}
		z.bits[part>>3] |= 0x80 >> (part & 7)
		z.bytes += f.PartLen(part)
	}
	return z
}

func (z *zeros) has(part uint32) bool {
	return z.bits != nil && z.bits[part>>3]&(0x80>>(part&7)) != 0
}

// are reports whether a bitfield has these parts and no others.
func (z *zeros) are(have []byte) bool { return bytes.Equal(z.bits, have) }

// Known has a bit, as in a bitfield message, for each part that is here from the start, of which
// Check does not tell: those that a record is believed to be right about, and where Open made the
// content those of zeros. Nil if there are none.
func (s *Store) Known() []byte {
	if !s.fresh {
		return s.believed
	}
	return s.zeros.bits
}

// takeZeros lets the parts of zeros of content that was just made be here.
func (s *Store) takeZeros() error {
	if !s.fresh || s.zeros.bits == nil {
		return nil
	}
	for part := range uint32(s.comp.NumParts()) {
		if !s.zeros.has(part) {
			continue
		}
		if err := s.extend(part); err != nil {
			return err
		}
		s.mu.Lock()
		s.verify(part)
		s.mu.Unlock()
	}
	return nil
}

// isHole reports whether a part of zeros is right because it is a hole. What was not made yet of
// unfinished content is made so.
func (s *Store) isHole(part uint32) bool {
	if !s.zeros.has(part) || !s.hole(part) {
		return false
	}
	if s.partial && !s.Keeps(part) && s.extend(part) != nil {
		return false
	}
	there := true
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, at, n int64) bool {
		f, k, err := s.files.get(file, false)
		if err != nil {
			there = false
			return false
		}
		info, err := f.Stat()
		s.files.put(k)
		there = err == nil && info.Size() >= at+n
		return there
	})
	return there
}

// extend makes the files of a part long enough for it, without writing to them.
func (s *Store) extend(part uint32) (err error) {
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, at, n int64) bool {
		err = s.lengthen(file, at+n)
		return err == nil
	})
	return err
}

// lengthen makes a file that is shorter as long as size.
func (s *Store) lengthen(file int, size int64) error {
	turn := s.turn(file)
	turn.Lock()
	defer turn.Unlock()
	f, k, err := s.files.get(file, true)
	if err != nil {
		return diskError("open", s.pathOf(file), err)
	}
	defer s.files.put(k)
	info, err := f.Stat()
	if err == nil && info.Size() < size {
		s.wrote(file)
		s.before(file, f)
		err = f.Truncate(size)
		s.after(file, f)
	}
	if err != nil {
		return diskError("make room in", s.pathOf(file), err)
	}
	return nil
}

// clear puts zeros in place of a part of zeros that is something else on disk, if it may be
// written to. It reports whether it did.
func (s *Store) clear(part uint32) bool {
	if !s.zeros.has(part) || s.Keeps(part) || s.extend(part) != nil {
		return false
	}
	var err error
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, at, n int64) bool {
		err = s.clearFile(file, at, n)
		return err == nil
	})
	return err == nil
}

// clearFile makes a hole of a stretch of a file, or writes zeros where that cannot be.
func (s *Store) clearFile(file int, at, n int64) error {
	if s.punchFile(file, at, n) == nil {
		return nil
	}
	var nothing [64 << 10]byte
	for end := at + n; at < end; {
		p := nothing[:min(int64(len(nothing)), end-at)]
		if err := s.writeTo(file, p, at); err != nil {
			return err
		}
		at += int64(len(p))
	}
	return nil
}

func (s *Store) punchFile(file int, at, n int64) error {
	turn := s.turn(file)
	turn.Lock()
	defer turn.Unlock()
	if s.remaking != nil {
		return errors.ErrUnsupported // the copy needs it too
	}
	f, k, err := s.files.get(file, true)
	if err != nil {
		return err
	}
	defer s.files.put(k)
	s.wrote(file)
	s.before(file, f)
	defer s.after(file, f)
	return f.Punch(at, n)
}

// holeBytes is how many bytes of the content take no room here.
func (s *Store) holeBytes() int64 {
	if !disk.Sparse {
		return 0
	}
	return s.zeros.bytes
}
