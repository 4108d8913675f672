//go:build !amd64

package sha1x8

// Available tells whether the processor has what this package takes.
func Available() bool { return false }

// blocks is for processors that have what it takes.
func blocks(*state, *[Lanes]*byte, int) { panic("sha1x8: not available") }
