package store

import "sync/atomic"

// marks are a bit for each part. They may be read while one goroutine changes them.
type marks []atomic.Uint32

func newMarks(parts int) marks { return make(marks, (parts+31)/32) }

func (m marks) has(part uint32) bool { return m[part>>5].Load()&(1<<(part&31)) != 0 }
func (m marks) set(part uint32)      { m[part>>5].Or(1 << (part & 31)) }
func (m marks) clear(part uint32)    { m[part>>5].And(^uint32(1 << (part & 31))) }
