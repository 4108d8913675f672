//go:build !linux && !darwin

package disk

// Sparse tells that stretches that were never written take no room: files are not sparse here
// unless asked for.
const Sparse = false

// Hole is unknown here: everything is read.
func (file) Hole(int64, int64) bool { return false }
