package conduct

import (
	"net/netip"
	"time"

	"orchestra/proto"
)

// A guest costs whoever lists it one request and no connection, so strangers
// could list any number of them. Therefore guests have a share of the entries
// only, of all, of those of one composition and of those from one source; and
// within that, whoever comes takes the place of a guest, see victim. Members
// take the places of guests too, and where there are none those of others, see
// room.go.
func (l limits) guests() int         { return max(1, l.members/4) }
func (l limits) guestsOfOne() int    { return max(1, l.members/16) } // of one composition
func (l limits) guestsOfSource() int { return max(1, l.perSource/4) }
func (l limits) guestDials() int     { return max(1, l.dials/2) }

const (
	// victimsSeen is how many guests are looked at for the one that has to go,
	// and victimTries how many entries of a composition to find them.
	victimsSeen = 16
	victimTries = 256

	// Members are told of guestBurst new guests of a composition at once, and
	// then of one each guestEvery. Of others they hear when they ask, or when
	// such a guest announces itself again.
	guestBurst = 20
	guestEvery = time.Second
)

// network returns what guests are weighed by against each other: the IPv4 /24
// or the IPv6 /48, which one stranger may have all of.
func network(a netip.Addr) netip.Addr {
	a = source(a)
	bits := 24
	if a.Is6() {
		bits = 48
	}
	if p, err := a.Prefix(bits); err == nil {
		return p.Addr()
	}
	return a
}

// Guests are those that are listed, in a list of which random ones can be taken,
// and how many there are by source and by network.
type guests struct {
	list     []*entry
	sources  map[netip.Addr]int
	networks map[netip.Addr]int
}

func newGuests() guests {
	return guests{sources: make(map[netip.Addr]int), networks: make(map[netip.Addr]int)}
}

func (g *guests) add(e *entry) {
	e.guest, e.guestPos = true, len(g.list)
	g.list = append(g.list, e)
	g.sources[source(e.seat.from.Addr())]++
	g.networks[network(e.seat.from.Addr())]++
	e.comp.guests++
}

func (g *guests) remove(e *entry) {
	last := len(g.list) - 1
	g.list[e.guestPos] = g.list[last]
	g.list[e.guestPos].guestPos = e.guestPos
	g.list[last] = nil
	g.list = g.list[:last]
	e.guest = false
	lessen(g.sources, source(e.seat.from.Addr()))
	lessen(g.networks, network(e.seat.from.Addr()))
	e.comp.guests--
}

// lessen counts one down and forgets what became zero.
func lessen[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// makeRoom sees to it that a newcomer can be listed. It returns why it cannot,
// and "" if it can.
func (r *registry) makeRoom(now time.Time, a arrival, out []effect) (why string, _ []effect) {
	var victim *entry
	comp, isGuest := r.comps[a.id], a.link == 0
	switch {
	case isGuest && comp != nil && comp.guests >= r.lim.guestsOfOne():
		victim = r.victim(victimTries, comp.entries)
	case len(r.expiry) >= r.lim.members, isGuest && len(r.guests.list) >= r.lim.guests():
		victim = r.victim(victimsSeen, r.guests.list)
	default:
		return "", out
	}
	switch {
	case victim == nil && !isGuest:
		victim = r.makesRoom(now, a.seat.from.Addr())
	case victim != nil && isGuest && !r.givesWay(victim, a.seat.from.Addr()):
		victim = nil
	}
	if victim == nil {
		return refusedFull, out
	}
	if victim.link != 0 {
		out = r.tell(victim, proto.Refused{Reason: refusedRoom}, out)
		out = r.unlink(victim, madeRoom, out)
	}
	return "", r.remove(now, victim, madeRoom, out)
}

const madeRoom = "it made room for another"

// victim returns the guest that has to go among some random ones of the list:
// one of the network that has the most, and of those the one that has been
// silent for longest. So whoever lists many takes places from itself, and who
// lists few is safe from it. It is nil if no guest was seen.
func (r *registry) victim(tries int, list []*entry) (victim *entry) {
	most := 0
	for seen := 0; tries > 0 && seen < victimsSeen && len(list) > 0; tries-- {
		e := list[r.random.IntN(len(list))]
		if !e.guest {
			continue
		}
		seen++
		n := r.guests.networks[network(e.seat.from.Addr())]
		if n > most || n == most && e.deadline.Before(victim.deadline) {
			victim, most = e, n
		}
	}
	return victim
}

// givesWay reports whether a guest is to go for a newcomer from an address:
// one of the same network does, and one of a network that has more.
func (r *registry) givesWay(victim *entry, a netip.Addr) bool {
	theirs, its := network(a), network(victim.seat.from.Addr())
	return theirs == its || r.guests.networks[theirs] < r.guests.networks[its]
}
