package disk

import (
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

func (f file) SyncsAll() bool {
	var st unix.Statfs_t
	err := unix.Fstatfs(int(f.Fd()), &st)
	return err == nil && slices.Contains(syncing, int64(uint32(st.Type)))
}

// SyncAll takes one call whatever the number of files.
func (f file) SyncAll() error { return unix.Syncfs(int(f.Fd())) }
