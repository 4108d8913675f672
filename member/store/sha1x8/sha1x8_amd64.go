package sha1x8

import "golang.org/x/sys/cpu"

// Available reports whether the assembler is used, which is what makes this package fast: whether
// the processor has AVX-512 with 32-byte vectors and with bytes (VL and BW).
func Available() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW
}

// blocksAVX512 takes n blocks of each lane.
//
//go:noescape
func blocksAVX512(s *state, lanes *[Lanes]*byte, n int)
