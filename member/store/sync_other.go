//go:build !linux

package store

import (
	"errors"
	"os"
)

// syncsAll reports whether syncAll can be relied on where this folder is.
func syncsAll(*os.File) bool { return false }

func syncAll(*os.File) error { return errors.ErrUnsupported }

// tellsAtOnce is unknown here.
func tellsAtOnce(*os.Root) bool { return false }
