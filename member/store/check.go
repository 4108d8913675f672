package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// batch is how many bytes of parts a worker of the check takes at a time.
const batch = 4 << 20

// Check hashes every part and reports each, from several goroutines and in no order. Parts of an unfinished file
// that were never written (holes) are reported bad without being read.
func (s *Store) Check(ctx context.Context, report func(part uint32, good bool)) error {
	return s.check(ctx, func(uint32) bool { return true }, report)
}

// check does so with some of the parts.
func (s *Store) check(ctx context.Context, some func(part uint32) bool, report func(part uint32, good bool)) error {
	parts := int64(s.comp.NumParts())
	step := max(1, batch/s.comp.PartSize)
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(int64(runtime.GOMAXPROCS(0)), parts) {
		g.Go(func() error {
			in := &intake{hash: s.comp.Hash().New()}
			for {
				from := next.Add(step) - step
				if from >= parts {
					return nil
				}
				for part := from; part < min(from+step, parts); part++ {
					if err := ctx.Err(); err != nil {
						return err
					}
					if !some(uint32(part)) {
						continue
					}
					good, err := s.checkPart(in, uint32(part))
					if err != nil {
						return err
					}
					report(uint32(part), good)
				}
			}
		})
	}
	return g.Wait()
}

func (s *Store) checkPart(in *intake, part uint32) (bool, error) {
	if s.partial && s.hole(part) || s.folder != nil && s.folder.wrong[part] {
		return false, nil
	}
	in.reset()
	if err := s.hashOn(in, part); err != nil {
		if s.folder != nil && IsMissing(err) {
			return false, nil // a file of it is missing or short, as the survey told
		}
		return false, err
	}
	if !bytes.Equal(in.hash.Sum(nil), s.comp.PartSum(int(part))) {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verify(part)
	return true, nil
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
		touches := s.touchesName(part)
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
