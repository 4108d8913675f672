//go:build !linux && !darwin

package disk

import "io/fs"

func (r root) RenameNew(from, to string) error {
	if _, err := r.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return r.Rename(from, to)
}
