//go:build !amd64

package sha1x8

// Available reports whether the assembler is used, which is what makes this package fast.
func Available() bool { return false }

// blocksAVX512 is for processors that are not built for here.
func blocksAVX512(*state, *[Lanes]*byte, int) { panic("sha1x8: not available") }
