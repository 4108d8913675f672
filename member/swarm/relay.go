package swarm

import (
	"slices"
	"time"
)

// A member passes parts on while they come. It suggests them (BEP 6); what is asked of it then
// waits until the first bytes are here, is granted, and goes out as it comes in.
//
// In a chain that is what it asks its upstream for, and its downstream is who hears of it: so the
// last member is later than the first by some packets for each member between them, and not by a
// part.
//
// In a mesh whose members are far from each other it is a part that nobody around has, once it
// begins to come from who has it, and all that are far hear of it. Several parts come over a long
// path side by side, so each takes long; without passing them on the lines up would stand idle
// until the first of them is whole, and the last part would take as long again at the end. Near by
// it is no good: a slow line would be shared by all who hear of a part at once.
//
// Nothing says that such a part is here before it verified. Who asks for it knows that it is
// hearsay, and blames nobody for it if it is bad; but who passed bad parts on a few times is asked
// only for what it has, for a while. So a liar costs those behind it that many parts each time, and
// what a member offers as its own is right as ever.

// relayPatience is how long a part that a peer is getting may wait before it is asked of who has
// it. The peer has several asked for as well.
const relayPatience = time.Second

// suggested takes in that a peer gets a part, and passes it on as it comes.
func (pl *plan) suggested(ev Suggested) {
	p := pl.s.links.peer(ev.Peer)
	if p == nil || p.foreign() || pl.s.trust.misleads(p) {
		return
	}
	for _, part := range ev.Parts {
		if int(part) < pl.s.parts && !p.hasPart(part) && pl.s.lacks(part) &&
			len(p.coming) < menuMost && !slices.Contains(p.coming, part) {
			p.coming = append(p.coming, part)
		}
	}
	pl.s.links.showInterest(p)
	pl.s.requests.fill(p)
	pl.prefer(p)
}

// relaysNoMore takes in that a part is nothing any more that a peer passes on as it comes.
func (pl *plan) relaysNoMore(p *peer, part uint32) { takeOut(&p.coming, part) }

// relaysNothing takes in that a peer passes nothing on any more, or is not to.
func (pl *plan) relaysNothing(p *peer) { p.coming = nil }

// unchoked takes in that a peer may be asked.
func (pl *plan) unchoked(p *peer) {
	pl.prefer(p)
	pl.s.links.showInterest(p)
}

// prefer takes what a peer passes on from others that were asked for it and did not begin, as far
// as there is room for more on its menu. In a chain it is the end, and the others have somebody to
// send to; in a mesh who has the part sends it once and then something else.
func (pl *plan) prefer(p *peer) {
	if p.choked || !pl.mayAsk(p) || !(pl.orphan() || pl.meshed()) || pl.followed() {
		return
	}
	for _, q := range pl.s.links.list {
		if q == p {
			continue
		}
		for _, f := range q.fetches {
			if pl.meshed() && len(p.fetches)+p.promised >= pl.depth(p) {
				return
			}
			alone := f.work.runs[f.n].asked == 1
			if f.started == 0 && !f.recalled && alone && slices.Contains(p.coming, f.work.part) {
				pl.s.requests.recallFor(p, q, f)
			}
		}
	}
}

// comingPart finds a part that the peer passes on as it comes, and that nobody is asked for.
func (pl *plan) comingPart(p *peer) (uint32, bool) {
	if !pl.chained() && !pl.meshed() || pl.followed() {
		return 0, false
	}
	for i, part := range p.coming {
		if pl.s.rare.isFree(part) {
			p.coming = slices.Delete(p.coming, i, i+1)
			return part, true
		}
	}
	return 0, false
}

// suggest tells a peer of parts that this member asked its upstream for, those it may want.
func (pl *plan) suggest(p *peer, fetches []*fetch) {
	var parts []uint32
	for _, f := range fetches {
		if part := f.work.part; !p.hasPart(part) && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 {
		pl.s.emit(Suggest{p.index, parts})
	}
}

// relaysTo tells whether what the upstream sends is offered to a peer.
func (pl *plan) relaysTo(p *peer) bool {
	c := &pl.chain
	return c.up != nil && c.up != p && !p.foreign() && pl.chained() && pl.mayFollow(p)
}

// asked suggests the part that the upstream was asked for last, once.
func (pl *plan) asked(up *peer) {
	last := len(up.fetches) - 1
	if pl.meshed() {
		takeOut(&up.coming, up.fetches[last].work.part) // if it is rejected, it does not come there
	}
	if pl.chain.up != up || (last > 0 && up.fetches[last-1].work == up.fetches[last].work) {
		return
	}
	for _, p := range pl.s.links.list {
		if pl.relaysTo(p) {
			pl.suggest(p, up.fetches[last:])
		}
	}
}

// greet suggests all that the upstream is asked for to who may have it now.
func (pl *plan) greet(p *peer) {
	if pl.relaysTo(p) {
		pl.suggest(p, pl.chain.up.fetches)
	}
}

// begins suggests a part that begins to come from a peer to all that are far, if they may lack it.
func (pl *plan) begins(from *peer, f *fetch) {
	part := f.work.part
	if !pl.meshed() || f.hearsay || f.n > 0 || pl.s.rare.count[part] > 0 {
		return
	}
	for _, p := range pl.s.links.list {
		far := from.isFar() || p.isFar()
		if p != from && far && !p.foreign() && !p.leaving && !p.hasPart(part) {
			pl.suggest(p, []*fetch{f})
		}
	}
}

// meshed reports whether parts are passed on as they come in a mesh: some of it is far.
func (pl *plan) meshed() bool { return !pl.chained() && pl.chain.far > 0 }

// passesOn reports whether a peer that asks for a part that is not here is to have it as it comes.
func (pl *plan) passesOn(p *peer, part uint32) bool {
	if pl.meshed() {
		return !p.foreign() && pl.flows(part)
	}
	comes := func(f *fetch) bool { return f.work.part == part }
	return pl.relaysTo(p) && slices.ContainsFunc(pl.chain.up.fetches, comes)
}

// flows reports whether some of a part that is passed on is here, or coming in.
func (pl *plan) flows(part uint32) bool {
	w := pl.s.requests.works[part]
	if w == nil || (pl.chained() && pl.chain.up == nil) {
		return false
	}
	comes := func(f *fetch) bool { return f.work == w && f.started != 0 }
	sends := func(p *peer) bool { return p.begun > 0 && slices.ContainsFunc(p.fetches, comes) }
	if pl.chained() {
		return w.left < len(w.runs) || sends(pl.chain.up)
	}
	return w.left < len(w.runs) || slices.ContainsFunc(pl.s.links.list, sends)
}

// relaysUntil is until when a peer may be expected to get a part, and pass it on; 0: it may not.
func (pl *plan) relaysUntil(p *peer, f *fetch) time.Duration {
	if !pl.chained() && !pl.meshed() || p.hasPart(f.work.part) {
		return 0
	}
	return f.asked + relayPatience
}
