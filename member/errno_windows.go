package member

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// What the system says when it cannot open a connection.
var (
	errnoDescriptors = []syscall.Errno{windows.WSAEMFILE}
	errnoRefused     = []syscall.Errno{windows.WSAECONNREFUSED}
	errnoNoWay       = []syscall.Errno{windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH, windows.WSAENETDOWN, windows.WSAEADDRNOTAVAIL}
)
