package conduct

import (
	"container/heap"
	"crypto/subtle"
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

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

// An entry may announce announceBurst times more at once, then once each
// announceEvery; what it announces beyond that is passed over.
const (
	announceBurst = 4
	announceEvery = 15 * time.Second
)

// Reasons of a refusal, as the member shows them to its user.
const (
	refusedKey  = "another member is listed under this peer id; start again to get a new one"
	refusedFull = "this conductor has as many members as it takes; see its --max-members"
	refusedRoom = "this conductor is full and made room for a member of another network; " +
		"see its --max-members"
	refusedAddress = "this conductor has as many members from your address as it takes; " +
		"see its --max-per-address"
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
			// It is told of others than before, and those that it then does not know have to know
			// it.
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

	you := netip.AddrPortFrom(a.seat.from.Addr().WithZone(""), a.seat.from.Port())
	out = r.tell(e, proto.Welcome{You: you}, out)
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
	had := e.have
	if ann.Parts != e.parts {
		r.forgetBits(e)
	}
	e.parts, e.have = ann.Parts, min(ann.Have, ann.Parts)
	e.pace.saw(now, e.have)
	r.regard(now, e, had)

	var before, after [proto.MaxAddrs]netip.AddrPort
	addrs := e.addrsFor(e.seat, before[:0])
	e.port = ann.Port
	e.nameOwn(ann.Addrs)
	observed, advertised := "", ""
	if e.port != 0 {
		observed = netip.AddrPortFrom(e.seat.from.Addr(), e.port).String()
		advertised = ann.Advertise
	}
	moved := e.main.host != observed || !slices.Equal(addrs, e.addrsFor(e.seat, after[:0]))

	out = r.handOut(e, e.want, true, out)
	out = r.claimAt(now, e, &e.main, observed, out)
	out = r.claimAt(now, e, &e.advertised, advertised, out)
	out = r.recheck(now, e, out)
	out = r.introduce(now, e, moved, out)
	return r.count(e, out)
}

func refuse(l link, reason string, out []effect) []effect {
	out = append(out, tell{l, proto.Refused{Reason: reason}})
	return append(out, cut{who: l, why: reason, refused: true})
}
