//go:build linux || darwin

package disk

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// Sparse tells that stretches that were never written take no room.
const Sparse = true

func (f file) Hole(off, length int64) bool {
	data, err := unix.Seek(int(f.Fd()), off, seekData())
	if errors.Is(err, unix.ENXIO) { // no data from here to the end
		return true
	}
	return err == nil && data >= off+length
}

// seekData is SEEK_DATA of lseek(2), which the two systems number differently.
func seekData() int {
	if runtime.GOOS == "darwin" {
		return 4
	}
	return 3
}
