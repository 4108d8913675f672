package swarm

import "time"

// prospect is what a grant to a peer would be worth.
type prospect struct {
	peer    *peer
	overdue bool // it is a guest that has waited for guestWait, and the turn is for such
	fresh   bool // it wants a part that nobody around this member has, and that was never sent
	done    int  // how far the peer is; negative: helped since it is ahead; 0: does not count
}

// A turn is for who is furthest behind, for who is far ahead, or for who waited longest. If all
// were for who waited longest, who came late would be late at the end too. If all were for who is
// behind, everybody would send to the same peer at once, whose line carries no more for that, while
// other lines are idle. And who came first lacks only what came last: whoever has some of that has
// other things to send to everybody else.
const (
	turns      = 4
	aheadTurn  = 1 // of these turns; those that are even are for who is behind
	waitedTurn = 3
)

// guestWait is how long a BitTorrent client waits for what it asks for until its turn comes before
// what nobody has. A client asks for few parts at a time, of its own choice: as long as others ask
// for parts that nobody has, it would get nothing if its own are no such parts. Clients expect a
// change of turns in 10 s.
const guestWait = 10 * time.Second

// neediest chooses the peer that is granted something next: one that has no grant out, before one
// that has; where only one peer wants anything, its next grant is out before the last one ends, so
// that its link never waits for the loop. Among them who wants what nobody has comes first, so that
// the first sharer sends everything once before it sends anything twice; then who is not sent to by
// many others already; then whose turn it is. What nobody has goes to who is far ahead: nothing
// else is left for that one, and for the others there is.
func (gs *grants) neediest() *peer {
	var best prospect
	turn, mean := gs.served%turns, -1
	for _, p := range gs.wanting() {
		if !gs.mayTake(p) {
			continue
		}
		if mean < 0 {
			mean = gs.meanDone()
		}
		next := prospect{peer: p, fresh: gs.spread(p.wants[gs.rarestWant(p)]) == 0}
		next.overdue = turn == waitedTurn && p.foreign() && gs.s.now >= p.asked+guestWait
		switch {
		case next.fresh || turn == aheadTurn:
			next.done = -max(0, p.hasN-mean) * aheadSteps / gs.s.parts
		case turn%2 == 0:
			next.done = p.hasN * behindSteps / gs.s.parts
		}
		if best.peer == nil || next.before(best) {
			best = next
		}
	}
	return best.peer
}

// wanting are the peers that ask for something that is not granted yet.
func (gs *grants) wanting() []*peer {
	gs.asking.only(func(p *peer) bool { return len(p.wants) > 0 })
	return gs.asking.list
}

// How finely peers are told apart by how far they are, and by how far they are ahead of the others
// on average. Some are always a little ahead, because they have more links or a faster line up, and
// that is no reason to help them; those that came earlier are far ahead.
const (
	behindSteps = 32
	aheadSteps  = 16
)

// meanDone is how many parts the peers that lack any have on average.
func (gs *grants) meanDone() int {
	sum, n := 0, 0
	for _, p := range gs.s.links.list {
		if !gs.s.complete(p) {
			sum, n = sum+p.hasN, n+1
		}
	}
	return sum / max(n, 1)
}

func (a prospect) before(b prospect) bool {
	switch {
	case len(a.peer.grants) != len(b.peer.grants):
		return len(a.peer.grants) < len(b.peer.grants)
	case a.overdue != b.overdue:
		return a.overdue
	case a.fresh != b.fresh:
		return a.fresh
	case a.peer.interested != b.peer.interested:
		return a.peer.interested
	case a.done != b.done:
		return a.done < b.done
	}
	return a.peer.lastGrant < b.peer.lastGrant
}

// spread is how far a part has come in the neighbourhood: the more of its peers have it or got it
// from here, the less it helps to send it.
func (gs *grants) spread(part uint32) int {
	return int(max(gs.s.rare.count[part], gs.given[part]))
}

// rarestWant is the place in a peer's wants of the part that is spread least, the oldest of them.
func (gs *grants) rarestWant(p *peer) int {
	best := 0
	for i, part := range p.wants {
		if gs.spread(part) < gs.spread(p.wants[best]) {
			best = i
		}
	}
	return best
}
