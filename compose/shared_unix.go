//go:build unix

package compose

import (
	"io/fs"
	"syscall"
)

// fileID tells files apart on this machine.
type fileID struct{ device, inode uint64 }

// identify also returns how many names the file has. That is zero where the
// system does not tell.
func identify(info fs.FileInfo) (id fileID, names uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, 0
	}
	return fileID{uint64(st.Dev), uint64(st.Ino)}, uint64(st.Nlink)
}
