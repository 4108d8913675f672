package conduct

import (
	"bytes"
	"cmp"
	"math/bits"
	"time"

	"orchestra/conduct/page"
	"orchestra/proto"
)

// What members report while somebody looks at their composition. All of it is bounded: by member,
// by composition, and maps of parts in all.
const (
	watchLeast = 2  // seconds between two reports of a member
	watchMost  = 30 // when there are many
	watchMany  = 200
	watchMore  = 100 // members beyond watchMany for each second more

	maxMaps = 64 << 20 // bytes of all members' bitfields
	maxFrom = 32       // peers from which a member says that something comes
)

// A watch is what is kept while somebody looks at a composition.
type watch struct {
	every   uint8    // what its members were told; 0: nobody looks
	holders []uint32 // by part: members that have it but not everything
}

// A report is what a member said for the page.
type report struct {
	version string // of its program; "": it did not tell
	why     string // nothing comes
	bits    []byte // which parts it has; nil: not told
	strip   string // of these
	from    map[proto.PeerID]*inflow
}

// An inflow is what a member gets from one peer.
type inflow struct {
	bytes, total uint64 // over the link that is up; over all
	at           time.Time
	rate         flowRate
}

// watchEvery is how often so many members are to report.
func watchEvery(members int) uint8 {
	return uint8(min(watchMost, watchLeast+max(0, members-watchMany)/watchMore))
}

// watchOn has the members of a composition report, as often as their number lets them.
func (r *registry) watchOn(c *composition, out []effect) []effect {
	every := watchEvery(len(c.entries))
	if every == c.scene.every {
		return out
	}
	if c.scene.every == 0 {
		if n := c.mostParts(); n <= page.MaxParts && r.maps+4*int(n) <= maxMaps {
			c.scene.holders = make([]uint32, n)
			r.maps += 4 * int(n)
		}
	}
	c.scene.every = every
	return r.tellWatch(c, out)
}

// watchOff has them report no more, and forgets what they did.
func (r *registry) watchOff(c *composition, out []effect) []effect {
	if c.scene.every == 0 {
		return out
	}
	for _, e := range c.entries {
		r.forgetBits(e)
		e.from, e.why = nil, ""
	}
	r.maps -= 4 * len(c.scene.holders)
	c.scene.watch = watch{}
	return r.tellWatch(c, out)
}

func (r *registry) tellWatch(c *composition, out []effect) []effect {
	for _, e := range c.entries {
		out = r.tell(e, proto.Watch{Every: c.scene.every}, out)
	}
	return out
}

// mostParts is how many parts most members say there are.
func (c *composition) mostParts() (parts uint32) {
	counts := make(map[uint32]int)
	for _, e := range c.entries {
		if e.guest {
			continue
		}
		if counts[e.parts]++; counts[e.parts] > counts[parts] {
			parts = e.parts
		}
	}
	return parts
}

// reported takes what a member tells for the page.
func (r *registry) reported(now time.Time, l link, msg proto.Message) {
	e := r.heard(now, l)
	if e == nil || e.comp.scene.every == 0 {
		return
	}
	s := e.comp.scene
	switch m := msg.(type) {
	case proto.Content:
		e.version = m.Version
		if s.size == 0 && m.PartSize > 0 && m.Size <= uint64(m.PartSize)*uint64(e.parts) &&
			m.Size > uint64(m.PartSize)*uint64(max(e.parts, 1)-1) {
			s.size, s.partSize = m.Size, uint64(m.PartSize)
		}
	case proto.Waits:
		e.why = m.Why
	case proto.Holds:
		r.holds(e, m)
	case proto.Received:
		e.receives(now, m.From)
	}
}

// holds takes in a stretch of a member's bitfield.
func (r *registry) holds(e *entry, m proto.Holds) {
	h := e.comp.scene.holders
	size := (len(h) + 7) / 8
	if len(h) == 0 || int(e.parts) != len(h) || e.complete() || int64(m.First)+int64(len(m.Bits)) > int64(size) {
		return
	}
	if e.bits == nil {
		if r.maps+size > maxMaps {
			return
		}
		r.maps += size
		e.bits = make([]byte, size)
	}
	for i, now := range m.Bits {
		at := int(m.First) + i
		if spare := 8*(at+1) - len(h); spare > 0 {
			now &^= 1<<spare - 1
		}
		flip(h[8*at:], e.bits[at], now)
		e.bits[at] = now
	}
	e.strip = page.Strip(e.bits, len(h))
}

// flip counts the holders of 8 parts, of which a member had some and has others.
func flip(holders []uint32, before, after byte) {
	for changed := before ^ after; changed != 0; {
		i := bits.LeadingZeros8(changed)
		bit := byte(0x80) >> i
		if changed &^= bit; after&bit != 0 {
			holders[i]++
		} else {
			holders[i]--
		}
	}
}

// forgetBits takes a member out of the holders of parts.
func (r *registry) forgetBits(e *entry) {
	for at, b := range e.bits {
		flip(e.comp.scene.holders[8*at:], b, 0)
	}
	r.maps -= len(e.bits)
	e.bits, e.strip = nil, ""
}

// receives takes in what comes to a member from others.
func (e *entry) receives(now time.Time, from []proto.Source) {
	if e.from == nil {
		e.from = make(map[proto.PeerID]*inflow, len(from))
	}
	for _, s := range from {
		f := e.from[s.PeerID]
		if f == nil {
			if len(e.from) >= maxFrom {
				e.forgetInflow()
			}
			// what came before it is asked has no rate
			f = &inflow{at: now, bytes: s.Bytes, total: s.Bytes}
			e.from[s.PeerID] = f
			continue
		}
		more := s.Bytes
		if s.Bytes >= f.bytes {
			more -= f.bytes
		}
		more = min(more, uint64(now.Sub(f.at).Seconds()*maxSpeed))
		f.rate.saw(now, f.at, more)
		f.total += min(more, ^f.total)
		f.bytes, f.at = s.Bytes, now
	}
}

// forgetInflow makes room for another peer.
func (e *entry) forgetInflow() {
	var oldest proto.PeerID
	var at time.Time
	for id, f := range e.from {
		if at.IsZero() || cmp.Or(f.at.Compare(at), bytes.Compare(id[:], oldest[:])) < 0 {
			oldest, at = id, f.at
		}
	}
	delete(e.from, oldest)
}
