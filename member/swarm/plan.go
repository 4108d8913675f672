package swarm

import (
	"cmp"
	"time"

	"orchestra/proto"
)

// A plan is the shape that this member gives the swarm around it: who sends to it, whom it sends
// to, and what they have to know. Nothing else in this package knows the shape; it asks
//
//   - whom it may ask and for how much: [plan.mayAsk], [plan.menu], [plan.patience], and in which
//     order: [plan.nextPart], [plan.comingPart];
//   - whom it serves next, and how many at once: [plan.next], [plan.slots], [plan.servesUnasked];
//   - how many links it has: [plan.mostLinks], [plan.fewLinks];
//   - who hears of a part when: [plan.haveDelay]; and who is to send at all: [plan.needs];
//   - whether it passes on what did not verify yet: [plan.passesOn], [plan.relaysUntil];
//   - whether others are told that it could send more, and how much may be in flight:
//     [plan.tellsIdle], [plan.sharesLine].
//
// It is told what happens: who is linked to, who sends, who is served, who gains what. There are
// two shapes now. A chain (chain.go), with feeds beside the upstream (feeds.go) and parts that are
// passed on while they come (relay.go), is the best where lines are equal. In a mesh everybody asks
// everybody, and serves by turns (turns.go).
type plan struct {
	s     *Swarm
	chain chain
	feed  feeds
	again regroup
}

// tend looks whether the plan is still good, and says so where it is another one.
func (pl *plan) tend() {
	pl.tendRegroup()
	pl.watchChain()
	pl.tendFeeds()
}

// due is when tend has something to do if nothing happens.
func (pl *plan) due() time.Duration { return min(pl.nextChain(), pl.nextFeeds(), pl.nextRegroup()) }

// menu is how many runs are kept asked for at a peer, and from how few on more are asked for: where
// it sends all the time several are asked for at once, since each message wakes somebody.
func (pl *plan) menu(p *peer) (depth, low int) {
	depth = pl.depth(p)
	if p == pl.chain.up {
		return depth, depth / 2
	}
	return depth, depth
}

// depth is how many runs are kept asked for at a peer.
func (pl *plan) depth(p *peer) int {
	length := int(min(RunSize, pl.s.partSize))
	if !p.sent && p.sends.onTrial() { // it has sent nothing yet
		return menuOrphan
	}
	if p.foreign() {
		if p.sends.fails > 1 {
			return menuForeign
		}
		return max(menuForeign, (p.blocks<<14+length-1)/length+1)
	}
	if pl.orphan() || pl.onTrialFeed(p) || p.sends.fails > 1 {
		return menuOrphan
	}
	depth := min(max(menuRuns, menuBytes/length), menuMost)
	if p.origin && !pl.chained() { // others may be at the same place soon
		depth = min(depth, max(originMenu/length, 2))
	}
	if pl.slowFeed(p) { // what waits there is missed at the end
		depth = min(depth, 2+int(p.pace*menuTime.Seconds())/length)
	}
	return depth
}

// What is kept outstanding at a member. Requests cost it nothing: they are the menu from which it
// chooses whom to help next with what, so more than one part is on it even where the line is slow.
const (
	menuRuns  = 8
	menuBytes = 2 << 20
	menuMost  = 256
	// menuTime is how much of its sending is asked for at one of several feeds.
	menuTime = time.Second
	// menuForeign is the least for a foreign client, in runs.
	menuForeign = 2
	// menuOrphan is enough to find out who has nobody to send to.
	menuOrphan = 1
)

// patience is how long the only run on a menu may wait before a peer that is asked for nothing
// takes it. It keeps two idle peers from taking it from each other at every turn.
func (pl *plan) patience() time.Duration {
	if pl.chained() {
		return 0
	}
	return patience
}

const patience = 100 * time.Millisecond

// needs reports whether a peer is to send to this member if it can. In a chain only those should
// that do so already: who has an upstream is served last by others, and nobody gives the chain up
// for its sake. Who is courted has to serve this member before it can be asked.
func (pl *plan) needs(p *peer) bool {
	return !pl.sure() || pl.feeds(p) || (p.courted && p.choked)
}

// servesUnasked reports whether a peer may ask for something before it says that it wants anything:
// it is served a round trip earlier, which is long.
func (pl *plan) servesUnasked(p *peer) bool { return p.isFar() }

