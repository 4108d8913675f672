package conduct

import (
	"container/heap"
	"time"

	"orchestra/proto"
)

// visitEvery is how often a guest is asked to announce itself over HTTP (BEP 3: interval). It stays listed for two intervals.
const visitEvery = time.Minute

// A webGuest is what a BitTorrent client announces over HTTP. It becomes an entry like a member's, without a connection: it is told of others
// in the answer only.
type webGuest struct {
	arrival
	stopped bool // it leaves
}

// receive lists a guest and chooses whom it is told of; refused says why not.
func (r *registry) receive(now time.Time, v webGuest, out []effect) (members []proto.Member, refused string, _ []effect) {
	if why := r.refusal(v.arrival); why != "" {
		return nil, why, out
	}
	_, e := r.find(v.id, v.peer)
	if v.stopped {
		if e != nil && e.link == 0 {
			if v.ann.Have == v.ann.Parts {
				e.parts, e.have = v.ann.Parts, v.ann.Have
				out = r.count(e, out) // it became complete since its last visit
			}
			out = r.remove(e, out)
		}
		return nil, "", out
	}
	if e != nil && e.link != 0 {
		return nil, refusedKey, out
	}
	out = r.arrive(now, v.arrival, out)
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
