//go:build linux || darwin

package store

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// hole tells whether nothing was ever written to this stretch of a file.
func hole(f *os.File, off, length int64) bool {
	data, err := unix.Seek(int(f.Fd()), off, seekData())
	if errors.Is(err, unix.ENXIO) { // no data from here to the end
		return true
	}
	return err == nil && data >= off+length
}

// holeBytes is how many bytes of the content take no room here.
func (s *Store) holeBytes() int64 { return s.zeros.bytes }

// seekData is SEEK_DATA of lseek(2), which the two systems number differently.
func seekData() int {
	if runtime.GOOS == "darwin" {
		return 4
	}
	return 3
}
