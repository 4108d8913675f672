//go:build !windows

package member

import "syscall"

// What the system says when it cannot open a connection, and when the far end ended one.
var (
	errnoDescriptors = []syscall.Errno{syscall.EMFILE, syscall.ENFILE}
	errnoRefused     = []syscall.Errno{syscall.ECONNREFUSED}
	errnoHangUp      = []syscall.Errno{syscall.ECONNRESET, syscall.EPIPE}
	errnoNoWay       = []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL}
)
