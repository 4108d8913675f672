package disk

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameExclusive renames within a folder if nothing has the name.
func renameExclusive(dir int, from, to string) error {
	return unix.RenameatxNp(dir, from, dir, to, unix.RENAME_EXCL)
}

// blockSize is the unit that free space is counted in.
func blockSize(st *unix.Statfs_t) int64 { return int64(st.Bsize) }

// WillNeed is for systems that read a stretch of a file ahead when they are asked to.
func (file) WillNeed(int64, int64) {}

// Relink is for systems that give a file that is open another name.
func (root) Relink(File, string) error { return errors.ErrUnsupported }
