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
	err = unix.Renameat2(int(dir.Fd()), from, int(dir.Fd()), to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // the file system does not know the flag
		if _, err := root.Lstat(to); err == nil {
			return fs.ErrExist
		}
		return root.Rename(from, to)
	}
	return err
}

// blockSize is the unit that free space is counted in, which is not the best size for a transfer everywhere.
func blockSize(st *unix.Statfs_t) int64 {
	if st.Frsize > 0 {
		return int64(st.Frsize)
	}
	return int64(st.Bsize)
}
