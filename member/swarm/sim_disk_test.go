package swarm_test

import (
	"time"

	. "orchestra/member/swarm"
	"orchestra/proto"
)

// The simulated disks, and the way there.

// spoilt is which blocks of runs are on disk as they are not in the content. What two peers send of
// one run is written over each other.
type spoilt map[Run]map[uint32]bool

// writes takes in that some of a run is written.
func (sp spoilt) writes(r Run, at uint32, q *quantum) {
	r.Length = 0
	if sp[r] == nil {
		if !q.bad {
			return
		}
		sp[r] = map[uint32]bool{}
	}
	for block := at / proto.Block; block*proto.Block < at+uint32(q.bytes); block++ {
		if q.bad {
			sp[r][block] = true
		} else {
			delete(sp[r], block)
		}
	}
}

// is reports whether a run is not as it should be.
func (sp spoilt) is(r Run) bool {
	r.Length = 0
	return len(sp[r]) > 0
}

// came counts what came of a run, and lets it be passed on. As the real way in does, it does so a
// hop at a time.
func (p *player) came(r Run, got uint32) {
	whole := got == r.Length
	r.Length = 0
	hop := uint32(proto.MaxPiece)
	if p.hop > 0 {
		hop = uint32(p.hop)
	}
	if got < p.here[r]+hop && !whole {
		return
	}
	p.here[r] = max(p.here[r], got)
	for _, l := range p.follow[r.Part] {
		p.after(p.sim.wires.cpu, l.rouse)
	}
}

// upto is how many bytes of a part are here in order.
func (p *player) upto(part uint32) (n int64) {
	if p.core.Has(part) {
		return p.core.PartLen(part)
	}
	for {
		got := p.here[Run{Part: part, Begin: uint32(n)}]
		if n += int64(got); got < RunSize {
			return n
		}
	}
}

// stores tells that a part verified.
func (p *player) stores(part uint32) {
	delete(p.follow, part)
	p.keeps(part)
	p.step(Stored{Part: part})
}

// fails tells that a part that is here did not verify.
func (p *player) fails(ev Failed) {
	for begin := uint32(0); int64(begin) < p.core.PartLen(ev.Part); begin += RunSize {
		delete(p.here, Run{Part: ev.Part, Begin: begin})
	}
	p.step(ev)
}

// hashing is how long a part takes to be hashed and written.
func (s *sim) hashing(part uint32) time.Duration {
	return time.Millisecond/2 + seconds(float64(min(s.part, s.size-int64(part)*s.part))/1e9)
}

// keep writes a run that came whole; one that is the part is verified too.
func (p *player) keep(peer int, r Run) {
	p.works(p.sim.wires.cpu+p.sim.hashing(r.Part), func() {
		whole, bad := int64(r.Length) == p.core.PartLen(r.Part), p.spoilt.is(r)
		p.disk[Run{Part: r.Part, Begin: r.Begin}] = bad
		switch {
		case whole && bad:
			p.fails(Failed{Part: r.Part})
		case whole:
			p.stores(r.Part)
		default:
			p.step(Written{Peer: peer, Run: r})
		}
	})
}

// sums are made-up checksums of the runs of a part on disk: 1 for those that are bad.
func (p *player) sums(part uint32) (sums []uint64) {
	for begin := uint32(0); int64(begin) < p.core.PartLen(part); begin += RunSize {
		sum := uint64(0)
		if p.disk[Run{Part: part, Begin: begin}] {
			sum = 1
		}
		sums = append(sums, sum)
	}
	return sums
}

// hears has a member look at a part again that somebody complains of.
func (p *player) hears(part uint32) {
	p.works(p.sim.hashing(part), func() {
		if p.rotten[part] && !p.rogue {
			delete(p.rotten, part)
			p.loses(part)
			p.step(Lost{Part: part, Keep: !p.mends})
		}
	})
}
