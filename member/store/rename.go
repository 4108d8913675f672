//go:build linux || darwin

package store

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// rename gives a file of the folder another name, if nothing has it.
func rename(root *os.Root, from, to string) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	err = renameExclusive(int(dir.Fd()), from, to)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) { // the file system does not know the flag
		if _, err := root.Lstat(to); err == nil {
			return fs.ErrExist
		}
		return root.Rename(from, to)
	}
	return err
}
