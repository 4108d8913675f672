package member

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"orchestra/member/swarm"
)

// ErrEnded tells that the member ended before all of the content was read.
var ErrEnded = errors.New("the member ended before all of the content was written")

// BadPartError tells that the content cannot be read further: a part of what stands under its name
// is bad, and it is not to be repaired.
type BadPartError struct {
	Part int // counted from 0
	Path string
}

func (e *BadPartError) Error() string {
	return fmt.Sprintf("part %d of %s does not verify; join --repair gets it anew", e.Part, e.Path)
}

// WriteError is what a writer answered that was given the content.
type WriteError struct {
	At  int64 // bytes of the content written before
	Err error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("cannot write the content beyond its first %d bytes: %v", e.At, e.Err)
}

// Unwrap returns the writer's error.
func (e *WriteError) Unwrap() error { return e.Err }

// readSize is how much content is read back at once, from the page cache mostly. It is all the
// memory that a reader takes.
const readSize = 1 << 20

// How much of the content a reader is told of at once; a part at least.
const (
	strideSize  = 4 << 20 // bytes
	strideParts = 256     // so that tiny parts do not keep the loop
)

// WriteContent writes the content to w in order, each part once it is verified, and returns how
// many bytes it wrote. Run must be running, or be started soon. With [Config.Sequential] the parts
// come in this order, more or less, and the window in which they do goes with the latest caller.
// Only the caller waits for w: the content is on disk, and the member goes on. The error is nil
// when all was written; otherwise ctx's, [ErrEnded], *[WriteError], *[BadPartError], or
// *store.Error for the disk.
func (m *Member) WriteContent(ctx context.Context, w io.Writer) (int64, error) {
	var written int64
	buf := make([]byte, min(readSize, m.comp.Size))
	for part := 0; part < m.comp.NumParts(); {
		end, err := m.await(ctx, part)
		if err != nil {
			return written, err
		}
		for upto := min(int64(end)*m.comp.PartSize, m.comp.Size); written < upto; {
			p := buf[:min(int64(len(buf)), upto-written)]
			if err := m.store.ReadAt(p, written); err != nil {
				return written, m.unlessEnded(err)
			}
			n, err := w.Write(p)
			written += int64(n)
			if err != nil {
				return written, &WriteError{written, err}
			}
		}
		part = end
	}
	return written, nil
}

// await waits until a part is verified and returns where those that follow it without a gap end, or
// the stride does.
func (m *Member) await(ctx context.Context, part int) (int, error) {
	r := reading{part: part, upto: make(chan int, 1)}
	select {
	case m.inbox <- r:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-m.ended:
		return 0, ErrEnded
	}
	select {
	case end, ok := <-r.upto:
		if !ok {
			return 0, &BadPartError{part, m.store.Path()}
		}
		return end, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-m.ended:
		return 0, ErrEnded
	}
}

// unlessEnded tells apart a disk that fails and a member that closed its file.
func (m *Member) unlessEnded(err error) error {
	select {
	case <-m.ended:
		return ErrEnded
	default:
		return err
	}
}

// reading asks the loop to be told when a part is verified: by the end of those that are, or by a
// close if it never will be.
type reading struct {
	part int
	upto chan int // holds one answer, so that the loop never waits
}

// reading takes in where a reader is.
func (d *director) reading(r reading) {
	d.step(swarm.Reading{Part: uint32(r.part)})
	switch {
	case d.core.Has(uint32(r.part)):
		d.answer(r)
	case d.hopeless(r.part):
		close(r.upto)
	default:
		d.readers = append(d.readers, r)
	}
}

// landed answers the readers that wait for a part.
func (d *director) landed(part uint32) {
	d.readers = slices.DeleteFunc(d.readers, func(r reading) bool {
		if r.part != int(part) {
			return false
		}
		d.answer(r)
		return true
	})
}

func (d *director) answer(r reading) {
	end := r.part + 1
	for most := r.part + int(min(strideSize/d.comp.PartSize, strideParts)); end < most && d.core.Has(uint32(end)); {
		end++
	}
	r.upto <- end
}

// hopeless tells whether a part was found bad that is to stay so.
func (d *director) hopeless(part int) bool {
	return slices.Contains(d.bad, part)
}

// disappoint answers the readers that wait for a part that never comes.
func (d *director) disappoint() {
	d.readers = slices.DeleteFunc(d.readers, func(r reading) bool {
		if d.hopeless(r.part) {
			close(r.upto)
			return true
		}
		return false
	})
}
