package swarm

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// peer is the far end of a link that is up.
type peer struct {
	index    int
	id       proto.PeerID
	addr     netip.AddrPort
	member   *member // as which it is known; nil: as none
	dialled  bool
	maxRun   uint32
	maxQueue int

	roundTrip  time.Duration
	meter      meter         // of what comes from it
	spare      bool          // it told that it could send more
	probed     time.Duration // since when it is asked for a run to see whether it sends; 0: it is not
	probeAfter time.Duration // not before
	gained     int           // parts, since this member last compared itself
	asked      time.Duration // when it asked for something, if nothing was granted since

	has     bitmap // nil while it has nothing, or everything
	all     bool   // it has everything; not if it is counted
	counted bool   // it withdrew a part once: what it has is in the bitmap from then on
	hasN    int
	useful  int    // parts that it has and this member lacks and wants
	port    uint16 // on which it accepts members; 0: not known
	hears   bool   // it can be told that a part is gone
	good    int64  // bytes of parts that it sent and that verified

	interesting bool // it was told that it is
	interested  bool // it told that this member is
	choked      bool // it does not serve this member
	choking     bool // this member does not serve it

	fetches  []*fetch // what it is asked for, oldest first
	begun    int      // those whose first bytes came
	recalled int      // those that were recalled
	promised int      // runs that were recalled for this peer elsewhere
	down     rate
	pace     float64       // bytes a second of the runs that it sent, from their first bytes on; 0: none
	sends    backoff       // of asking it
	off      bool          // it is not asked for anything until then
	lame     bool          // it is in the middle of a run, and does not go on
	due      time.Duration // when recalls are to be answered
	look     time.Duration // when the runs that it has begun are looked at next
	blocks   int           // the window it was given, if it is a foreign client
	heard    time.Duration
	since    time.Duration // when the link came up

	wants     []uint32 // what it asks for and was not granted yet
	awaits    []uint32 // what it asks for and is on its way here
	relayed   []uint32 // what it was granted and is not all here yet
	coming    []uint32 // what it passes on as it comes
	grants    []grant  // those that are out, oldest first
	lastGrant int64
	usedAt    time.Duration // when something went over the link last, or it came up
	leaving   bool          // it was dropped
	takes     backoff       // of granting it something
	took      int64         // bytes of its grants that went out and are not yet progress
	tookAt    time.Duration // when its grants moved last
	resting   bool          // they do not move
	slow      bool          // the first one moves slowly
	slots     int           // that they hold
}

// foreign tells whether the peer takes requests of single blocks only.
func (p *peer) foreign() bool { return p.maxRun == 0 }

func (p *peer) hasPart(part uint32) bool { return p.all || (p.has != nil && p.has.has(part)) }

func (s *Swarm) peer(i int) *peer {
	if i < 0 || i >= len(s.peers) {
		return nil
	}
	return s.peers[i]
}

// drop ends a link. Its place is free from now on; it is gone when the shell says so.
func (s *Swarm) drop(p *peer, why string) {
	if !p.leaving {
		p.leaving = true
		s.links--
	}
	s.emit(Drop{p.index, why})
}

func (s *Swarm) joined(ev Joined) {
	p := &peer{
		index: ev.Peer, id: ev.ID, addr: ev.Addr, dialled: ev.Dialled,
		maxRun: ev.MaxRun, maxQueue: ev.MaxQueue, roundTrip: ev.RoundTrip, hears: ev.Hears, port: ev.Port,
		choked: true, choking: true, heard: s.now, since: s.now, usedAt: s.now,
	}
	for len(s.peers) <= ev.Peer {
		s.peers = append(s.peers, nil)
	}
	s.peers[ev.Peer] = p
	s.remembered.recall(s.now, p)
	p.off = !p.sends.over(s.now)
	why := s.admit(p)
	s.links++
	s.link(p, 1)
	if !ev.Dialled {
		s.stats.Incoming++
	}
	if why != "" {
		s.drop(p, why)
		return
	}
	s.linked = true
	offer := Offer{Peer: p.index, All: s.haveN == s.parts}
	if !offer.All && s.haveN > 0 {
		offer.Bits = slices.Clone(s.have)
	}
	s.emit(offer)
	if !p.foreign() && p.roundTrip > chainNear { // it is served a round trip earlier, which is long
		p.choking = false
		s.emit(SetChoke{p.index, false})
	}
	if s.idling.told && !p.foreign() {
		s.emit(SetSpare{p.index, true})
	}
	s.offerRelay(p)
}

