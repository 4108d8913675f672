package store

import (
	"errors"
	"io/fs"
	"os"

	"orchestra/member/store/disk"
)

// A name says one thing now and another thing later. What is held open is what counts; these say
// whether a name still leads there.

var (
	errNoFile     = errors.New("no such file")
	errSwapped    = errors.New("another file stands there now")
	errNotRegular = errors.New("it is not a regular file")
	errIsLink     = errors.New("it is a symbolic link")
)

// openExact opens the regular file that stands under a name itself. It follows no symbolic link in
// its place and waits for no pipe.
func openExact(root disk.Root, name string, flag int) (disk.File, error) {
	named, err := root.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case named.Mode()&fs.ModeSymlink != 0:
		return nil, errIsLink
	case !named.Mode().IsRegular():
		return nil, errNotRegular
	}
	f, err := root.OpenFile(name, flag, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !os.SameFile(named, info) {
		f.Close()
		return nil, errors.Join(err, errSwapped)
	}
	return f, nil
}

// openThrough opens the regular file that a path leads to, also by symbolic links, to be read. It
// waits for no pipe.
func openThrough(d disk.Disk, path string) (disk.File, error) {
	there, err := d.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !there.Mode().IsRegular():
		return nil, errNotRegular
	}
	f, err := d.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !os.SameFile(there, info) {
		f.Close()
		return nil, errors.Join(err, errSwapped)
	}
	return f, nil
}

// makeExact opens the regular file that stands under a name itself, or makes it if nothing does.
func makeExact(root disk.Root, name string) (f disk.File, made bool, err error) {
	f, err = openExact(root, name, os.O_RDWR)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, false, err
	}
	f, err = root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	return f, err == nil, err
}

// named reports whether a name leads to this file and not to another one, nor by a link.
func named(root disk.Root, name string, f disk.File) (bool, error) {
	held, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := root.Lstat(name)
	if err != nil {
		return false, err
	}
	return os.SameFile(held, there), nil
}

// A stamp is by what it is seen that somebody else changed a file: as long as it is the same,
// nobody did.
type stamp struct {
	id   uint64 // of the file, whatever its name
	size int64  // -1: there is none
	time int64  // of the last change, in nanoseconds
}

var nothing = stamp{size: -1}

func stampOf(info fs.FileInfo) stamp {
	return stamp{disk.ID(info), info.Size(), info.ModTime().UnixNano()}
}
