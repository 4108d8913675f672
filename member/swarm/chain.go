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
// by turns ([Swarm.neediest]).
type chain struct {
	up     *peer         // who sends to this member
	from   time.Duration // when it began to
	upAt   time.Duration // when something came from it last
	down   *peer         // who is sent to
	downAt time.Duration // when a grant of it was served last

	next int // the part that the upstream was asked for last

	// What came since a time, to be compared with what the others gained since then, and how often
	// in a row it was too little.
	since time.Duration
	came  int64
	lags  int

	broken bool    // it was of no use
	told   Chained // what the links were told last

	upGot int64 // bytes that came from it and are not yet progress
	upAll int64 // bytes that came from it, as far as sureAfter

	foreign, near, far int // links to foreign clients, to members that are not far away, and to others
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
	// chainNear is the longest round trip to somebody near. One flow alone does not fill a long
	// line on which packets are lost.
	chainNear = 20 * time.Millisecond
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
	// until the others had time to get a part each.
	orphanWait = 300 * time.Millisecond
	firstWait  = time.Second

	// Who gets less than behindShare of what the fastest gains is behind, after so many parts and
	// so long, since the others announce theirs late. A packet that is lost holds a flow up as
	// well, so it has to be so some times in a row, except at the beginning.
	behindShare = 0.4
	behindParts = 6
	behindAfter = 300 * time.Millisecond
	behindTimes = 2
)

// chained tells whether a chain is worth trying.
func (s *Swarm) chained() bool {
	c := &s.chain
	return !c.broken && c.foreign == 0 && (c.near > 0 || s.links == 0) && s.parts >= chainParts &&
		s.others() <= s.chainLinks() && int64(s.others())*hopLeast*hopsShare <= s.cfg.Size
}

// others is how many members there are besides this one, as far as it knows.
func (s *Swarm) others() int { return max(s.book.others(), s.links, s.listed-1, 1) }

// hop is how many bytes are passed on at once.
func (s *Swarm) hop() int {
	return int(min(max(s.cfg.Size/hopShare/int64(s.others()), hopLeast), hopMost))
}

// link counts what speaks against a chain. Who has everything tries one again with the next members
// that come when the last ones are done.
func (s *Swarm) link(p *peer, n int) {
	c := &s.chain
	if n > 0 && s.missing == 0 && !slices.ContainsFunc(s.peers, func(q *peer) bool { return q != nil && q != p && !s.complete(q) }) {
		c.broken = false
	}
	switch {
	case p.foreign():
		c.foreign += n
	case p.roundTrip <= chainNear:
		c.near += n
	default:
		c.far += n
	}
}

// sure reports whether this member has an upstream that does send.
func (s *Swarm) sure() bool { return s.chain.up != nil && s.chain.upAll >= sureAfter }

// ramp is how long a flow to a peer takes until it is fast, beside what it takes over a short path.
func ramp(p *peer) time.Duration { return ramps * p.roundTrip }

// ramps is how many round trips a flow takes until it fills a line of some 20 Mbit/s for sure.
const ramps = 12

// fills is how long it takes at most until as much comes from a new upstream as its line carries: in
// a long chain all those before it have just begun, too.
func (s *Swarm) fills(up *peer) time.Duration {
	return ramp(up) + time.Duration(max(s.others()-shortChain, 0))*hopFills
}

const (
	// shortChain is how many members pass their first bytes on within behindAfter.
	shortChain = 32
	// hopFills is how long each member more takes for that.
	hopFills = 15 * time.Millisecond
)

// mayAsk tells whether a peer may be asked for parts.
func (s *Swarm) mayAsk(p *peer) bool {
	return !p.leaving && p.sends.over(s.now) && (s.chain.up == nil || p.probed > 0 || s.feeds(p))
}

// orphan tells whether this member is in want of an upstream.
func (s *Swarm) orphan() bool {
	return s.chain.up == nil && s.missing > 0 && s.chained()
}

