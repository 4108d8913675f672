package member

import (
	"sync"

	"orchestra/member/link"
	"orchestra/orch"
	"orchestra/proto"
)

// description is the info dictionary of the composition, which peers are given that have a magnet
// link alone (BEP 9). It takes as much memory as the checksums, so it is made when the first one
// wants it.
type description struct {
	size func() int // 0: it is not given away
	info func() []byte
}

// newDescription makes that of a composition. One with other checksums than SHA-1 has none, and it
// is not given away where the swarm is closed to those who find it by other ways (BEP 27).
func newDescription(f *orch.File, closed bool) description {
	var d description
	build := func() []byte {
		b, _ := f.Info()
		return b
	}
	d.info = sync.OnceValue(build)
	d.size = sync.OnceValue(func() int {
		if f.Hash() != orch.SHA1 || closed || len(f.PartSums) > proto.MaxMetadata {
			return 0
		}
		if n := len(build()); n <= proto.MaxMetadata {
			return n
		}
		return 0
	})
	return d
}

// offer says in an extension handshake that it is given away, if it is.
func (d description) offer(ext *proto.ExtHandshake) {
	if n := d.size(); n > 0 {
		link.OfferMetadata(ext, n)
	}
}

// lend lets a link give it away.
func (d description) lend(cfg *link.Config) {
	if n := d.size(); n > 0 {
		cfg.Info, cfg.InfoSize = d.info, n
	}
}
