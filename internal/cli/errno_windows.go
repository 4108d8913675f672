package cli

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isClosedPipe reports whether a write failed because nobody reads any more.
func isClosedPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}

// isInUse reports whether listening failed because another program does so at that address.
func isInUse(err error) bool { return errors.Is(err, windows.WSAEADDRINUSE) }

// isElsewhere reports whether listening failed because the address is not one of this machine.
func isElsewhere(err error) bool { return errors.Is(err, windows.WSAEADDRNOTAVAIL) }
