package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"orchestra/member/store/sha1x8"
)

// batch is how many bytes of parts a worker of the check takes at a time.
const batch = 8 << 20

// Check hashes every part that is not [Store.Known] and reports each, from several goroutines and
// in no order. Parts of unfinished content that were never written (holes), or are not there by
// its journal, are reported bad without being read, and those of zeros good. Where a part of zeros
// may be written to, it becomes so.
func (s *Store) Check(ctx context.Context, report func(part uint32, good bool)) error {
	unknown := func(part uint32) bool { return !s.believes(part) }
	err := s.check(ctx, unknown, func(part uint32, good bool) {
		if good = good || s.clear(part); good {
			s.mu.Lock()
			s.verify(part)
			s.mu.Unlock()
		}
		report(part, good)
	})
	if err == nil {
		s.looked.Store(true)
	}
	return err
}

// check looks at some of the parts.
func (s *Store) check(ctx context.Context, some func(part uint32) bool, report func(part uint32, good bool)) error {
	parts := int64(s.comp.NumParts())
	step := max(int64(s.Together()), batch/s.comp.PartSize)
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(int64(runtime.GOMAXPROCS(0)), (parts-1)/step+1) {
		g.Go(func() error {
			c := &checker{Store: s, report: report, in: &intake{hash: s.comp.Hash().New()}}
			for {
				from := next.Add(step) - step
				if from >= parts {
					return nil
				}
				c.parts = c.parts[:0]
				for part := from; part < min(from+step, parts); part++ {
					if some(uint32(part)) {
						c.parts = append(c.parts, uint32(part))
					}
				}
				if err := c.run(ctx); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// checker is one worker of a check.
type checker struct {
	*Store
	report func(part uint32, good bool)
	in     *intake
	parts  []uint32 // to be checked
}

// run checks the parts and reports each.
func (c *checker) run(ctx context.Context) error {
	c.parts = slices.DeleteFunc(c.parts, func(part uint32) bool {
		if (c.folder == nil || !c.folder.wrong[part]) && c.isHole(part) {
			c.report(part, true)
			return true
		}
		hopeless := c.absent(part) || c.partial && c.hole(part) || c.folder != nil && c.folder.wrong[part]
		if hopeless {
			c.report(part, false)
		}
		return hopeless
	})
	if c.Together() > 1 {
		c.readAhead(c.parts)
	}
	for group := range slices.Chunk(c.parts, sha1x8.Lanes) {
		right, ok := c.compareTogether(group)
		for i, part := range group {
			if err := ctx.Err(); err != nil {
				return err
			}
			good := ok && right[i]
			if !ok {
				good = c.compare(part)
			}
			c.report(part, good)
		}
	}
	return nil
}

// absent reports whether it is known from before that a part is not there.
func (s *Store) absent(part uint32) bool {
	return s.exhaustive && !s.believes(part) && !s.Keeps(part)
}

// compare tells whether a part is right on disk.
func (c *checker) compare(part uint32) bool {
	c.in.reset()
	if err := c.hashOn(c.in, part); err != nil {
		c.cannotRead(err)
		return false
	}
	return bytes.Equal(c.in.hash.Sum(nil), c.comp.PartSum(int(part)))
}

// readAhead lets the system read parts in one go that are hashed in stripes.
func (s *Store) readAhead(parts []uint32) {
	if len(parts) < fewestTogether {
		return
	}
	from := s.offset(parts[0])
	s.layout.each(from, s.offset(parts[len(parts)-1])-from+s.comp.PartSize, func(file int, at, n int64) bool {
		if f, k, err := s.files.get(file, false); err == nil {
			f.WillNeed(at, n)
			s.files.put(k)
		}
		return true
	})
}

// hole tells whether nothing of a part was ever written.
func (s *Store) hole(part uint32) bool {
	nothing := true
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, at, n int64) bool {
		f, k, err := s.files.get(file, false)
		if err != nil {
			nothing = errors.Is(err, fs.ErrNotExist)
			return nothing
		}
		nothing = f.Hole(at, n)
		s.files.put(k)
		return nothing
	})
	return nothing
}