// nextOf finds the next part to ask the upstream for. Its order is no matter to the swarm, since
// all get the same parts one after another; so it is one in which content can be used while it
// comes, and disks write well.
func (s *Swarm) nextOf(p *peer) (uint32, bool) {
	c := &s.chain
	if c.up != p {
		return 0, false
	}
	part, ok := s.rare.first(p, c.next, min(c.next+lookOver, s.parts))
	if ok {
		c.next = int(part)
	}
	return part, ok
}

// lookOver is how many parts nextOf looks over, so that it takes as long with many as with few.
const lookOver = 4096

// sends makes a peer that sent something the upstream, if there is none.
func (s *Swarm) sends(p *peer, bytes int64) {
	c := &s.chain
	if s.orphan() && !p.lame && !p.leaving {
		c.up, c.from, c.upAt, c.upGot, c.upAll = p, s.now, s.now, 0, 0
		s.compare()
		for _, q := range s.peers {
			if q != nil && q != p {
				s.recallAll(q)
			}
		}
		for _, q := range s.peers {
			if q != nil {
				s.offerRelay(q)
			}
		}
		s.fill(p)
	}
	s.feed.meter.add(s.now, bytes)
	s.feed.came += bytes
	p.meter.add(s.now, bytes)
	s.feedSends(p)
	c.came += bytes
	if c.up == p {
		if before := c.upAll; before < sureAfter {
			if c.upAll += bytes; c.upAll >= sureAfter {
				s.showInterests()
			}
		}
		if c.upGot += bytes; bytes == 0 || c.upGot >= movedLeast {
			c.upAt, c.upGot = s.now, 0
		}
	}
}

// recallAll asks a peer to reject what it has not begun to send.
func (s *Swarm) recallAll(p *peer) {
	for _, f := range p.fetches {
		if f.started == 0 && !f.recalled {
			s.recallRun(p, f)
		}
	}
}

// compare begins to compare what comes here with what others gain.
func (s *Swarm) compare() {
	s.chain.came, s.chain.since = 0, s.now
	for _, p := range s.peers {
		if p != nil {
			p.gained = 0
		}
	}
}

// gains counts a part that a peer gained, and leaves the chain if this member is behind.
func (s *Swarm) gains(p *peer) {
	c := &s.chain
	p.gained++
	switch {
	case c.up == nil || !s.chained() || s.missing < 2*behindParts:
		return
	case p.gained < behindParts || s.now < c.since+behindAfter || s.now < c.from+s.fills(c.up):
		return
	}
	if float64(c.came) >= behindShare*float64(p.gained)*float64(s.cfg.PartSize) {
		c.lags = 0
	} else if c.lags++; c.lags == behindTimes || s.haveN < behindParts {
		s.unchain()
		return
	}
	s.compare()
}

// unchain lets this member get from all and serve all from now on, and tells its downstream.
func (s *Swarm) unchain() {
	c := &s.chain
	if d := c.down; d != nil && s.peer(d.index) == d {
		s.emit(Dismiss{d.index})
	}
	c.broken = true
	c.up, c.down = nil, nil
	s.showInterests()
	s.breakRelays(nil)
	for _, p := range s.peers {
		if p != nil {
			p.coming = nil
		}
	}
	s.fillOthers(nil)
}

// dismissed ends the chain for who no longer has an upstream to itself.
func (s *Swarm) dismissed(ev Dismissed) {
	if p := s.peer(ev.Peer); p != nil && p == s.chain.up {
		s.unchain()
	}
}

// watchChain lets go of an upstream that has nothing more, and of the chain if others wait.
func (s *Swarm) watchChain() {
	c := &s.chain
	s.tellChained()
	if !s.chained() {
		if c.up != nil {
			c.up = nil
			s.showInterests()
			s.fillOthers(nil)
		}
		return
	}
	if c.down != nil && s.peer(c.down.index) != c.down {
		c.down = nil
	}
	if c.up != nil && (s.peer(c.up.index) != c.up || c.up.choked || s.now >= c.upAt+upPatience+ramp(c.up)) {
		if c.up.begun > 0 {
			s.limps(c.up, true)
		}
		c.up = nil
		s.showInterests()
		s.fillOthers(nil)
	}
	for _, p := range s.peers {
		if p != nil && s.now >= s.waits(p) {
			s.unchain()
			return
		}
	}
}

