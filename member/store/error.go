package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Error is what the disk answered: full, not permitted, broken.
type Error struct {
	Op   string // what was tried: open, read, write, ...
	Path string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("cannot %s %s: %v", e.Op, e.Path, e.Err) }

// Unwrap returns the system's error.
func (e *Error) Unwrap() error { return e.Err }

func diskError(op, path string, err error) error {
	var pe *fs.PathError // its own operation and path are ours already
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the file is shorter than it was; was it changed?")
	}
	return &Error{op, path, err}
}

// ErrLocked tells that another program is getting the same content into the same folder.
var ErrLocked = errors.New("another orchestra is getting this content into this folder; stop it, or choose another folder with --dir")

// ContentError tells that something else stands where the content belongs. Nothing was changed.
type ContentError struct {
	Path   string
	Reason string
}

func (e *ContentError) Error() string {
	return fmt.Sprintf("%s is not the content of this composition: %s; move it away, let --replace do so, or choose another folder with --dir", e.Path, e.Reason)
}
