package swarm

import (
	"net/netip"
	"time"

	"orchestra/proto"
)

// A link of which nothing comes is opened less and less often. Where this member lacks nothing, and
// the other one does not either or takes nothing, it rests for long, however often it is told of:
// whoever comes to need the other one dials it. That fades, since one may lose parts that cannot
// dial, and ends when something is missing here.
const (
	// restVain is how many links in vain those count for that have everything, when this member
	// has too: they rest for a minute at first.
	restVain = 5
	restMost = time.Hour
	// restUnsure is the most for who may lack something, and could not say so.
	restUnsure = 10 * time.Minute
	// restNamed is the most for whom the user named: it may have been begun anew, and know nobody.
	restNamed = time.Minute
)

// A parting is how the last link to a member ended.
type parting struct {
	all   bool // the member had everything
	whole bool // this one lacked nothing
	used  bool // something was sent, either way
}

// parted counts a link of which nothing came, and lets the member rest if neither is in need of the
// other one.
func (b *book) parted(now time.Duration, m *member, last parting) {
	switch {
	case last.all && last.whole:
		m.vain = max(m.vain+1, restVain)
	case last.used:
		m.wakes()
		return
	default:
		m.vain++
	}
	if last.whole {
		most := restUnsure
		switch {
		case m.name != "":
			most = restNamed
		case last.all:
			most = restMost
		}
		wait := min(redialFirst<<min(m.vain, 20), most)
		m.rests = now + wait/2 + time.Duration(b.rng.Int64N(int64(wait)))
		b.changed()
	}
}

// wakes ends the rest of a member.
func (m *member) wakes() { m.vain, m.rests = 0, 0 }

// needed lets those be dialled again that rest: this member lacks something now.
func (b *book) needed() {
	for _, m := range b.known {
		m.wakes()
	}
	b.changed()
}

// strangerLeft takes in how a link ended to somebody who is not known, and accepts members at a
// place, as it says. Who is known to be there, and not by whose id, rests as if it was the same
// one: nobody but who is at the same host can keep it from being dialled so.
func (b *book) strangerLeft(now time.Duration, place netip.AddrPort, last parting) {
	if !last.all || !last.whole || place.Port() == 0 {
		return
	}
	m := b.of(proto.PeerID{}, []netip.AddrPort{place})
	if m != nil && m.id == (proto.PeerID{}) && m.idle() {
		b.parted(now, m, last)
	}
}
