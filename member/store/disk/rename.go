//go:build linux || darwin

package disk

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

func (r root) RenameNew(from, to string) error {
	dir, err := r.Root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	err = renameExclusive(int(dir.Fd()), from, to)
	// the file system does not know the flag
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		if _, err := r.Lstat(to); err == nil {
			return fs.ErrExist
		}
		return r.Rename(from, to)
	}
	return err
}
