package swarm

import (
	"slices"
	"time"
)

// A chain is the best that a few members with equal lines can do: each gets everything from one
// other member, its upstream, and passes it on to one, its downstream. Every line then carries one
// flow in each direction, which fills it, where several that meet by chance leave some of it idle;
// and nobody but the downstream must hear of a part at once. What comes is passed on as it comes
// (relay.go), but the last of n members still is n hops later than the first, so there must not be
// too many of them.
//
// Nobody arranges it. A sender stays with whom it sent to last, as long as that one wants
// something, and a receiver asks only who sends to it. Who is without an upstream, an orphan, asks
// everybody, and gets the first that is free: the end of the chain.
//
// It is no good where lines differ: who is behind a slow one stays behind. Such a member asks
// everybody from then on; and who is asked by others than its downstream for some time serves all
// by turns ([grants.neediest]).
type chain struct {
	up     *peer         // who sends to this member
	from   time.Duration // when it began to
	upAt   time.Duration // when something came from it last
	down   *peer         // who is sent to
	downAt time.Duration // when a grant of it was served last

	lostAt   time.Duration // when this member last lost an upstream with somebody behind it
	rejected int           // runs that the upstream rejected since a part came

	next int // the part that the upstream was asked for last

	came   int64   // bytes since the upstream began, to be compared with what others gain
	broken bool    // it was of no use
	told   Chained // what the links were told last

	upGot int64 // bytes that came from it and are not yet progress
	upAll int64 // bytes that came from it, as far as sureAfter

	foreign, near, far int // links to foreign clients, to members that are near, and to others
}

const (
	// chainParts is how many parts there are at least: with few, it takes long until it is known
	// that a chain is of no use.
	chainParts = 32
	// Each member is a hop behind the one before it: so many bytes must be here before they are
	// passed on. All hops together are to be no more than a hopShare'th of the content; larger ones
	// cost less. Where the least would be too much, the chain would be too long.
	hopShare  = 20
	hopLeast  = 16 << 10
	hopMost   = 256 << 10
	hopsShare = 10
	// hopFar is the same in a mesh over long paths, where a part comes slowly.
	hopFar = 32 << 10
	// chainSlots is how many grants are out, all to the downstream, so that the next part is ready
	// when the last one ends.
	chainSlots = 2
	// sureAfter is how many bytes have to come from an upstream until nobody else is needed.
	sureAfter = 256 << 10

	// Whose upstream sends nothing for so long asks the others too; whose downstream wants nothing
	// for so long looks for another one.
	upPatience   = 400 * time.Millisecond
	downPatience = 200 * time.Millisecond

	// An orphan waits so long until the chain is given up for its sake; one that has nothing yet,
	// or one part only while others have nothing, until they had time to get a part each.
	orphanWait = 300 * time.Millisecond
	firstWait  = time.Second
)

// served takes in that a grant has ended.
func (pl *plan) served() { pl.chain.downAt = pl.s.now }

// hop is how many bytes are passed on at once; 0: parts are passed on whole.
func (pl *plan) hop() int {
	switch {
	case pl.meshed():
		return hopFar
	case !pl.chained():
		return 0
	}
	return int(min(max(pl.s.size/hopShare/int64(pl.others()), hopLeast), hopMost))
}

// linked takes in that a link is up. Who has everything tries a chain again with the next members
// that come when the last ones are done.
func (pl *plan) linked(p *peer) {
	lacks := func(q *peer) bool { return q != p && !pl.s.complete(q) }
	if pl.s.missing == 0 && !slices.ContainsFunc(pl.s.links.list, lacks) {
		pl.chain.broken = false
	}
	pl.counts(p, 1)
}

// unlinked takes in that a link is down.
func (pl *plan) unlinked(p *peer) {
	pl.counts(p, -1)
	if p.foreign() || p.against || (p == pl.again.slow && !pl.s.complete(p)) {
		pl.mayBeOver()
	}
}

