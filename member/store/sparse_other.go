//go:build !linux && !darwin

package store

import "os"

// hole is unknown here: everything is read.
func hole(*os.File, int64, int64) bool { return false }
