//go:build !linux

package mtu

import (
	"net"
	"syscall"
)

func limit(syscall.RawConn, int) {}

// Fragment does nothing here.
func Fragment(*net.TCPConn) {}

// Vanishing returns 0: that is not known here.
func Vanishing(*net.TCPConn) int { return 0 }
