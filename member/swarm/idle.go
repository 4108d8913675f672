package swarm

import (
	"slices"
	"time"
)

// idling is whether this member has nothing to do, and whether its peers were told that it could
// send more. So who wants another sender need not ask everybody to find one.
type idling struct {
	idle time.Duration // since when nothing is granted; 0: something is
	told bool
}

// spareAfter is how long nothing is granted until that is told.
const spareAfter = 150 * time.Millisecond

// tellIdle tells the peers when this member begins, or ceases, to have nothing to do, if anybody
// looks for who has not.
func (gs *grants) tellIdle() {
	granted := func(p *peer) bool { return len(p.grants) > 0 }
	switch {
	case gs.s.haveN == 0 || slices.ContainsFunc(gs.care.list, granted):
		gs.idling.idle = 0
	case gs.idling.idle == 0:
		gs.idling.idle = max(gs.s.now, 1)
	}
	on := gs.s.plan.tellsIdle() && gs.idling.idle > 0 && gs.s.now >= gs.idling.idle+spareAfter
	if on == gs.idling.told {
		return
	}
	gs.idling.told = on
	for _, p := range gs.s.links.list {
		if !p.foreign() && !gs.s.complete(p) {
			gs.s.emit(SetSpare{p.index, on})
		}
	}
}

// nextIdle is when tellIdle has something to tell if nothing happens.
func (gs *grants) nextIdle() time.Duration {
	if gs.idling.idle == 0 || gs.idling.told || !gs.s.plan.tellsIdle() {
		return never
	}
	return gs.idling.idle + spareAfter
}
