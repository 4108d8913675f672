package conduct

import (
	"container/heap"
	"crypto/subtle"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// limits are the bounds a registry keeps.
type limits struct {
	members   int           // entries in all
	perSource int           // entries seen from one source, see source
	peers     int           // members told to a newcomer
	dials     int           // dial backs at a time
	silence   time.Duration // an entry not renewed for this long is gone
}

// An entry may announce announceBurst times more at once, then once each
// announceEvery; what it announces beyond that is passed over.
const (
	announceBurst = 4
	announceEvery = 15 * time.Second
)

// A registry is the live list of who shares which composition, and decides
// who is told of whom. It is pure: no I/O, no clock, no lock; the time and the
// randomness come from outside and what is to be done is handed out as
// effects. One goroutine owns it, see loop.go.
type registry struct {
	lim    limits
	random *rand.Rand

	comps   map[[20]byte]*composition
	links   map[link]*entry
	sources map[netip.Addr]int // entries by source
	expiry  expiryHeap         // every entry
	guests  guests             // those of them that have no connection

	networks map[netip.Addr]int // entries that are members, by network

	copies      int                // that are remembered, over all compositions
	copiesFrom  map[netip.Addr]int // by source
	past        []past             // compositions without members, at most maxPast
	surveys     []survey           // of all compositions, when that was asked last
	surveyedAll time.Time          // and when it was

	ticket     uint64             // of the latest dial back
	line       []waiting          // dial backs of members that wait, first come first served
	guestLine  []waiting          // those of guests, for which only some run at a time
	running    map[uint64]waiting // dial backs under way
	guestDials int                // those of them that are guests'
	targets    targets            // what they go to

	totals    totals // since it began
	serial    uint64 // of the latest member
	histories int    // scenes whose history is kept
	maps      int    // bytes of members' bitfields, and of the counts of holders
}

// A composition is what members gather around. It exists while it has any.
type composition struct {
	id      [20]byte
	entries []*entry // in random order, see pick
	byPeer  map[proto.PeerID]*entry

	guests     int       // of the entries
	guestsTold allowance // guests that members are told of

	copies    map[copyID]netip.Addr // that were complete, since it is known, and their sources
	downloads int                   // guests that told that they became complete
	counted   census                // the latest
	countedAt time.Time             // and when it was made
	awaiting  map[uint32][]*entry   // who wants to know when so many are
	surveyed  survey                // the latest
	named     map[namedAddr]int     // see nameOwn
	places    map[[8]byte]int       // how many members name each, see latestRuns
	earlier   int                   // members that name a place that another one names
	title     title
	met       bool // a member was listed, since the composition is known
	scene     *scene
}

// An entry is one member of one composition. It needs no connection: link 0
// is an entry that is renewed some other way and told nothing.
type entry struct {
	comp *composition
	peer proto.PeerID
	key  [16]byte
	link link
	seat seat
	gone bool

	guest      bool
	downloaded bool // it told that it became complete
	guestPos   int  // in registry.guests

	deadline  time.Time
	expiryPos int // in registry.expiry
	pos       int // in comp.entries

	port       uint16           // announced; 0 accepts no connections
	own        []netip.AddrPort // that it named itself, filtered, see nameOwn
	main       claim            // the observed address with the announced port
	advertised claim

	want      int       // members it wants to know
	announces allowance // that were further ones
	pushes    int       // members it was pushed to as a newcomer
	told      []*entry  // whom it was told of, at most maxTold
	toldTo    []*entry  // who was told of it, at most maxToldTo
	listed    int       // how many it was told are listed; 0: not yet

	place [8]byte // of its copy; zeros: not told
	label string  // what it calls itself, for people
	title string  // what it calls the content, for people

	parts, have uint32
	pace        pace
	awaits      uint32 // copies; 0: nothing

	hearing   hearing        // what others complained of to it
	accused   []proto.PeerID // whom it complained of
	accusedAt time.Time      // since then

	account
}

// An arrival is a member's announcement as the shell received it.
type arrival struct {
	link link
	id   [20]byte
	peer proto.PeerID
	seat seat
	ann  proto.Announce
	name proto.Named // zero: it has none

	title string // "": it tells none
}

func newRegistry(lim limits, random *rand.Rand) *registry {
	return &registry{
		lim:        lim,
		random:     random,
		comps:      make(map[[20]byte]*composition),
		links:      make(map[link]*entry),
		sources:    make(map[netip.Addr]int),
		guests:     newGuests(),
		networks:   make(map[netip.Addr]int),
		copiesFrom: make(map[netip.Addr]int),
		running:    make(map[uint64]waiting),
		targets:    newTargets(),
	}
}

// Reasons of a refusal, as the member shows them to its user.
const (
	refusedKey         = "another member is listed under this peer id; start again to get a new one"
	refusedFull        = "this conductor has as many members as it takes; see its --max-members"
	refusedRoom        = "this conductor is full and made room for a member of another network; see its --max-members"
	refusedAddress     = "this conductor has as many members from your address as it takes; see its --max-per-address"
	refusedComposition = "this conductor does not take this composition; see its --allow"
)

// arrive takes the first announcement on a connection. The member is listed,
// welcomed and told of others, and others of it; or refused.
func (r *registry) arrive(now time.Time, a arrival, out []effect) []effect {
	why, out := r.admit(now, a, out)
	if why != "" {
		return refuse(a.link, why, out)
	}
	return out
}

// admit lists who announced itself, or says why not.
func (r *registry) admit(now time.Time, a arrival, out []effect) (refused string, _ []effect) {
	if why := r.refusal(a); why != "" {
		r.totals.refusedFor(why)
		return why, out
	}
	if _, e := r.find(a.id, a.peer); e == nil {
		var why string
		if why, out = r.makeRoom(now, a, out); why != "" {
			r.totals.refusedFor(why)
			return why, out
		}
	}
	comp, e := r.find(a.id, a.peer)
	if e == nil {
		if comp == nil {
			comp = r.newComposition(now, a.id)
		}
		e = &entry{comp: comp, peer: a.peer, key: a.ann.Key}
		e.pos = len(comp.entries)
		comp.entries = append(comp.entries, e)
		comp.byPeer[a.peer] = e
		heap.Push(&r.expiry, e)
	} else {
		out = r.unlink(e, "replaced by a newer connection", out)
		r.unsource(e)
		forgetTold(e)
		e.unawait()
		e.listed = 0
		if a.link != 0 {
			// it is told of others than before, and those that it then does not know have to know
			// it
			e.pushes = 0
		}
	}
	e.link, e.seat = a.link, a.seat
	comp.unplace(e)
	e.place, e.label = a.name.Place, a.name.Label
	comp.place(e)
	if a.link != 0 {
		r.links[a.link] = e
	}
	e.title = comp.called(now, a.title)
	r.sources[source(a.seat.from.Addr())]++
	if a.link == 0 {
		r.guests.add(e)
	} else {
		r.networks[network(a.seat.from.Addr())]++
	}
	r.renew(now, e)
	r.begin(now, e)

	out = r.tell(e, proto.Welcome{You: netip.AddrPortFrom(a.seat.from.Addr().WithZone(""), a.seat.from.Port())}, out)
	out = r.tellListed(e, out)
	for _, c := range []*claim{&e.main, &e.advertised} {
		if c.state == claimGood {
			out = r.tell(e, proto.Reachable{OK: true, Addr: c.addr}, out)
		}
		if c.state == claimBad {
			c.again = now // it may have been mended meanwhile
		}
	}
	if a.link != 0 && !comp.met {
		comp.met = true
		out = append(out, noteOf(noteFirst, e))
	}
	if comp.scene.every > 0 {
		out = r.tell(e, proto.Watch{Every: comp.scene.every}, out)
	}
	return "", r.outgrown(comp, r.take(now, e, a.ann, out))
}

// find returns a composition and a member of it; nil where there is none.
func (r *registry) find(id [20]byte, peer proto.PeerID) (*composition, *entry) {
	comp := r.comps[id]
	if comp == nil {
		return nil, nil
	}
	return comp, comp.byPeer[peer]
}

// refusal says why an arrival cannot be listed, however much room there is; ""
// if it can.
func (r *registry) refusal(a arrival) string {
	_, e := r.find(a.id, a.peer)
	src := source(a.seat.from.Addr())
	elsewhere := e == nil || source(e.seat.from.Addr()) != src
	switch {
	case e != nil && subtle.ConstantTimeCompare(e.key[:], a.ann.Key[:]) != 1:
		return refusedKey
	case elsewhere && r.sources[src] >= r.lim.perSource:
		return refusedAddress
	case elsewhere && a.link == 0 && r.guests.sources[src] >= r.lim.guestsOfSource():
		return refusedAddress
	}
	return ""
}

// announce takes a further announcement on a connection: it replaces what was
// announced before, and asks for more members.
func (r *registry) announce(now time.Time, l link, ann proto.Announce, out []effect) []effect {
	e := r.heard(now, l)
	if e == nil || !e.announces.draw(now, announceBurst, announceEvery) {
		return out
	}
	return r.take(now, e, ann, out)
}

// take takes over what a member announces.
func (r *registry) take(now time.Time, e *entry, ann proto.Announce, out []effect) []effect {
	e.want = min(int(ann.Want), r.lim.peers)
	before := e.have
	if ann.Parts != e.parts {
		r.forgetBits(e)
	}
	e.parts, e.have = ann.Parts, min(ann.Have, ann.Parts)
	e.pace.saw(now, e.have)
	r.regard(now, e, before)

	addrs := e.addrsFor(e.seat, nil)
	e.port = ann.Port
	e.nameOwn(ann.Addrs)
	observed, advertised := "", ""
	if e.port != 0 {
		observed = netip.AddrPortFrom(e.seat.from.Addr(), e.port).String()
		advertised = ann.Advertise
	}
	moved := e.main.host != observed || !slices.Equal(addrs, e.addrsFor(e.seat, nil))

	out = r.handOut(e, e.want, true, out)
	out = r.claimAt(now, e, &e.main, observed, out)
	out = r.claimAt(now, e, &e.advertised, advertised, out)
	out = r.recheck(now, e, out)
	out = r.introduce(now, e, moved, out)
	return r.count(e, out)
}

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
	return r.expiry[0].deadline
}

// expire removes the entries that were not renewed in time.
func (r *registry) expire(now time.Time, out []effect) []effect {
	for len(r.expiry) > 0 && !r.expiry[0].deadline.After(now) {
		e := r.expiry[0]
		out = r.unlink(e, silentTooLong, out)
		out = r.remove(now, e, silentTooLong, out)
	}
	return out
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

func (r *registry) tell(e *entry, m proto.Message, out []effect) []effect {
	if e.link == 0 {
		return out
	}
	return append(out, tell{e.link, m})
}

func refuse(l link, reason string, out []effect) []effect {
	out = append(out, tell{l, proto.Refused{Reason: reason}})
	return append(out, cut{who: l, why: reason, refused: true})
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
