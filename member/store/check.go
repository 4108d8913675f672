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

// Check hashes every part and reports each, from several goroutines and in no order. Parts of an unfinished file
// that were never written (holes) are reported bad without being read.
func (s *Store) Check(ctx context.Context, report func(part uint32, good bool)) error {
	return s.check(ctx, func(uint32) bool { return true }, report)
}

// check does so with some of the parts.
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
			c.tell(part, true)
			return true
		}
		hopeless := c.partial && c.hole(part) || c.folder != nil && c.folder.wrong[part]
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
				var err error
				if good, err = c.compare(part); err != nil {
					return err
				}
			}
			c.tell(part, good || c.clear(part))
		}
	}
	return nil
}

// tell notes and reports what came of a part.
func (c *checker) tell(part uint32, good bool) {
	if good {
		c.mu.Lock()
		c.verify(part)
		c.mu.Unlock()
	}
	c.report(part, good)
}

// compare tells whether a part is right on disk.
func (c *checker) compare(part uint32) (bool, error) {
	c.in.reset()
	if err := c.hashOn(c.in, part); err != nil {
		if c.folder != nil && IsMissing(err) {
			return false, nil // a file of it is missing or short, as the survey told
		}
		return false, err
	}
	return bytes.Equal(c.in.hash.Sum(nil), c.comp.PartSum(int(part))), nil
}

// readAhead lets the system read parts in one go that are hashed in stripes.
func (s *Store) readAhead(parts []uint32) {
	if len(parts) < fewestTogether {
		return
	}
	from := s.offset(parts[0])
	s.layout.each(from, s.offset(parts[len(parts)-1])-from+s.comp.PartSize, func(file int, at, n int64) bool {
		if f, k, err := s.files.get(file, false); err == nil {
			willNeed(f, at, n)
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
		nothing = hole(f, at, n)
		s.files.put(k)
		return nothing
	})
	return nothing
}

// anyGood looks for one part that is right among those that have something of what stands under the name; none is a *[ContentError].
func (s *Store) anyGood() error {
	ctx, found := context.WithCancel(context.Background())
	defer found()
	var looked atomic.Bool
	err := s.check(ctx, func(part uint32) bool {
		touches := s.touchesName(part) && !s.zeros.has(part) // which many a file has
		if touches {
			looked.Store(true)
		}
		return touches
	}, func(_ uint32, good bool) {
		if good {
			found()
		}
	})
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	case !looked.Load():
		return nil
	}
	return &ContentError{Path: s.at(s.comp.Name), Reason: "none of its parts is right"}
}

// touchesName tells whether a part has something of a file that stands under its name.
func (s *Store) touchesName(part uint32) bool {
	if s.folder == nil {
		return true
	}
	touches := false
	s.layout.each(s.offset(part), s.comp.PartLen(int(part)), func(file int, _, _ int64) bool {
		touches = s.folder.under[file]
		return !touches
	})
	return touches
}
