package member

import (
	"context"
	"hash/maphash"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// blame tells everybody concerned of a bad part: the user, who sent it, and the conductors.
func (d *director) blame(e swarm.Complain) {
	from := d.whoIs(e.Addr)
	d.notices.add(time.Now(), "from "+e.Addr.Addr().String(), e.Part, func(parts []int) {
		then := one(parts, "does not verify; it is", "do not verify; they are")
		d.cfg.Log.Warn().Msgf("%s from %s %s asked for elsewhere, and the rest still there",
			these(parts), from, then)
	})
	if e.Peer >= 0 {
		d.links[e.Peer].do(e, d.core)
	}
	if d.originAt(e.Addr.Addr()) == nil { // conductors know nothing of origins
		d.complain(proto.Complain{PeerID: e.ID, Part: e.Part})
	}
}

// tellCutOff tells the user of a peer that there are no links to for a while.
func (d *director) tellCutOff(e swarm.CutOff) {
	if w := d.originAt(e.Addr.Addr()); w != nil {
		d.cfg.Log.Warn().Msgf("%s sent %d bad parts, and less that was good: is the file there "+
			"still the one that was composed? It is asked again in %v", w.name(), e.Parts, e.For)
		return
	}
	who := "it"
	if e.Host {
		who = "anybody at its address"
	}
	d.cfg.Log.Warn().Msgf("%s sent %d bad parts, and less that was good; no connection to %s for %v",
		d.whoIs(e.Addr), e.Parts, who, e.For)
}

// runSeed makes the checksums of runs ones that no peer can foresee.
var runSeed = maphash.MakeSeed()

// runSums reads a part back and returns a checksum of each of its runs.
func (m *Member) runSums(part uint32) ([]uint64, error) {
	var sums []uint64
	var hash maphash.Hash
	hash.SetSeed(runSeed)
	buf := make([]byte, min(readSize, m.comp.Size))
	start, length := int64(part)*m.comp.PartSize, m.comp.PartLen(int(part))
	for at := int64(0); at < length; {
		p := buf[:min(length-at, int64(len(buf)))]
		if err := m.store.ReadAt(p, start+at); err != nil {
			return nil, err
		}
		hash.Write(p)
		if at += int64(len(p)); at == length || at%swarm.RunSize == 0 {
			sums = append(sums, hash.Sum64())
			hash.Reset()
		}
	}
	return sums, nil
}

// compare has the core find out which runs of a part were bad that several peers sent.
func (m *Member) compare(ctx context.Context, part uint32) {
	sums, err := m.runSums(part)
	if err != nil {
		m.cfg.Log.Debug().Err(err).Uint32("part", part).Msg("cannot find out who sent a bad part")
	}
	m.tell(ctx, swarm.Compared{Part: part, Sums: sums})
}
