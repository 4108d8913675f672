package conduct

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// A complaint says that a member sent bad data in a part. It is hearsay: members
// check every part themselves and ask elsewhere for what came bad. It is passed
// on to the accused, which may look at its disk again, so often that it can do
// so and no more. Beyond that it need only keep newcomers from a member that is
// broken, and must not let a few liars take an honest one out, nor one bad
// sector a good sharer. So
//
//   - it is heard only between members of which one was told of the other,
//     which the conductor chose at random: a liar cannot choose whom to harm;
//   - complainers count by source address (IPv6: /64), and not from the
//     accused one's own: many members on one host are one voice;
//   - one counts when it has complained of minParts different parts;
//   - who complains of more than maxAccused members is passed over beyond that;
//   - a member is handed out no more when complainers are at least
//     minAccusers and more than half of the other sources in its composition.
//     Where there are more than twice maxLinks, a quarter of what there is
//     beyond counts, up to mostNeeded: not all can have met it;
//   - it is handed out after all while nobody else in good repute is complete;
//   - all this is forgotten after accusedFor.
//
// It keeps the links it has, and what it was told of: all that a false verdict
// costs is that strangers do not dial it for a while.
const (
	minAccusers = 3
	mostNeeded  = 256
	minParts    = 4
	maxLinks    = proto.MeshPeers
	maxAccused  = 8
	accusedFor  = 30 * time.Minute

	// The accused may hear of accuseBurst complaints at once, then of one each
	// accuseEvery.
	accuseBurst = 16
	accuseEvery = 5 * time.Second
)

// A verdict says what became of a complaint, for the log.
type verdict uint8

const (
	complaintIgnored verdict = iota
	complaintHeard           // it does not count, but the accused may hear of it
	complaintCounted
	complaintShuns // the accused is handed out no more
)

// An accuser is a source from which complaints of one member came.
type accuser struct {
	src   netip.Addr
	parts []uint32 // different ones, at most minParts
	at    time.Time
}

// A hearing is what others complained of to a member.
type hearing struct {
	accusers []accuser
	since    time.Time // when it was shunned, if it is
	told     allowance // complaints that it heard of
}

// complain takes a complaint.
func (r *registry) complain(
	now time.Time, l link, accused proto.PeerID, part uint32, out []effect,
) (verdict, []effect) {
	e := r.heard(now, l)
	if e == nil {
		return complaintIgnored, out
	}
	bad := e.comp.byPeer[accused]
	if bad == nil || bad == e || part >= bad.parts || !knows(e, bad) && !knows(bad, e) {
		return complaintIgnored, out
	}
	if now.Sub(e.accusedAt) >= accusedFor {
		e.accused, e.accusedAt = nil, now
	}
	if !slices.Contains(e.accused, accused) {
		if len(e.accused) >= maxAccused {
			return complaintIgnored, out
		}
		e.accused = append(e.accused, accused)
	}
	bad.forgive(now)
	bad.errors++
	r.totals.complaints++
	e.comp.scene.tell(now, "complaint", bad, fmt.Sprintf("part %d was bad, says %s", part, e.called()))
	if bad.mayHear(now) {
		out = r.tell(bad, proto.Accused{Part: part}, out)
	}
	src := source(e.seat.from.Addr())
	if src == source(bad.seat.from.Addr()) || !bad.accuse(now, src, part) {
		return complaintHeard, out
	}
	if bad.shunned || bad.countAccusers() < accusersNeeded(bad.otherSources()) {
		return complaintCounted, out
	}
	bad.shunned, bad.hearing.since = true, now
	return complaintShuns, out
}

// accuse counts a complaint from a source, and reports whether the source has
// just complained of enough parts to be counted.
func (e *entry) accuse(now time.Time, src netip.Addr, part uint32) bool {
	h, enough := &e.hearing, min(minParts, int(e.parts))
	i := slices.IndexFunc(h.accusers, func(a accuser) bool { return a.src == src })
	if i < 0 {
		if len(h.accusers) >= 2*mostNeeded {
			return false
		}
		i = len(h.accusers)
		h.accusers = append(h.accusers, accuser{src: src})
	}
	a := &h.accusers[i]
	if len(a.parts) >= enough || slices.Contains(a.parts, part) {
		return false
	}
	a.parts, a.at = append(a.parts, part), now
	return len(a.parts) == enough
}

// countAccusers counts the sources that complained of enough parts.
func (e *entry) countAccusers() (n int) {
	for _, a := range e.hearing.accusers {
		if len(a.parts) >= min(minParts, int(e.parts)) {
			n++
		}
	}
	return n
}

// forgive forgets complaints that are old.
func (e *entry) forgive(now time.Time) {
	h := &e.hearing
	old := func(a accuser) bool { return now.Sub(a.at) >= accusedFor }
	h.accusers = slices.DeleteFunc(h.accusers, old)
	if e.shunned && now.Sub(h.since) >= accusedFor {
		e.shunned = false
	}
}

// isHandedOut reports whether others may be told of a member: it is in good
// repute, or may be the last that has everything.
func (e *entry) isHandedOut() bool {
	return !e.shunned || e.complete() && !e.comp.hasCompleteInGoodRepute()
}

// hasCompleteInGoodRepute reports whether a member that can be found and of
// which few complained is complete.
func (c *composition) hasCompleteInGoodRepute() bool {
	return slices.ContainsFunc(c.entries, func(e *entry) bool {
		return e.complete() && !e.guest && e.port != 0 && !e.shunned
	})
}

// mayHear reports whether a member is to hear of a complaint now.
func (e *entry) mayHear(now time.Time) bool {
	return e.hearing.told.draw(now, accuseBurst, accuseEvery)
}

// otherSources counts the sources in the composition of a member besides its
// own, without guests, which may be named by anybody.
func (e *entry) otherSources() int {
	others := make(map[netip.Addr]struct{})
	for _, other := range e.comp.entries {
		if !other.guest {
			others[source(other.seat.from.Addr())] = struct{}{}
		}
	}
	delete(others, source(e.seat.from.Addr()))
	return len(others)
}

// accusersNeeded is how many sources must complain of a member among so many
// others.
func accusersNeeded(others int) int {
	near := min(others, 2*maxLinks)
	return min(max(minAccusers, near/2+1+(others-near)/4), mostNeeded)
}
