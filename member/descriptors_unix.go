//go:build unix

package member

import "golang.org/x/sys/unix"

// descriptors is how many descriptors this process may have open.
func descriptors() int {
	const many = 1 << 16
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > many {
		return many
	}
	return int(limit.Cur)
}
