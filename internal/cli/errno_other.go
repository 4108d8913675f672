//go:build !windows

package cli

import (
	"errors"
	"syscall"
)

// isClosedPipe reports whether a write failed because nobody reads any more.
func isClosedPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

// isInUse reports whether listening failed because another program does so at that address.
func isInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// isElsewhere reports whether listening failed because the address is not one of this machine.
func isElsewhere(err error) bool { return errors.Is(err, syscall.EADDRNOTAVAIL) }
