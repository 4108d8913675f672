//go:build !linux && !darwin

package store

import (
	"io/fs"
	"os"
)

// rename gives a file of the folder another name, if nothing has it.
func rename(root *os.Root, from, to string) error {
	if _, err := root.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return root.Rename(from, to)
}
