//go:build !windows

package member

import "syscall"

// What the system says when it cannot open a connection.
var (
	errnoDescriptors = []syscall.Errno{syscall.EMFILE, syscall.ENFILE}
	errnoRefused     = []syscall.Errno{syscall.ECONNREFUSED}
	errnoNoWay       = []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL}
)