// sharesLine reports whether several peers send to this member at once, so that none of them is to
// have more in flight than its share of the line.
func (pl *plan) sharesLine() bool { return !pl.chained() }

// tellsIdle reports whether peers are told that this member could send more. In a mesh everybody is
// asked anyway, and it would only wake them.
func (pl *plan) tellsIdle() bool { return pl.chained() }

// mayAsk tells whether a peer may be asked for parts.
func (pl *plan) mayAsk(p *peer) bool {
	return !p.leaving && p.sends.over(pl.s.now) && pl.s.trust.mayAsk(p) &&
		(pl.chain.up == nil || p.probed > 0 || pl.feeds(p))
}

// chained tells whether a chain is worth trying.
func (pl *plan) chained() bool {
	c := &pl.chain
	return !c.broken && c.foreign == 0 && (c.near > 0 || pl.s.links.up == 0) &&
		pl.s.parts >= chainParts && pl.others() <= pl.chainLinks() &&
		int64(pl.others())*hopLeast*hopsShare <= pl.s.size
}

// others is how many members there are besides this one, as far as it knows.
func (pl *plan) others() int {
	return max(pl.s.book.others(), pl.s.links.up, pl.s.book.listed-1, 1)
}

// Others dial as well, so most members have more links than they opened. Who has few of them after
// a while opens more: it would be helped by few.
const (
	fewLinks = 12
	fewAfter = 2 * time.Second // since it was told of the first member
	// orphanAfter is the same for who is in want of an upstream, or of a downstream: it may be
	// somebody that it has no link to.
	orphanAfter = 200 * time.Millisecond
)

// fewLinks tells how many links are few, and from when on.
func (pl *plan) fewLinks() (int, time.Duration) {
	if pl.chained() && (pl.orphan() || pl.chain.down == nil) {
		return pl.mostLinks(), pl.s.book.foundAt + orphanAfter
	}
	return fewLinks, pl.s.book.foundAt + fewAfter
}

// mostLinks is how many links there may be: more in a chain, since little is said over most of
// them.
func (pl *plan) mostLinks() int {
	if pl.chained() {
		return pl.chainLinks()
	}
	return cmp.Or(pl.s.cfg.MaxPeers, meshPeers)
}

// chainLinks is how many links there may be in a chain. It has no more members than that, since
// whoever is without an upstream must find its end.
func (pl *plan) chainLinks() int { return cmp.Or(pl.s.cfg.MaxPeers, chainPeers) }

const (
	meshPeers  = proto.MeshPeers
	chainPeers = proto.ChainPeers
)

// How many grants are out at a time. Each part should arrive soon, to be passed on: that asks
// for few. But one flow alone does not fill a line while it speeds up, or while its receiver's
// line is shared by others. A member that has everything grants fewer: of what it alone has,
// each copy should soon be whole.
const (
	slots     = 5
	seedSlots = 4
	// farSlots are for a long path: one flow fills little of it while it speeds up, or where
	// packets are lost on the way.
	farSlots = 12
)

// slots is how many grants may be out now.
func (pl *plan) slots() int {
	if pl.chained() {
		return chainSlots
	}
	if pl.chain.far*2 > pl.s.links.up {
		return farSlots
	}
	most := slots
	if pl.s.haveN == pl.s.parts {
		most = seedSlots
	}
	least := leastSlots
	if pl.s.lines.up.spans < slotSpans {
		least = most
	}
	rate := pl.s.lines.upRate()
	soon := int(rate * slotTime.Seconds() / float64(max(pl.s.partSize, grantBytes)))
	return min(max(least, 1+int(rate/slotRate)), max(most, soon), farSlots)
}

// A line is shared by one grant for each slotRate bytes a second that it carries, and one more.
// With more on a slow one, what waits in front of it is a queue of the peers' making, each of whom
// lets so much be in flight, and what this member acknowledges and asks for stands in that queue
// too. With fewer on a fast one, it is not full: each flow is bounded by its receiver. One grant
// more than the rate asks for lets it show that the line carries more. But all that are out should
// be sent within slotTime. That a line is slow is believed after slotSpans, when the beginning, in
// which there is little to send, is over.
const (
	leastSlots = 2
	slotRate   = 1 << 20
	slotTime   = 300 * time.Millisecond
	slotSpans  = 2
)
