package conduct

import (
	"net/netip"
	"time"
)

// Where there is no entry left for a member that comes, another one makes room
// for it: one of the network that has the most members, if the newcomer's has
// fewer than that even so. So what one stranger can take up, with a connection
// for each, is what is left of an even share of all networks that want any; and
// since only who has more gives way, nobody comes and goes in turns. Within that
// network those go first that never had anything to do with content, as far as
// they say: neither did they send or receive, nor do they have it all.

// idleAfter is how long a member may be there until that is held against it.
const idleAfter = time.Minute

// makesRoom returns the member that has to go for one from an address; nil if
// none does.
func (r *registry) makesRoom(now time.Time, from netip.Addr) *entry {
	var victim *entry
	most, least := r.networks[network(from)]+2, 0
	for range victimsSeen {
		e := r.expiry[r.random.IntN(len(r.expiry))]
		n, use := r.networks[network(e.seat.from.Addr())], e.use(now)
		if n < most || victim != nil && n == most && (use > least ||
			use == least && !e.deadline.Before(victim.deadline)) {
			continue
		}
		victim, most, least = e, n, use
	}
	return victim
}

// use is what a member is to others, as far as it says.
func (e *entry) use(now time.Time) int {
	switch {
	case e.sent > 0:
		return 3
	case e.complete():
		return 2
	case e.received > 0 || now.Sub(e.since) < idleAfter:
		return 1
	}
	return 0
}
