//go:build linux || darwin

package disk

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrHeld tells that somebody else has the lock.
var ErrHeld error = unix.EWOULDBLOCK

func (f file) Lock() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

func (f file) Free() (int64, bool) {
	var st unix.Statfs_t
	// some virtual file systems do not tell
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil || st.Blocks == 0 {
		return 0, false
	}
	unit := uint64(blockSize(&st))
	return int64(min(st.Bavail, 1<<62/unit) * unit), true
}

// Occupied is how many bytes a file takes on disk; holes take none.
func Occupied(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return 0
}

// IsFull reports whether an error is that the disk, or this user's share of it, is full.
func IsFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// IsTooManyOpen reports whether an error is that too many files are open, here or in the system.
func IsTooManyOpen(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}

// ID tells files apart.
func ID(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Ino) ^ uint64(st.Dev)<<48
	}
	return 0
}

func (f file) Linked() bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink > 0
}

// SyncNames does nothing on file systems that do not know it of a folder.
func (f file) SyncNames() error {
	err := f.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}
