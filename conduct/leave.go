package conduct

import (
	"container/heap"
	"time"

	"orchestra/proto"
)

// leave takes the end of a connection.
func (r *registry) leave(now time.Time, l link, out []effect) []effect {
	e := r.links[l]
	if e == nil {
		return out
	}
	delete(r.links, l)
	e.link = 0
	return r.remove(now, e, "", out)
}

// next returns when expire has something to do; the zero time if never.
func (r *registry) next() time.Time {
	if len(r.expiry) == 0 {
		return time.Time{}
	}
	at := r.expiry[0].deadline
	if retry := r.nextRetry(); !retry.IsZero() && retry.Before(at) {
		return retry
	}
	return at
}

// expire removes the entries that were not renewed in time, guests that could be
// dialled if they are not found either, and has guests dialled whose time has
// come.
func (r *registry) expire(now time.Time, out []effect) []effect {
	for len(r.expiry) > 0 && !r.expiry[0].deadline.After(now) {
		e := r.expiry[0]
		if r.lookFor(now, e) {
			continue
		}
		out = r.unlink(e, silentTooLong, out)
		out = r.remove(now, e, silentTooLong, out)
	}
	return r.startChecks(now, out)
}

const silentTooLong = "silent for too long"

// remove ends an entry, for a reason that the page tells. Those who were told of it are told that
// it left, and of others if few are left to them.
func (r *registry) remove(now time.Time, e *entry, why string, out []effect) []effect {
	comp := e.comp
	e.gone = true
	r.close(now, e, why)
	heap.Remove(&r.expiry, e.expiryPos)
	r.unsource(e)
	comp.swap(e.pos, len(comp.entries)-1)
	comp.entries[len(comp.entries)-1] = nil
	comp.entries = comp.entries[:len(comp.entries)-1]
	delete(comp.byPeer, e.peer)
	comp.unplace(e)
	e.unawait()
	if len(comp.entries) == 0 {
		delete(r.comps, comp.id)
		out = r.watchOff(comp, out)
		r.keepPast(comp, e.deadline.Add(pastFor))
	}

	forgetTold(e)
	left := proto.Left{PeerIDs: []proto.PeerID{e.peer}}
	for _, to := range e.toldTo {
		to.told = without(to.told, e)
		out = r.inform(to, left, out)
		out = r.refill(to, out)
	}
	e.toldTo = nil
	return out
}

// unsource takes an entry out of what is counted by source.
func (r *registry) unsource(e *entry) {
	if e.guest {
		r.guests.remove(e)
		r.timeRetry(e)
	} else {
		lessen(r.networks, network(e.seat.from.Addr()))
	}
	e.unnameOwn()
	lessen(r.sources, source(e.seat.from.Addr()))
}

// unlink parts an entry from its connection and ends that.
func (r *registry) unlink(e *entry, why string, out []effect) []effect {
	if e.link == 0 {
		return out
	}
	out = append(out, cut{who: e.link, why: why})
	delete(r.links, e.link)
	e.link = 0
	return out
}

// expiryHeap has the entry with the earliest deadline at its top.
type expiryHeap []*entry

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].deadline.Before(h[j].deadline) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].expiryPos, h[j].expiryPos = i, j
}

func (h *expiryHeap) Push(x any) {
	e := x.(*entry)
	e.expiryPos = len(*h)
	*h = append(*h, e)
}

func (h *expiryHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
