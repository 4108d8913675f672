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
	err = unix.RenameatxNp(int(dir.Fd()), from, int(dir.Fd()), to, unix.RENAME_EXCL)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) { // the file system does not know the flag
		if _, err := root.Lstat(to); err == nil {
			return fs.ErrExist
		}
		return root.Rename(from, to)
	}
	return err
}

// blockSize is the unit that free space is counted in.
func blockSize(st *unix.Statfs_t) int64 { return int64(st.Bsize) }
