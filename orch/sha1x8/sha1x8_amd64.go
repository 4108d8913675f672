package sha1x8

import "golang.org/x/sys/cpu"

// Available tells whether the processor has what this package takes: AVX-512 with 32-byte vectors and with bytes (VL and BW).
func Available() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW
}

// blocks takes n blocks of each lane.
//
//go:noescape
func blocks(s *state, lanes *[Lanes]*byte, n int)