// counts counts the links that speak for a chain, and against one.
func (pl *plan) counts(p *peer, n int) {
	c := &pl.chain
	switch {
	case p.foreign():
		c.foreign += n
	case !p.isFar():
		c.near += n
	default:
		c.far += n
	}
}

// sure reports whether this member has an upstream that does send.
func (pl *plan) sure() bool { return pl.chain.up != nil && pl.chain.upAll >= sureAfter }

// ramp is how long a flow to a peer takes until it is fast, beside what it takes over a short path.
func ramp(p *peer) time.Duration { return ramps * p.roundTrip }

// ramps is how many round trips a flow takes until it fills a line of some 20 Mbit/s for sure.
const ramps = 12

// fills is how long it takes at most until as much comes from a new upstream as its line carries:
// in a long chain all those before it have just begun, too.
func (pl *plan) fills(up *peer) time.Duration {
	return ramp(up) + time.Duration(max(pl.others()-shortChain, 0))*hopFills
}

const (
	// shortChain is how many members pass their first bytes on within behindAfter.
	shortChain = 32
	// hopFills is how long each member more takes for that.
	hopFills = 15 * time.Millisecond
)

// orphan tells whether this member is in want of an upstream.
func (pl *plan) orphan() bool {
	return pl.chain.up == nil && pl.s.missing > 0 && pl.chained()
}

// nextPart finds the next part to ask the upstream for. Its order is no matter to the swarm, since
// all get the same parts one after another; so it is one in which content can be used while it
// comes, and disks write well.
func (pl *plan) nextPart(p *peer) (uint32, bool) {
	c := &pl.chain
	if c.up != p {
		return 0, false
	}
	part, ok := pl.s.rare.first(p, c.next, min(c.next+lookOver, pl.s.parts))
	if ok {
		c.next = int(part)
	}
	return part, ok
}

// lookOver is how many parts nextOf looks over, so that it takes as long with many as with few.
const lookOver = 4096

// came makes a peer that sent something the upstream, if there is none.
func (pl *plan) came(p *peer, bytes int64) {
	c := &pl.chain
	if pl.orphan() && !p.lame && !p.leaving && pl.begunSince(p) {
		c.up, c.from, c.upAt, c.upGot, c.upAll = p, pl.s.now, pl.s.now, 0, 0
		pl.compare()
		for _, q := range pl.s.links.list {
			if q != p {
				pl.s.requests.recallAll(q)
			}
		}
		for _, q := range pl.s.links.list {
			pl.greet(q)
		}
		pl.s.requests.fill(p)
	}
	pl.feed.meter.add(pl.s.now, bytes)
	pl.feed.came += bytes
	p.meter.add(pl.s.now, bytes)
	pl.feedSends(p)
	c.came += bytes
	if c.up == p {
		if before := c.upAll; before < sureAfter {
			if c.upAll += bytes; c.upAll >= sureAfter {
				pl.s.links.showInterests()
			}
		}
		if c.upGot += bytes; bytes == 0 || c.upGot >= movedLeast {
			c.upAt, c.upGot = pl.s.now, 0
		}
	}
}

// giveUp lets this member get from all and serve all from now on, and tells its downstream; slow is
// the upstream that was too slow, if that is why.
func (pl *plan) giveUp(slow *peer) {
	c := &pl.chain
	pl.lostTo(slow)
	if d := c.down; d != nil && !d.gone {
		pl.s.emit(Dismiss{d.index})
	}
	c.broken = true
	c.up, c.down, c.rejected = nil, nil, 0
	pl.s.links.showInterests()
	pl.s.grants.breakRelays(nil)
	for _, p := range pl.s.links.list {
		p.coming = nil
	}
	pl.s.requests.fillOthers(nil)
}

// dismissed ends the chain for who no longer has an upstream to itself.
func (pl *plan) dismissed(ev Dismissed) {
	if p := pl.s.links.peer(ev.Peer); p != nil && p == pl.chain.up {
		pl.giveUp(nil)
	}
}

