package store

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// syncing are the file systems of this host, whose syncfs(2) makes all that was written durable,
// names too. On others it may do nothing: FUSE does not tell its server.
var syncing = []int64{
	unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
	unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC,
	0x2fc12fc1, // ZFS
	0xca451a4e, // bcachefs
}

// syncsAll reports whether syncAll can be relied on where this folder is.
func syncsAll(dir *os.File) bool {
	var st unix.Statfs_t
	err := unix.Fstatfs(int(dir.Fd()), &st)
	return err == nil && slices.Contains(syncing, int64(uint32(st.Type)))
}

// syncAll makes all that was written to a file system durable, in one call whatever the number of
// files.
func syncAll(dir *os.File) error { return unix.Syncfs(int(dir.Fd())) }

// tellsAtOnce reports whether a file system tells what a file is like without writing anything to a
// server before.
func tellsAtOnce(root *os.Root) bool {
	dir, err := root.Open(".")
	if err != nil {
		return false
	}
	defer dir.Close()
	return syncsAll(dir)
}
