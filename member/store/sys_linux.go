package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// renameExclusive renames within a folder if nothing has the name.
func renameExclusive(dir int, from, to string) error {
	return unix.Renameat2(dir, from, dir, to, unix.RENAME_NOREPLACE)
}

// blockSize is the unit that free space is counted in, which is not the best size for a transfer everywhere.
func blockSize(st *unix.Statfs_t) int64 {
	if st.Frsize > 0 {
		return int64(st.Frsize)
	}
	return int64(st.Bsize)
}

// willNeed lets the system read a stretch of a file ahead.
func willNeed(f *os.File, off, n int64) { unix.Fadvise(int(f.Fd()), off, n, unix.FADV_WILLNEED) }
