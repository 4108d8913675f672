package sha1x8

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// blocksGeneric takes n blocks of each lane, one lane after the other, on any processor.
func blocksGeneric(s *state, lanes *[Lanes]*byte, n int) {
	for lane := range Lanes {
		var h [5]uint32
		for i := range h {
			h[i] = s[i][lane]
		}
		p := unsafe.Slice(lanes[lane], n*BlockSize)
		for ; len(p) > 0; p = p[BlockSize:] {
			oneBlock(&h, p[:BlockSize])
		}
		for i := range h {
			s[i][lane] = h[i]
		}
	}
}

// oneBlock is FIPS 180-4, section 6.1.2. The schedule is kept in sixteen words (section 6.1.3).
func oneBlock(h *[5]uint32, p []byte) {
	var w [16]uint32
	for t := range w {
		w[t] = binary.BigEndian.Uint32(p[4*t:])
	}
	a, b, c, d, e := h[0], h[1], h[2], h[3], h[4]
	for t := range 80 {
		if t >= 16 {
			w[t&15] = bits.RotateLeft32(w[(t-3)&15]^w[(t-8)&15]^w[(t-14)&15]^w[t&15], 1)
		}
		var f, k uint32
		switch {
		case t < 20:
			f, k = b&c|^b&d, 0x5a827999
		case t < 40:
			f, k = b^c^d, 0x6ed9eba1
		case t < 60:
			f, k = b&c|b&d|c&d, 0x8f1bbcdc
		default:
			f, k = b^c^d, 0xca62c1d6
		}
		a, b, c, d, e = bits.RotateLeft32(a, 5)+f+e+k+w[t&15], a, bits.RotateLeft32(b, 30), c, d
	}
	for i, v := range [5]uint32{a, b, c, d, e} {
		h[i] += v
	}
}
