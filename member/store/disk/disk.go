// Package disk is what the content asks of a file system: a folder that is held open ([os.Root]),
// the files in it, and what each system has a word of its own for. It knows no content and keeps
// no state. The store reaches the disk by its three interfaces alone, so that tests can put a disk
// under it that fails.
package disk

import (
	"io"
	"io/fs"
	"os"
	"time"
)

// Disk is where folders are opened.
type Disk interface {
	MkdirAll(path string, perm fs.FileMode) error
	OpenRoot(path string) (Root, error)
	// Stat and Open follow symbolic links, wherever they lead. Open is for reading.
	Stat(path string) (fs.FileInfo, error)
	Open(path string) (File, error)
}

// Root is a folder that is held open. Names are below it, as with an [os.Root].
type Root interface {
	Name() string
	Close() error

	Open(name string) (File, error)
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	OpenRoot(name string) (Root, error)
	// OpenLock opens a folder and takes its lock, which ends with the file. Where a folder cannot
	// be locked it is a file beside it. [ErrHeld] tells that somebody else has it.
	OpenLock(name string) (File, error)

	Stat(name string) (fs.FileInfo, error)
	Lstat(name string) (fs.FileInfo, error)
	Readlink(name string) (string, error)

	Mkdir(name string, perm fs.FileMode) error
	MkdirAll(name string, perm fs.FileMode) error
	Symlink(target, name string) error
	Remove(name string) error
	Chmod(name string, mode fs.FileMode) error
	Chtimes(name string, read, modified time.Time) error
	Rename(from, to string) error
	// RenameNew is Rename that replaces nothing: [fs.ErrExist] tells that something has the name.
	RenameNew(from, to string) error
	// Relink gives a file that is open a name, if it has another one still.
	Relink(f File, name string) error
}

// File is an open file, or a folder that was opened to be read or made durable.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	ReadDir(n int) ([]fs.DirEntry, error)
	Truncate(size int64) error
	Sync() error

	// Lock takes the file's lock, which ends with the file. [ErrHeld] tells that somebody else has
	// it.
	Lock() error
	// Hole reports whether nothing was ever written to a stretch. Where that is unknown it is not
	// so.
	Hole(off, length int64) bool
	// Punch makes a hole of a stretch, if that can be done.
	Punch(off, length int64) error
	// WillNeed lets the system read a stretch ahead.
	WillNeed(off, length int64)
	// Free is how many bytes this user may still write where the file is, if the system tells.
	Free() (bytes int64, ok bool)
	// Linked reports whether the file has a name still, wherever.
	Linked() bool
	// SyncNames makes the names in a folder durable, where a folder can be.
	SyncNames() error
	// SyncsAll reports whether SyncAll can be relied on where the file is. There, the system also
	// tells at once what a file is like.
	SyncsAll() bool
	// SyncAll makes all durable that was written where the file is.
	SyncAll() error
	// System is the system's own file, for what moves content without a look at it.
	System() *os.File
}

// System is the disk of this host.
func System() Disk { return host{} }

type host struct{}

func (host) MkdirAll(path string, perm fs.FileMode) error { return os.MkdirAll(path, perm) }
func (host) Stat(path string) (fs.FileInfo, error)        { return os.Stat(path) }
func (host) Open(path string) (File, error)               { return opened(os.Open(path)) }
func (host) OpenRoot(path string) (Root, error)           { return openedRoot(os.OpenRoot(path)) }

// root is an [os.Root] with what it lacks.
type root struct{ *os.Root }

func openedRoot(r *os.Root, err error) (Root, error) {
	if err != nil {
		return nil, err
	}
	return root{r}, nil
}

func (r root) Open(name string) (File, error)     { return opened(r.Root.Open(name)) }
func (r root) OpenRoot(name string) (Root, error) { return openedRoot(r.Root.OpenRoot(name)) }

func (r root) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	return opened(r.Root.OpenFile(name, flag, perm))
}

// file is an [os.File] with what it lacks.
type file struct{ *os.File }

func opened(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

func (f file) System() *os.File { return f.File }
