package disk

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// ErrHeld tells that somebody else has the lock.
var ErrHeld error = windows.ERROR_LOCK_VIOLATION

// Lock takes a byte beyond any content, since a lock on Windows bars reading too.
func (f file) Lock() error {
	const now = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	at := windows.Overlapped{OffsetHigh: 1 << 30}
	return windows.LockFileEx(windows.Handle(f.Fd()), now, 0, 1, 0, &at)
}

func (f file) Free() (int64, bool) {
	dir, err := windows.UTF16PtrFromString(filepath.Dir(f.Name()))
	if err != nil {
		return 0, false
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(dir, &free, nil, nil); err != nil {
		return 0, false
	}
	return int64(min(free, 1<<62)), true
}

// Occupied counts the whole length: files are not sparse there unless asked for.
func Occupied(info fs.FileInfo) int64 { return info.Size() }

// IsFull reports whether an error is that the disk is full.
func IsFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// WillNeed is for systems that read a stretch of a file ahead when they are asked to.
func (file) WillNeed(int64, int64) {}

// IsTooManyOpen reports whether an error is that too many files are open.
func IsTooManyOpen(err error) bool {
	return errors.Is(err, windows.ERROR_TOO_MANY_OPEN_FILES)
}

// ID tells files apart, by when they were made.
func ID(info fs.FileInfo) uint64 {
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		return uint64(data.CreationTime.Nanoseconds())
	}
	return 0
}

// Linked is true of a file that is open.
func (file) Linked() bool { return true }

// SyncNames is for systems on which a folder can be made durable by itself.
func (file) SyncNames() error { return nil }

// Relink is for systems that give a file that is open another name.
func (root) Relink(File, string) error { return errors.ErrUnsupported }
