package conduct

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// A complaint says that a member sent bad data. It is hearsay: members check
// every part themselves and drop who lies, so a complaint need only keep
// newcomers from a member that is broken, and must not let a few liars take
// an honest one out. So
//
//   - it counts only between members of which one was told of the other, which
//     the conductor chose at random: a liar cannot choose whom to harm;
//   - complainers count by source address (IPv6: /64), and not from the
//     accused one's own: many members on one host are one voice;
//   - who complains of more than maxAccused members is passed over beyond that;
//   - a member is handed out no more when complainers are at least
//     minAccusers and more than half of the sources it may have links to: those
//     introduced to it, of which it has maxLinks at most.
//
// It keeps the links it has, and what it was told of: all that a false verdict
// costs is that strangers no longer dial it.
const (
	minAccusers = 3
	maxLinks    = 20 // that a member keeps; see docs/protocol.md, Who dials
	maxAccused  = 8
)

// A verdict says what became of a complaint, for the log.
type verdict uint8

const (
	complaintIgnored verdict = iota
	complaintCounted
	complaintShuns // the accused is handed out no more
)

func (r *registry) complain(now time.Time, l link, accused proto.PeerID) verdict {
	e := r.heard(now, l)
	if e == nil {
		return complaintIgnored
	}
	bad := e.comp.byPeer[accused]
	if bad == nil || bad == e || !knows(e, bad) && !knows(bad, e) {
		return complaintIgnored
	}
	src := source(e.seat.from.Addr())
	if src == source(bad.seat.from.Addr()) || slices.Contains(bad.accusers, src) {
		return complaintIgnored
	}
	if !slices.Contains(e.accused, accused) {
		if len(e.accused) >= maxAccused {
			return complaintIgnored
		}
		e.accused = append(e.accused, accused)
	}
	if len(bad.accusers) > maxLinks {
		return complaintIgnored
	}
	bad.accusers = append(bad.accusers, src)
	if bad.shunned || len(bad.accusers) < max(minAccusers, min(bad.sourcesAround(), maxLinks)/2+1) {
		return complaintCounted
	}
	bad.shunned = true
	return complaintShuns
}

// sourcesAround counts the other sources that a member may have links to.
func (e *entry) sourcesAround() int {
	around := make(map[netip.Addr]struct{}, len(e.told)+len(e.toldTo))
	for _, list := range [][]*entry{e.told, e.toldTo} {
		for _, other := range list {
			around[source(other.seat.from.Addr())] = struct{}{}
		}
	}
	delete(around, source(e.seat.from.Addr()))
	return len(around)
}
