package member

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// What the system says when it cannot open a connection, and when the far end ended one.
var (
	errnoDescriptors = []syscall.Errno{windows.WSAEMFILE}
	errnoRefused     = []syscall.Errno{windows.WSAECONNREFUSED}
	errnoHangUp      = []syscall.Errno{windows.WSAECONNRESET, windows.WSAECONNABORTED}
	errnoNoWay       = []syscall.Errno{windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH, windows.WSAENETDOWN, windows.WSAEADDRNOTAVAIL}
)
