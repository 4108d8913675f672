package store

import (
	"math/bits"
	"sync/atomic"
)

// marks are a bit for each part. They may be read while one goroutine changes them.
type marks []atomic.Uint32

func newMarks(parts int) marks { return make(marks, (parts+31)/32) }

func (m marks) has(part uint32) bool { return m[part>>5].Load()&(1<<(part&31)) != 0 }
func (m marks) set(part uint32)      { m[part>>5].Or(1 << (part & 31)) }
func (m marks) clear(part uint32)    { m[part>>5].And(^uint32(1 << (part & 31))) }

// bitfield returns the marks of so many parts, as in a bitfield message.
func (m marks) bitfield(parts int) []byte {
	field := make([]byte, (parts+7)/8)
	for i := range field {
		field[i] = m.eight(i)
	}
	return field
}

// eight is byte i of the bitfield.
func (m marks) eight(i int) byte { return bits.Reverse8(byte(m[i/4].Load() >> (8 * (i % 4)))) }
