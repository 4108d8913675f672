package conduct

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// Who spreads a file wants to know how many copies there are. A member that
// said it is complete counts as long as its composition is known, also when it
// has left: many end as soon as they are complete. And for a while longer,
// since the last of them may leave before anybody asked. Guests are not counted:
// whoever waits for copies, to end when they are there, must not be deceived by
// anybody who can send one request.
const (
	pastFor = time.Hour // that copies are remembered after the last member left
	maxPast = 256       // compositions without members that are remembered
)

// maxCopies is how many copies are remembered, over all compositions. Beyond
// it compositions without members are forgotten first, and then nothing more
// is counted. One composition, or one source, cannot use that up for others.
func (l limits) maxCopies() int         { return 4 * l.members }
func (l limits) maxCopiesOfOne() int    { return l.members } // of one composition
func (l limits) maxCopiesOfSource() int { return 4 * l.perSource }

// A copyID tells copies apart: by the place that a member named, so that one
// that was started again counts once; else by its peer id.
type copyID struct {
	place [8]byte
	peer  proto.PeerID
}

func (e *entry) copyID() copyID {
	if e.place != [8]byte{} {
		return copyID{place: e.place}
	}
	return copyID{peer: e.peer}
}

// complete reports whether a member has every part, as far as it says.
func (e *entry) complete() bool { return e.have == e.parts }

// A past is what is remembered of a composition without members.
type past struct {
	id     [20]byte
	copies map[copyID]netip.Addr
	title  title
	until  time.Time
	scene  *scene
}

// count counts a member that is complete, and tells those that waited for it.
func (r *registry) count(e *entry, out []effect) []effect {
	c, src := e.comp, source(e.seat.from.Addr())
	if _, counted := c.copies[e.copyID()]; counted || e.guest || !e.complete() {
		return out
	}
	if len(c.copies) >= r.lim.maxCopiesOfOne() || r.copiesFrom[src] >= r.lim.maxCopiesOfSource() {
		return out
	}
	for r.copies >= r.lim.maxCopies() && len(r.past) > 0 {
		r.forgetPast(1)
	}
	if r.copies >= r.lim.maxCopies() {
		return out
	}
	c.copies[e.copyID()] = src
	r.copiesFrom[src]++
	r.copies++
	what := noteFurther
	if len(c.copies) == 1 {
		what = noteComplete
	}
	out = append(out, noteOf(what, e))
	n := uint32(len(c.copies)) // it grows by one, so nobody is passed over
	for _, to := range c.awaiting[n] {
		to.awaits = 0
		out = r.tell(to, proto.Copies{Complete: n}, out)
	}
	delete(c.awaiting, n)
	return out
}

// await takes note that a member wants to know when so many are complete.
func (r *registry) await(now time.Time, l link, copies uint32, out []effect) []effect {
	e := r.heard(now, l)
	if e == nil {
		return out
	}
	e.unawait()
	if n := uint32(len(e.comp.copies)); n >= copies {
		return r.tell(e, proto.Copies{Complete: n}, out)
	}
	e.awaits = copies
	e.comp.awaiting[copies] = append(e.comp.awaiting[copies], e)
	return out
}

func (e *entry) unawait() {
	if e.awaits == 0 {
		return
	}
	waiting := e.comp.awaiting
	if waiting[e.awaits] = without(waiting[e.awaits], e); len(waiting[e.awaits]) == 0 {
		delete(waiting, e.awaits)
	}
	e.awaits = 0
}

// keepPast remembers the copies of a composition whose last member left.
func (r *registry) keepPast(c *composition, until time.Time) {
	if len(c.copies) == 0 {
		r.endScene(c.scene)
		return
	}
	if len(r.past) >= maxPast {
		r.forgetPast(1)
	}
	r.past = append(r.past, past{c.id, c.copies, c.title, until, c.scene})
}

// forgetPast forgets the oldest n.
func (r *registry) forgetPast(n int) {
	for _, p := range r.past[:n] {
		r.copies -= len(p.copies)
		for _, src := range p.copies {
			lessen(r.copiesFrom, src)
		}
		r.endScene(p.scene)
	}
	r.past = slices.Delete(r.past, 0, n)
}

// prunePast forgets those whose time is over. They lie in the order in which
// they were left, which is that of their ends but for a guest's longer
// deadline.
func (r *registry) prunePast(now time.Time) {
	n := slices.IndexFunc(r.past, func(p past) bool { return p.until.After(now) })
	if n < 0 {
		n = len(r.past)
	}
	r.forgetPast(n)
}

// pastOf returns what is remembered of a composition without members.
func (r *registry) pastOf(now time.Time, id [20]byte) *past {
	r.prunePast(now)
	if i := slices.IndexFunc(r.past, func(p past) bool { return p.id == id }); i >= 0 {
		return &r.past[i]
	}
	return nil
}

// newComposition begins a composition, with the copies that are remembered.
func (r *registry) newComposition(now time.Time, id [20]byte) *composition {
	c := &composition{
		id: id, byPeer: make(map[proto.PeerID]*entry),
		places: make(map[[8]byte]int), named: make(map[namedAddr]int),
		copies: make(map[copyID]netip.Addr), awaiting: make(map[uint32][]*entry),
		scene: new(scene),
	}
	if p := r.pastOf(now, id); p != nil {
		c.copies, c.title, c.scene, c.met = p.copies, p.title, p.scene, true
		r.past = slices.DeleteFunc(r.past, func(p past) bool { return p.id == id })
	}
	r.comps[id] = c
	return c
}
