package member

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// A ContentReader reads the content while it comes: a read waits until the parts are verified that
// it reads. It is an [io.ReaderAt], and safe for any number of readers; [io.NewSectionReader] makes
// an io.ReadSeeker of it.
type ContentReader struct {
	m   *Member
	ctx context.Context
}

// Content returns a reader of the content of a member whose Run is running, or is started soon.
// Reads end with the context. With [Config.Sequential] what follows the latest read comes first.
// The errors are those of [Member.WriteContent], but for the writer's.
func (m *Member) Content(ctx context.Context) *ContentReader { return &ContentReader{m, ctx} }

// Size returns the size of the content in bytes.
func (r *ContentReader) Size() int64 { return r.m.comp.Size }

// ReadAt reads len(p) bytes at an offset once they are there. As [io.ReaderAt] has it, it reads
// fewer only with an error, which is io.EOF at the end.
func (r *ContentReader) ReadAt(p []byte, at int64) (int, error) {
	size := r.Size()
	switch {
	case at < 0:
		return 0, fmt.Errorf("cannot read at %d: %w", at, errNegative)
	case at >= size:
		return 0, io.EOF
	}
	wanted := p[:min(int64(len(p)), size-at)]
	read := 0
	for read < len(wanted) {
		from := at + int64(read)
		end, err := r.m.await(r.ctx, int(from/r.m.comp.PartSize))
		if err != nil {
			return read, err
		}
		there := min(int64(end)*r.m.comp.PartSize, size) - from
		piece := wanted[read:min(int64(len(wanted)), int64(read)+there)]
		if err := r.m.store.ReadAt(piece, from); err != nil {
			return read, r.m.unlessEnded(err)
		}
		read += len(piece)
	}
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

var errNegative = errors.New("the offset is negative")
