package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFolder makes all that was written durable, in one call whatever the number of files.
func syncFolder(_ *Store, root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Syncfs(int(dir.Fd()))
}
