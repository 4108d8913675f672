package mtu

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

func limit(c syscall.RawConn, bytes int) {
	_ = c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, bytes)
		fragment(int(fd))
	})
}

// fragment clears DF in packets of IPv4, of those too that are sent again. Nothing
// does so for IPv6.
func fragment(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
}

// Fragment lets routers fragment what a connection sends from now on, what it
// sends again included, if it goes by IPv4.
func Fragment(conn *net.TCPConn) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { fragment(int(fd)) })
	}
}

// Vanishing returns how many times in a row something was sent again for which no
// acknowledgement came in time, 0 where that is not known; and whether much was
// acknowledged before, so that large packets do arrive at times.
func Vanishing(conn *net.TCPConn) (times int, arrived bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	_ = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil && info.Unacked > 0 {
			times, arrived = int(info.Retransmits), info.Bytes_acked >= much
		}
	})
	return times, arrived
}

const much = 64 << 10
