package conduct

import (
	"container/heap"
	"time"

	"orchestra/proto"
)

// visitEvery is how often a guest is asked to announce itself over HTTP (BEP 3:
// interval). It stays listed for two intervals, if its place is not taken.
const visitEvery = time.Minute

// A webGuest is what a BitTorrent client announces over HTTP. It becomes an entry
// like a member's, without a connection: it is told of others in the answer only.
type webGuest struct {
	arrival
	stopped bool // it leaves
}

// receive lists a guest and chooses whom it is told of; refused says why not.
func (r *registry) receive(now time.Time, v webGuest, out []effect) (members []proto.Member, refused string, _ []effect) {
	r.totals.announced++
	_, e := r.find(v.id, v.peer)
	switch {
	case v.stopped:
		if refused = r.refusal(v.arrival); refused == "" && e != nil && e.guest {
			out = r.remove(now, e, "", out)
		}
		return nil, refused, out
	case e != nil && !e.guest:
		return nil, refusedKey, out
	case e != nil && !e.announces.draw(now, announceBurst, announceEvery):
		refused = r.refusal(v.arrival) // what it says is passed over
	default:
		refused, out = r.admit(now, v.arrival, out)
	}
	if refused != "" {
		return nil, refused, out
	}
	comp, e := r.find(v.id, v.peer)
	e.deadline = now.Add(2 * visitEvery)
	heap.Fix(&r.expiry, e.expiryPos)
	r.pick(comp, e.want, func(other *entry) bool {
		m, ok := other.memberFor(e.seat)
		if ok = ok && other != e; ok {
			members = append(members, m)
		}
		return ok
	})
	return members, "", out
}
