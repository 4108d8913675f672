package conduct

import "time"

// A webGuest is what a BitTorrent client announces over HTTP or UDP. It becomes an entry
// like a member's, without a connection: it is told of others in the answer only.
type webGuest struct {
	arrival
	event visitEvent
}

// A visitEvent is why a client announces itself. Its numbers are those of BEP 15.
type visitEvent uint32

const (
	visitRegular visitEvent = iota
	visitCompleted
	visitStarted
	visitStopped
)

// readEvent reads the name of an event (BEP 3). One that is not known is none.
func readEvent(b []byte) visitEvent {
	switch string(b) {
	case "completed":
		return visitCompleted
	case "started":
		return visitStarted
	case "stopped":
		return visitStopped
	}
	return visitRegular
}

// receive lists a guest and chooses whom it is told of, in the memory of room; refused says why
// not.
func (r *registry) receive(
	now time.Time, v webGuest, room []found, out []effect,
) (a answer, _ []effect) {
	a.found = room[:0]
	r.totals.announced++
	_, e := r.find(v.id, v.peer)
	switch {
	case v.event == visitStopped:
		if a.refused = r.refusal(v.arrival); a.refused == "" && e != nil && e.guest {
			out = r.remove(now, e, "", out)
		}
		a.census = r.censusOf(now, r.comps[v.id])
		return a, out
	case e != nil && !e.guest:
		a.refused = refusedKey
		return a, out
	case e != nil && !e.announces.draw(now, announceBurst, announceEvery):
		a.refused = r.refusal(v.arrival) // what it says is passed over
	default:
		a.refused, out = r.admit(now, v.arrival, out)
	}
	if a.refused != "" {
		return a, out
	}
	comp, e := r.find(v.id, v.peer)
	if v.event == visitCompleted && !e.downloaded && e.complete() {
		e.downloaded = true
		comp.downloads++
	}
	r.guestLives(now, e)
	r.pick(comp, e.want, func(other *entry) bool {
		var f found
		ok := other != e && other.findFor(&e.seat, &f)
		if ok {
			a.found = append(a.found, f)
		}
		return ok
	})
	a.census = r.censusOf(now, comp)
	return a, out
}
