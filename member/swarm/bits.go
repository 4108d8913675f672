package swarm

import "math/bits"

// bitmap has one bit a part, in the order of a bitfield message (BEP 3): the first part is the high
// bit of the first byte.
type bitmap []byte

func newBitmap(parts int) bitmap { return make(bitmap, (parts+7)/8) }

func (b bitmap) has(part uint32) bool { return b[part>>3]&(0x80>>(part&7)) != 0 }

func (b bitmap) set(part uint32) { b[part>>3] |= 0x80 >> (part & 7) }

func (b bitmap) clear(part uint32) { b[part>>3] &^= 0x80 >> (part & 7) }

// each calls f for every part that is set.
func (b bitmap) each(f func(part uint32)) {
	for i, x := range b {
		for ; x != 0; x &= x - 1 {
			f(uint32(i)<<3 + 7 - uint32(bits.TrailingZeros8(x)))
		}
	}
}
