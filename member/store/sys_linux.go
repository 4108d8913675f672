package store

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// renameExclusive renames within a folder if nothing has the name.
func renameExclusive(dir int, from, to string) error {
	return unix.Renameat2(dir, from, dir, to, unix.RENAME_NOREPLACE)
}

// blockSize is the unit that free space is counted in, which is not the best size for a transfer
// everywhere.
func blockSize(st *unix.Statfs_t) int64 {
	if st.Frsize > 0 {
		return int64(st.Frsize)
	}
	return int64(st.Bsize)
}

// willNeed lets the system read a stretch of a file ahead.
func willNeed(f *os.File, off, n int64) { unix.Fadvise(int(f.Fd()), off, n, unix.FADV_WILLNEED) }

// relink gives a file that is open a name, if it has another one still.
func relink(root *os.Root, f *os.File, name string) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	from := "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	return unix.Linkat(unix.AT_FDCWD, from, int(dir.Fd()), name, unix.AT_SYMLINK_FOLLOW)
}
