package proto

import (
	"crypto/sha1"
	"encoding/binary"
	"net/netip"
	"slices"
)

// FastSetSize is how many parts a FastSet has, where there are as many.
const FastSetSize = 10

// FastSet returns the parts that a peer at an address may ask for while it is
// choked, of a composition with so many of them, as BEP 6 computes them: the
// same for all addresses of a network (IPv4 /24), whoever is asked. It has size
// parts at most. BEP 6 says nothing of IPv6: there is none.
func FastSet(at netip.Addr, id [20]byte, parts uint32, size int) []uint32 {
	at = at.Unmap()
	size = int(min(int64(size), int64(parts)))
	if !at.Is4() || size <= 0 {
		return nil
	}
	network := at.As4()
	network[3] = 0
	set := make([]uint32, 0, size)
	for x := append(network[:], id[:]...); ; {
		sum := sha1.Sum(x)
		x = sum[:]
		for i := 0; i < len(sum); i += 4 {
			part := binary.BigEndian.Uint32(sum[i:]) % parts
			if slices.Contains(set, part) {
				continue
			}
			if set = append(set, part); len(set) == size {
				return set
			}
		}
	}
}