// tellChained tells the links what they have to know of the chain when it changes, of the hop when
// that changes a good deal.
func (s *Swarm) tellChained() {
	now, told := Chained{s.chained(), s.hop(), verifyWait}, &s.chain.told
	if now.On && s.haveN >= settledParts {
		now.Wait = settledWait
	}
	if now.On == told.On && now.Wait == told.Wait && (!now.On || (now.Hop >= told.Hop*3/4 && now.Hop <= told.Hop*5/4)) {
		return
	}
	*told = now
	s.emit(now)
	if !now.On {
		s.shed()
	}
}

// waits tells how long a peer waits that is not served, until the chain is given up.
func (s *Swarm) waits(p *peer) time.Duration {
	switch {
	case p == s.chain.down || len(p.wants) == 0 || !p.interested || p.resting || p.takes.onTrial():
		return never
	case p.hasN > 0:
		return p.asked + orphanWait + ramp(p)
	}
	wait := firstWait + 2*ramp(p)
	if rate := s.lineUp.bytesPerSecond(); rate > 0 {
		wait += time.Duration(float64(s.book.others()) * float64(s.cfg.PartSize) / rate * float64(time.Second))
	}
	return p.asked + wait
}

// nextChain is when watchChain is to look next.
func (s *Swarm) nextChain() time.Duration {
	c, at := &s.chain, never
	if !s.chained() {
		return at
	}
	if c.up != nil {
		at = c.upAt + upPatience + ramp(c.up)
	}
	if t := c.downAt + downPatience; c.down != nil && s.now < t {
		at = min(at, t)
	}
	for _, p := range s.peers {
		if p != nil {
			at = min(at, s.waits(p))
		}
	}
	return at
}

// downstream is who is granted something next; nil: nobody now.
func (s *Swarm) downstream() *peer {
	if !s.chained() {
		return s.neediest()
	}
	c := &s.chain
	if d := c.down; d != nil && !s.complete(d) && !d.resting && d.takes.over(s.now) {
		switch {
		case s.mayTake(d):
			return d
		case len(d.wants) > 0:
			return nil
		}
		if len(d.grants) > 0 || (len(d.awaits) > 0 && c.up != nil) || s.now < c.downAt+downPatience {
			return nil
		}
	}
	c.down = s.neediest()
	if c.down != nil {
		s.breakRelays(c.down)
		s.offerRelay(c.down)
	}
	return c.down
}

// HaveDelay is how long a peer may hear later of a part that this member has now, so that it hears
// of several at once. Who lacks it and may ask this member for it hears at once. In a chain that is
// the downstream, and while there is none, everybody, for some time.
func (s *Swarm) HaveDelay(peer int, part uint32) time.Duration {
	c, p := &s.chain, s.peer(peer)
	lacks := p != nil && !p.hasPart(part)
	switch {
	case !s.chained():
		if lacks {
			return 0
		}
	case lacks && slices.Contains(p.relayed, part): // what it is told next takes this along
		return settledDelay
	case lacks && (c.down == p || c.down == nil && (p.hasN == 0 || !s.settled())):
		return 0
	case s.settled():
		return settledDelay
	}
	return haveDelay
}

const (
	haveDelay    = 200 * time.Millisecond
	settledDelay = time.Second
	settledAfter = time.Second
	// settledParts are enough to know for sure who is behind.
	settledParts = 36
)

// How long a part that is written may wait for others to be verified with, in general and in a
// chain once it is known who is behind: nobody has to hear of it at once.
const (
	verifyWait  = 20 * time.Millisecond
	settledWait = 500 * time.Millisecond
)

// settled tells whether nobody seems to be looking for an upstream.
func (s *Swarm) settled() bool {
	c := &s.chain
	return s.haveN >= settledParts && (c.down != nil || s.now >= c.downAt+settledAfter)
}
