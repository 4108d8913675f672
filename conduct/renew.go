package conduct

import (
	"container/heap"
	"time"

	"orchestra/proto"
)

// heard renews the entry of a connection from which something came, and
// returns it; nil if the connection has none any more.
func (r *registry) heard(now time.Time, l link) *entry {
	e := r.links[l]
	if e != nil {
		e.account.heard = now
		r.renew(now, e)
	}
	return e
}

func (r *registry) renew(now time.Time, e *entry) {
	e.forgive(now)
	e.deadline = now.Add(r.lim.silence)
	heap.Fix(&r.expiry, e.expiryPos)
}

// ping takes a keep-alive and answers it, so that the member knows that the
// conductor lives.
func (r *registry) ping(now time.Time, l link, out []effect) []effect {
	e := r.heard(now, l)
	if e == nil {
		return out
	}
	out = r.tell(e, proto.KeepAlive{}, out)
	return r.recheck(now, e, out)
}

// lives takes a sign of life that is not answered here: it is of a connection
// that several members share.
func (r *registry) lives(now time.Time, l link, out []effect) []effect {
	e := r.heard(now, l)
	if e == nil {
		return out
	}
	return r.recheck(now, e, out)
}

// progress takes over how far a member is.
func (r *registry) progress(now time.Time, l link, p proto.Progress, out []effect) []effect {
	e := r.heard(now, l)
	if e == nil {
		return out
	}
	before := e.have
	e.have = min(p.Have, e.parts)
	e.pace.saw(now, e.have)
	r.book(now, e, p)
	r.regard(now, e, before)
	return r.count(e, out)
}
