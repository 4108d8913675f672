package compose

import "os"

// leastSparse is the least size in bytes of a file in which holes are looked
// for: those of smaller ones are not worth it.
const leastSparse = 128 << 10

// holes tells where a file has nothing but zeros that take no room on the disk.
type holes struct {
	file     *os.File // nil: they are not looked for
	from, to int64    // the stretch that is known
	empty    bool     // it is a hole
}

func findHoles(file *os.File, size int64) holes {
	if size < leastSparse {
		return holes{}
	}
	return holes{file: file}
}

// at returns how many bytes from an offset on are in a hole, most at most.
func (h *holes) at(off, most int64) int64 {
	if h.file == nil || most <= 0 {
		return 0
	}
	if off < h.from || off >= h.to {
		if !h.look(off, off+most) {
			h.file = nil
			return 0
		}
	}
	if !h.empty {
		return 0
	}
	return min(h.to-off, most)
}

// look finds out what is at an offset. It fails where the system cannot tell.
func (h *holes) look(off, end int64) bool {
	data, ok := seekData(h.file, off, end)
	if !ok {
		return false
	}
	h.from, h.to, h.empty = off, data, true
	if data == off {
		h.empty = false
		h.to, ok = seekHole(h.file, off)
	}
	return ok && h.to > off
}
