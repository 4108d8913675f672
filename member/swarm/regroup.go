package swarm

import (
	"slices"
	"time"

	"orchestra/proto"
)

// A chain that was given up is formed anew when nothing speaks against it any more. Some members in
// a chain and others in a mesh would be worse than either, so all go back together: whoever knows
// something against it says so, and says when that is over; a member that has everything, and hears
// of nothing, calls them, and who hears the call passes it on. Then nobody asks more than one run
// of anybody, who has everything serves one, that one the next, and so on.
//
// Against a chain speaks a guest, and an upstream that was too slow, until it has left, or for a
// while. A chain that is given up soon again is called for later each time.
type regroup struct {
	slow    *peer         // the upstream that was too slow, as long as that counts
	until   time.Duration // that is so long
	grudges backoff       // of holding it against somebody
	told    bool          // peers were told that something speaks against a chain

	calls backoff       // of calling
	ended time.Duration // when the chain was given up last
	at    time.Duration // when it was begun anew last; 0: never
}

const (
	// slowFor is how long an upstream is held to be too slow: it may have been a packet that was
	// lost, or others on its line. It is twice as long each time, up to slowMost.
	slowFor  = 2 * time.Minute
	slowMost = time.Hour
	// callAfter is how long a mesh stays of which it is not known what speaks against a chain: it
	// may be that two lines are not alike. It is twice as long each time, up to callMost, unless
	// the chain held for callHeld.
	callAfter = 2 * time.Minute
	callMost  = time.Hour
	callHeld  = time.Minute
	// callSoon is the same from when something that may have spoken against a chain is gone.
	callSoon = 5 * time.Second
	// callLeast is how long ago the chain must have ended for a call to be heeded, so that nobody
	// can have all go to and fro.
	callLeast = 3 * time.Second
	// drainFor is how long nobody serves after a call: until all have heard it, and most of what
	// was on its way is there.
	drainFor = 150 * time.Millisecond
	// gatherFor is how long nobody but who has an upstream serves others after a call.
	gatherFor = time.Second
)

// speaksAgainst reports whether this member knows why there should be no chain.
func (pl *plan) speaksAgainst() bool {
	g := &pl.again
	slow := g.slow != nil && pl.s.now < g.until
	if slow && g.slow.gone && !pl.s.complete(g.slow) { // else it may still send to others
		slow = false
	}
	return pl.chain.foreign > 0 || slow
}

// lostTo notes that the chain was given up; up is the upstream if that was too slow.
func (pl *plan) lostTo(up *peer) {
	g := &pl.again
	if g.at > 0 && pl.s.now-g.at >= callHeld {
		g.calls = backoff{}
	}
	g.calls.until = 0 // that it ends again counts each time
	g.ended = pl.s.now
	g.calls.fail(pl.s.now, callAfter, callMost)
	if up != nil {
		g.grudges.fail(pl.s.now, slowFor, slowMost)
		g.slow, g.until = up, g.grudges.until
	}
}

// mayBeOver takes in that something is gone that may have spoken against a chain.
func (pl *plan) mayBeOver() {
	g := &pl.again
	g.calls.until = min(g.calls.until, pl.s.now+pl.callSoon())
}

// callSoon is how long a mesh stays when it is known what spoke against a chain.
func (pl *plan) callSoon() time.Duration {
	return callSoon << min(max(pl.again.calls.fails-1, 0), 10)
}

// tendRegroup tells others whether something speaks against a chain, and calls them when nothing
// does.
func (pl *plan) tendRegroup() {
	g := &pl.again
	if !pl.chain.broken && !g.told {
		return
	}
	if on := pl.chain.broken && pl.speaksAgainst(); on != g.told {
		g.told = on
		pl.sayRegroup(nil, regroupOf(on))
	}
	if pl.mayCall() && g.calls.over(pl.s.now) {
		pl.formAnew(nil)
	}
}

func regroupOf(against bool) proto.Regrouping {
	if against {
		return proto.RegroupAgainst
	}
	return proto.RegroupWell
}

// mayCall reports whether this member is one to call for a chain, but for the time.
func (pl *plan) mayCall() bool {
	if !pl.chain.broken || pl.s.missing > 0 || pl.speaksAgainst() {
		return false
	}
	lacking := false
	for _, p := range pl.s.links.list {
		if p.against {
			return false
		}
		lacking = lacking || !pl.s.complete(p)
	}
	return lacking
}

// nextRegroup is when tendRegroup has something to do if nothing happens.
func (pl *plan) nextRegroup() time.Duration {
	g := &pl.again
	at := never
	for _, t := range []time.Duration{g.at + drainFor, g.at + gatherFor} {
		if g.at > 0 && pl.s.now < t {
			at = min(at, t)
		}
	}
	if pl.chain.broken && g.slow != nil && pl.s.now < g.until {
		at = min(at, g.until)
	}
	if pl.mayCall() {
		at = min(at, max(g.calls.until, pl.s.now+1))
	}
	return at
}

// sayRegroup tells all members but one.
func (pl *plan) sayRegroup(not *peer, what proto.Regrouping) {
	for _, p := range pl.s.links.list {
		if p != not && !p.origin && !p.foreign() && !p.leaving {
			pl.s.emit(SetRegroup{p.index, what})
		}
	}
}

// regrouped takes in what a peer says of a chain.
func (pl *plan) regrouped(ev Regroup) {
	p := pl.s.links.peer(ev.Peer)
	switch {
	case p == nil:
	case ev.What != proto.RegroupNow:
		if p.against && ev.What == proto.RegroupWell {
			pl.mayBeOver()
		}
		p.against = ev.What == proto.RegroupAgainst
	case pl.chain.broken && !pl.speaksAgainst() && pl.s.now >= pl.again.ended+callLeast:
		pl.formAnew(p)
	}
}

// formAnew begins a chain that was given up, because a peer calls; nil: because this member does.
func (pl *plan) formAnew(caller *peer) {
	c, g := &pl.chain, &pl.again
	c.broken, c.up, c.down = false, nil, nil
	c.downAt = pl.s.now
	g.slow, g.at = nil, max(pl.s.now, 1)
	if !pl.chained() { // there are too many by now
		return
	}
	pl.sayRegroup(caller, proto.RegroupNow)
	for _, p := range pl.s.links.list {
		pl.s.requests.recallAll(p)
	}
}

// gathers reports whether the chain is being formed anew, and this member is not in it yet.
func (pl *plan) gathers() bool {
	g := &pl.again
	if g.at == 0 || pl.s.now >= g.at+gatherFor {
		return false
	}
	return pl.s.now < g.at+drainFor || (pl.chain.up == nil && pl.s.missing > 0)
}

// begunSince reports whether a peer is sending something that it began when the chain was being
// formed anew, or later.
func (pl *plan) begunSince(p *peer) bool {
	return pl.again.at == 0 || slices.ContainsFunc(p.fetches, func(f *fetch) bool {
		return f.started >= pl.again.at+drainFor
	})
}