// left forgets a link: what was asked of the peer is free for others again.
func (s *Swarm) left(i int) {
	p := s.peer(i)
	if p == nil {
		return
	}
	s.peers[i] = nil
	s.misses(p)
	if !p.leaving {
		s.links--
	}
	s.link(p, -1)
	s.unlink(p)
	s.trust.forgetPeer(p)
	s.freeAll(p)
	p.grants = nil
	s.holdSlots(p)
	switch {
	case p.all:
		s.seeds--
	case p.has != nil:
		p.has.each(s.rare.dec)
	}
	s.fillOthers(nil)
}

func (s *Swarm) peerHas(ev Has) {
	p := s.peer(ev.Peer)
	if p == nil || p.all {
		return
	}
	p.heard = s.now
	switch {
	case ev.All && !p.counted:
		s.becomesSeed(p)
	case ev.Bits != nil:
		bitmap(ev.Bits).each(func(part uint32) { s.peerGains(p, part) })
	default:
		for _, part := range ev.Parts {
			if s.peerGains(p, part) {
				s.gains(p)
			}
		}
	}
	if !p.all && s.complete(p) && !p.counted {
		s.becomesSeed(p)
	}
	if s.complete(p) && s.finished {
		s.drop(p, "both have everything")
		return
	}
	s.doubt(p)
	s.showInterest(p)
	s.fill(p)
}

// peerGains notes a part that a peer has, and reports whether that is new.
func (s *Swarm) peerGains(p *peer, part uint32) bool {
	if int(part) >= s.parts || p.hasPart(part) {
		return false
	}
	if p.has == nil {
		p.has = newBitmap(s.parts)
	}
	p.has.set(part)
	p.hasN++
	s.rare.inc(part)
	if s.lacks(part) {
		p.useful++
	}
	s.unwant(p, part)
	takeOut(&p.coming, part)
	return true
}

func (s *Swarm) becomesSeed(p *peer) {
	if p.has != nil {
		p.has.each(s.rare.dec)
		p.has = nil
	}
	p.all, p.hasN, p.coming = true, s.parts, nil
	p.useful = s.missing
	s.seeds++
}

// showInterest tells a peer whether it should send. It should if it has something that this member
// lacks, unless so many members are sending that the line has no room for one more: each of them
// chooses for itself whom to help, and this keeps them apart. In a chain only those should that
// send to it already: who has an upstream is served last by others, and nobody gives the chain up
// for its sake.
func (s *Swarm) showInterest(p *peer) {
	useful := p.useful > 0 || len(p.coming) > 0 || (p.interesting && s.missing > 0 && !p.foreign())
	needed := !s.swamped && (!s.sure() || s.feeds(p))
	if on := useful && (needed || p.foreign()); on != p.interesting {
		p.interesting = on
		s.emit(SetInterest{p.index, on})
	}
}

// showInterests tells each peer anew whether it should send.
func (s *Swarm) showInterests() {
	for _, p := range s.peers {
		if p != nil {
			s.showInterest(p)
		}
	}
}

// From swampedAt peers that are sending on this member is swamped, until there are no more than
// roomAt.
const (
	swampedAt = slots + 1
	roomAt    = slots - 1
)

// watchFlows tells the members when this one becomes swamped, and when it no longer is.
func (s *Swarm) watchFlows() {
	switch {
	case s.flows >= swampedAt && !s.swamped:
	case s.flows <= roomAt && s.swamped:
	default:
		return
	}
	s.swamped = !s.swamped
	for _, p := range s.peers {
		if p != nil {
			s.showInterest(p)
		}
	}
}

// dropSeeds ends the links that nothing can come of: this member has everything, and so has the
// peer.
func (s *Swarm) dropSeeds() {
	for _, p := range s.peers {
		if p != nil && s.complete(p) {
			s.drop(p, "both have everything")
		}
	}
}
