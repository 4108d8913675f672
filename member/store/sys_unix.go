//go:build linux || darwin

package store

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

var errHeld = unix.EWOULDBLOCK

// lockFile takes the lock of a file, which ends with the file's descriptor.
func lockFile(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// freeSpace is how many bytes this user may still write to the file system of a file.
func freeSpace(f *os.File) (int64, bool) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil || st.Blocks == 0 { // some virtual file systems do not tell
		return 0, false
	}
	unit := uint64(blockSize(&st))
	return int64(min(st.Bavail, 1<<62/unit) * unit), true
}

// occupied is how many bytes a file takes on disk; holes take none.
func occupied(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return 0
}

// isFull tells whether an error is that the disk, or this user's share of it, is full.
func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
