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

// tellSpare tells the peers when this member begins, or ceases, to have nothing to do. In a mesh
// everybody is asked anyway, and it would only wake them.
func (gs *grants) tellIdle() {
	switch {
	case gs.s.haveN == 0 || slices.ContainsFunc(gs.s.links.list, func(p *peer) bool { return len(p.grants) > 0 }):
		gs.idling.idle = 0
	case gs.idling.idle == 0:
		gs.idling.idle = max(gs.s.now, 1)
	}
	on := gs.s.plan.chained() && gs.idling.idle > 0 && gs.s.now >= gs.idling.idle+spareAfter
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

// nextSpare is when tellSpare has something to tell if nothing happens.
func (gs *grants) nextIdle() time.Duration {
	if gs.idling.idle == 0 || gs.idling.told || !gs.s.plan.chained() {
		return never
	}
	return gs.idling.idle + spareAfter
}

// spares notes that a peer could send more, or no longer.
func (pl *plan) spares(ev Spare) {
	if p := pl.s.links.peer(ev.Peer); p != nil {
		p.spare = ev.On
	}
}
