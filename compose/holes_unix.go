//go:build linux || darwin

package compose

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// seekData returns where data begins at or after an offset, end if there is
// none.
func seekData(f *os.File, off, end int64) (int64, bool) {
	at, err := unix.Seek(int(f.Fd()), off, whence(3, 4))
	if errors.Is(err, unix.ENXIO) {
		return end, true
	}
	return at, err == nil
}

// seekHole returns where a hole begins at or after an offset, which the end of
// the file is too.
func seekHole(f *os.File, off int64) (int64, bool) {
	at, err := unix.Seek(int(f.Fd()), off, whence(4, 3))
	return at, err == nil
}

// whence chooses between SEEK_DATA (3) and SEEK_HOLE (4) of Linux, which darwin
// numbers the other way round.
func whence(linux, darwin int) int {
	if runtime.GOOS == "darwin" {
		return darwin
	}
	return linux
}
