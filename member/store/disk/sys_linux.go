package disk

import (
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

func (f file) WillNeed(off, n int64) { unix.Fadvise(int(f.Fd()), off, n, unix.FADV_WILLNEED) }

func (r root) Relink(f File, name string) error {
	dir, err := r.Root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	from := "/proc/self/fd/" + strconv.Itoa(int(f.System().Fd()))
	return unix.Linkat(unix.AT_FDCWD, from, int(dir.Fd()), name, unix.AT_SYMLINK_FOLLOW)
}
