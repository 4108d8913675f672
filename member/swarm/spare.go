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
func (s *Swarm) tellSpare() {
	switch {
	case s.haveN == 0 || slices.ContainsFunc(s.peers, func(p *peer) bool { return p != nil && len(p.grants) > 0 }):
		s.idling.idle = 0
	case s.idling.idle == 0:
		s.idling.idle = max(s.now, 1)
	}
	on := s.chained() && s.idling.idle > 0 && s.now >= s.idling.idle+spareAfter
	if on == s.idling.told {
		return
	}
	s.idling.told = on
	for _, p := range s.peers {
		if p != nil && !p.foreign() && !s.complete(p) {
			s.emit(SetSpare{p.index, on})
		}
	}
}

// nextSpare is when tellSpare has something to tell if nothing happens.
func (s *Swarm) nextSpare() time.Duration {
	if s.idling.idle == 0 || s.idling.told || !s.chained() {
		return never
	}
	return s.idling.idle + spareAfter
}

// spares notes that a peer could send more, or no longer.
func (s *Swarm) spares(ev Spare) {
	if p := s.peer(ev.Peer); p != nil {
		p.spare = ev.On
	}
}
