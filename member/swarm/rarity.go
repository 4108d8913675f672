package swarm

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// rarity keeps the parts that are free to be asked for sorted by how many peers have them, so that
// a change costs the same with a hundred parts and with a million: parts of one count stand
// together in order, and a part whose count changes swaps places with the one at the border.
type rarity struct {
	count []uint16 // by part: the peers that have it; those that have every part are not counted
	order []uint32 // the free parts, rarest first
	place []int32  // by part: where it stands in order; -1: not free
	ends  []int32  // by count: where its parts end in order
	free  bitmap   // the parts in order
}

func newRarity(parts int) *rarity {
	r := &rarity{
		count: make([]uint16, parts),
		order: make([]uint32, 0, parts),
		place: make([]int32, parts),
		ends:  make([]int32, 1),
		free:  newBitmap(parts),
	}
	for i := range r.place {
		r.place[i] = -1
	}
	return r
}

// add makes a part free.
func (r *rarity) add(part uint32) {
	if r.place[part] >= 0 {
		return
	}
	at := int32(len(r.order))
	r.order = append(r.order, part)
	r.free.set(part)
	for c := len(r.ends) - 1; c > int(r.count[part]); c-- {
		r.ends[c]++
		if first := r.start(c); first != at {
			r.put(at, r.order[first])
			at = first
		}
	}
	r.put(at, part)
	r.ends[r.count[part]]++
}

// remove takes a part out: it is asked for, or here.
func (r *rarity) remove(part uint32) {
	at := r.place[part]
	if at < 0 {
		return
	}
	for c := int(r.count[part]); c < len(r.ends); c++ {
		r.ends[c]--
		if last := r.ends[c]; last != at {
			r.put(at, r.order[last])
			at = last
		}
	}
	r.order = r.order[:len(r.order)-1]
	r.place[part] = -1
	r.free[part>>3] &^= 0x80 >> (part & 7)
}

// isFree reports whether nobody is asked for a part that is to come.
func (r *rarity) isFree(part uint32) bool { return r.place[part] >= 0 }

// inc counts one peer more that has the part.
func (r *rarity) inc(part uint32) {
	c := int(r.count[part])
	if c+1 == len(r.ends) {
		r.ends = append(r.ends, r.ends[c])
	}
	r.count[part]++
	if r.place[part] < 0 {
		return
	}
	r.ends[c]--
	r.swap(r.place[part], r.ends[c])
}

// dec counts one peer less that has the part.
func (r *rarity) dec(part uint32) {
	c := int(r.count[part])
	r.count[part]--
	if r.place[part] < 0 {
		return
	}
	r.swap(r.place[part], r.start(c))
	r.ends[c-1]++
}

// probes bounds how many parts a pick looks at before it scans the bitmaps.
const probes = 256

// pick finds a free part that a peer has: the rarest of them, ties broken by chance, or, where the
// peer has so few of the rare ones that they are not met soon, any.
func (r *rarity) pick(peer bitmap, all bool, rng *rand.Rand) (uint32, bool) {
	if len(r.order) == 0 {
		return 0, false
	}
	budget := probes
	for c := range r.ends {
		first, n := int(r.start(c)), int(r.ends[c]-r.start(c))
		if n == 0 {
			continue
		}
		from := rng.IntN(n)
		for i := range min(n, budget) {
			part := r.order[first+(from+i)%n]
			if all || peer.has(part) {
				return part, true
			}
		}
		if budget -= n; budget <= 0 {
			return r.scan(peer, rng)
		}
	}
	return 0, false
}

// scan finds the next free part that the peer has, from a place chosen by chance.
func (r *rarity) scan(peer bitmap, rng *rand.Rand) (uint32, bool) {
	words := (len(peer) + 7) / 8
	from := rng.IntN(words)
	for i := range words {
		w := (from + i) % words
		if x := word(peer, w) & word(r.free, w); x != 0 {
			return uint32(w)<<6 + uint32(bits.LeadingZeros64(x)), true
		}
	}
	return 0, false
}

// word is the w-th 64 parts of a bitmap.
func word(b bitmap, w int) uint64 {
	b = b[w*8:]
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var tail [8]byte
	copy(tail[:], b)
	return binary.BigEndian.Uint64(tail[:])
}

func (r *rarity) start(c int) int32 {
	if c == 0 {
		return 0
	}
	return r.ends[c-1]
}

func (r *rarity) put(at int32, part uint32) {
	r.order[at] = part
	r.place[part] = at
}

func (r *rarity) swap(a, b int32) {
	x, y := r.order[a], r.order[b]
	r.put(a, y)
	r.put(b, x)
}
