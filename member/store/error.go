package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/dustin/go-humanize"

	"orchestra/member/store/disk"
)

// Error is what the disk answered: full, not permitted, broken.
type Error struct {
	Op   string // what was tried: open, read, write, ...
	Path string
	Err  error
}

func (e *Error) Error() string {
	text := e.Fact()
	if disk.IsFull(e.Err) {
		text += "; free some space and join again: what came before is kept"
	}
	return text
}

// Fact is the error without what to do about it.
func (e *Error) Fact() string { return fmt.Sprintf("cannot %s %s: %v", e.Op, e.Path, e.Err) }

// IsFull reports whether an error is that the disk, or this user's share of it, is full.
func IsFull(err error) bool { return err != nil && disk.IsFull(err) }

// IsForGood reports whether an error is one that waiting does not mend: something else stands where
// the content belongs, or the folder that it is in is gone. Then nothing more can be got there.
func IsForGood(err error) bool {
	var other *ContentError
	return errors.As(err, &other) || errors.Is(err, errSwapped) || errors.Is(err, ErrLocked) ||
		errors.Is(err, fs.ErrNotExist)
}

// Unwrap returns the system's error.
func (e *Error) Unwrap() error { return e.Err }

func diskError(op, path string, err error) error {
	err = bare(err)
	if errors.Is(err, io.EOF) {
		err = errShorter
	}
	return &Error{op, path, err}
}

// bare is an error without the operation and the paths that the system was given: who asked knows
// better ones.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

var errShorter = errors.New("the file is shorter than it was; was it changed?")

// IsMissing tells whether an error of reading is that a file of a folder is missing or short.
func IsMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errShorter) }

// ErrChanged tells that somebody else changed the content before it got its name, or before a part
// of it was verified. [Store.Look] tells what happened, and which parts are to be rechecked.
var ErrChanged = errors.New("the content was changed by another program")

// UnverifiedError tells that content is to get its name of which a part was not verified.
type UnverifiedError struct {
	Part int
	Path string
}

func (e *UnverifiedError) Error() string {
	return fmt.Sprintf("part %d of %s is to get its name and was not verified", e.Part, e.Path)
}

// IsTooManyOpen reports whether an error is that too many files are open, which passes.
func IsTooManyOpen(err error) bool { return err != nil && disk.IsTooManyOpen(err) }

// ErrLocked tells that another program is getting the same content into the same folder.
var ErrLocked = errors.New("another orchestra is getting this content into this folder; stop it, or choose another folder with --dir")

// ContentError tells that something else stands where the content belongs. Nothing was changed.
type ContentError struct {
	Path   string
	Reason string
	// it stands where the unfinished content belongs, which --replace does not change
	Unfinished bool
	Mend       string // what else helps than to move it away
}

func (e *ContentError) Error() string {
	mend := "move it away, let --replace do so, or choose another folder with --dir"
	if e.Unfinished {
		mend = "move it away, or choose another folder with --dir"
	}
	if e.Mend != "" {
		mend = e.Mend + ", or " + mend
	}
	return fmt.Sprintf("%s is not the content of this composition: %s; %s", e.Path, e.Reason, mend)
}

// SpaceError tells that the content does not fit into what is free. It comes within an *[Error]
// that names the folder.
type SpaceError struct {
	Need int64 // bytes, beside those that the unfinished content occupies already
	Free int64 // bytes that this user may still write there
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("%s more are needed and %s are free; free some, or choose another folder with --dir",
		humanize.IBytes(uint64(e.Need)), humanize.IBytes(uint64(e.Free)))
}