// watchChain lets go of an upstream that has nothing more, and of the chain if others wait.
func (pl *plan) watchChain() {
	c := &pl.chain
	pl.tellChained()
	if !pl.chained() {
		if c.up != nil {
			c.up = nil
			pl.s.links.showInterests()
			pl.s.requests.fillOthers(nil)
		}
		return
	}
	if c.down != nil && (c.down.gone || pl.s.complete(c.down)) {
		c.down = nil
	}
	if c.up != nil && (c.up.gone || c.up.choked || pl.s.now >= c.upAt+upPatience+ramp(c.up)) {
		if c.up.begun > 0 {
			pl.s.requests.limps(c.up, true)
		}
		if c.down != nil {
			c.lostAt = pl.s.now
		}
		c.up = nil
		pl.s.links.showInterests()
		pl.s.requests.fillOthers(nil)
	}
	waits := func(p *peer) bool { return pl.s.now >= pl.waits(p) }
	if c.rejected >= rejectsMost || slices.ContainsFunc(pl.s.grants.wanting(), waits) {
		pl.giveUp(nil)
	}
}

// tellChained tells the links what they have to know of the chain when it changes, of the hop when
// that changes a good deal.
func (pl *plan) tellChained() {
	now, told := Chained{pl.chained(), pl.hop(), verifyWait}, &pl.chain.told
	if now.On && pl.s.haveN >= settledParts {
		now.Wait = settledWait
	}
	like := now.Hop >= told.Hop*3/4 && now.Hop <= told.Hop*5/4
	if now.On == told.On && now.Wait == told.Wait && like {
		return
	}
	left := told.On && !now.On
	*told = now
	pl.s.emit(now)
	if left {
		pl.s.links.shed()
	}
}

// waits tells how long a peer waits that is not served, until the chain is given up.
func (pl *plan) waits(p *peer) time.Duration {
	switch {
	case p == pl.chain.down || len(p.wants) == 0 || !p.interested || p.resting || p.takes.onTrial():
		return never
	case p.hasN > 0 && (pl.again.at == 0 || p.asked > pl.again.at+gatherFor) &&
		(p.hasN > 1 || !pl.forms()):
		return p.asked + orphanWait + ramp(p)
	}
	wait := firstWait + 2*ramp(p)
	if rate := pl.s.lines.upRate(); rate > 0 {
		wait += timeFor(float64(pl.s.book.others())*float64(pl.s.partSize), rate)
	}
	return p.asked + wait
}

// forms reports whether some of those that ask have nothing yet. Then it is still to be seen who is
// at the end of the chain, and serves who has no upstream.
func (pl *plan) forms() bool {
	return slices.ContainsFunc(pl.s.grants.wanting(), func(p *peer) bool {
		return p.hasN == 0 && p != pl.chain.down && p.interested
	})
}

// nextChain is when watchChain is to look next.
func (pl *plan) nextChain() time.Duration {
	c, at := &pl.chain, never
	if !pl.chained() {
		return at
	}
	if c.up != nil {
		at = c.upAt + upPatience + ramp(c.up)
	}
	if t := c.downAt + downPatience; c.down != nil && pl.s.now < t {
		at = min(at, t)
	}
	for _, p := range pl.s.grants.wanting() {
		at = min(at, pl.waits(p))
	}
	return at
}

// next is who is granted something next; nil: nobody now.
func (pl *plan) next() *peer {
	if !pl.chained() {
		return pl.s.grants.neediest()
	}
	if pl.gathers() {
		return nil
	}
	c := &pl.chain
	if d := c.down; d != nil && !pl.s.complete(d) && !d.resting && d.takes.over(pl.s.now) {
		switch {
		case pl.s.grants.mayTake(d):
			return d
		case len(d.wants) > 0:
			return nil
		}
		if len(d.grants) > 0 || (len(d.awaits) > 0 && c.up != nil) ||
			pl.s.now < c.downAt+downPatience {
			return nil
		}
	}
	c.down = pl.s.grants.neediest()
	if c.down != nil {
		pl.s.grants.breakRelays(c.down)
		pl.greet(c.down)
	}
	return c.down
}
