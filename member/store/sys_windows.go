package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

var errHeld = windows.ERROR_LOCK_VIOLATION

// lockFile takes the lock of a file, which ends with the file's handle. The locked byte lies beyond
// any content, since a lock on Windows bars reading too.
func lockFile(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: 1 << 30}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
}

// freeSpace is how many bytes this user may still write to the volume of a file.
func freeSpace(f *os.File) (int64, bool) {
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

// occupied counts the whole length: files are not sparse there unless asked for.
func occupied(info fs.FileInfo) int64 { return info.Size() }

// isFull tells whether an error is that the disk is full.
func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// willNeed is for systems that read a stretch of a file ahead when they are asked to.
func willNeed(*os.File, int64, int64) {}

// isTooManyOpen reports whether an error is that too many files are open.
func isTooManyOpen(err error) bool { return errors.Is(err, windows.ERROR_TOO_MANY_OPEN_FILES) }

// fileID tells files apart, by when they were made.
func fileID(info fs.FileInfo) uint64 {
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		return uint64(data.CreationTime.Nanoseconds())
	}
	return 0
}

// linked reports whether a file has a name still. One that is open has.
func linked(*os.File) bool { return true }

// syncDir is for systems on which a folder can be made durable by itself.
func syncDir(*os.File) error { return nil }

// relink is for systems that give a file that is open another name.
func relink(*os.Root, *os.File, string) error { return errors.ErrUnsupported }
