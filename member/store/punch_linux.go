package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// punch makes a hole of a stretch of a file.
func punch(f *os.File, off, length int64) error {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, length)
}
