package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"orchestra/orch"
)

// A Stream is content that is read once from elsewhere, as from a web server.
type Stream struct {
	Name    string // of the content
	Size    int64  // bytes
	ModTime time.Time
	Reader  io.Reader
	// Unchanged is asked when all was read, and returns ErrChanged if what was read may be of
	// two states. It may be nil.
	Unchanged func(ctx context.Context) error
}

// streamed is a Stream that is composed.
type streamed struct {
	*Stream
	times bool
}

func (s *streamed) size() int64 { return s.Size }

func (s *streamed) describe(f *orch.File) {
	if s.times && !s.ModTime.IsZero() {
		f.SetModTime(s.ModTime)
	}
}

func (s *streamed) read(p []byte) error {
	_, err := io.ReadFull(s.Reader, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it ends too soon: %w", io.ErrUnexpectedEOF)
	}
	return err
}

func (s *streamed) hole(int64) (int64, error) { return 0, nil }

func (s *streamed) skip(int64) error { return errors.New("a stream has no holes") }

// unchanged expects the end after size bytes.
func (s *streamed) unchanged(ctx context.Context) error {
	if n, err := io.ReadFull(s.Reader, make([]byte, 1)); n > 0 {
		return ErrChanged
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	if s.Unchanged == nil {
		return nil
	}
	return s.Unchanged(ctx)
}

func (s *streamed) close() {}
