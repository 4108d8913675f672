package swarm

import (
	"net/netip"
	"time"

	"orchestra/proto"
)

// peer is the far end of a link that is up. What a component keeps of each peer is its own.
type peer struct {
	index    int
	id       proto.PeerID
	addr     netip.AddrPort
	member   *member // as which it is known; nil: as none
	dialled  bool
	maxRun   uint32
	maxQueue int
	port     uint16 // on which it accepts members; 0: not known
	hears    bool   // it can be told that a part is gone

	roundTrip time.Duration
	since     time.Duration // when the link came up
	heard     time.Duration // when something came over it last
	usedAt    time.Duration // when something of use went over it last, or it came up
	hintedAt  time.Duration // when it told of others last; 0: never
	leaving   bool          // it was dropped
	deaf      bool          // it acknowledges nothing of what it is sent
	gone      bool          // the link is down

	has     bitmap // nil while it has nothing, or everything
	all     bool   // it has everything; not if it is counted
	counted bool   // it withdrew a part once: what it has is in the bitmap from then on
	hasN    int
	useful  int   // parts that it has and this member lacks and wants
	good    int64 // bytes of parts that it sent and that verified

	interesting bool // it was told that it is

	menu
	service
	role
	pull
}

// menu is what a peer is asked for, and how it sends; it is that of the requests.
type menu struct {
	choked   bool     // it does not serve this member
	allowed  []uint32 // what it may be asked for all the same
	fetches  []*fetch // what it is asked for, oldest first
	begun    int      // those whose first bytes came
	recalled int      // those that were recalled
	promised int      // runs that were recalled for this peer elsewhere
	down     rate
	pace     float64       // bytes a second of a run that it sent, from its first bytes on; 0: none
	sends    backoff       // of asking it
	off      bool          // it is not asked for anything until then
	lame     bool          // it is in the middle of a run, and does not go on
	due      time.Duration // when recalls are to be answered
	// when it was asked for an answer that it did not give in time; 0: it did
	askedAt time.Duration
	look    time.Duration // when the runs that it has begun are looked at next
	sent    bool          // a run, ever
	waits   time.Duration // since when it is asked for something and has begun nothing
	waited  time.Duration // for so long before: what it was asked for then was taken from it
	soundAt time.Duration // when it is asked next whether it is there
	sounds  int           // how often it was asked whether it is there
	tried   *work         // the part that it is tried on; it is on probation
	blocks  int           // the window it was given, if it is a foreign client
}

// service is what a peer asks for, and how it takes it; it is that of the grants.
type service struct {
	interested bool          // it told that this member is interesting
	choking    bool          // this member does not serve it
	wants      []uint32      // what it asks for and was not granted yet
	awaits     []uint32      // what it asks for and is on its way here
	relayed    []uint32      // what it was granted and is not all here yet
	grants     []grant       // those that are out, oldest first
	asked      time.Duration // when it asked for something, if nothing was granted since
	lastGrant  int64
	takes      backoff       // of granting it something
	took       int64         // bytes of its grants that went out and are not yet progress
	tookAt     time.Duration // when its grants moved last
	resting    bool          // they do not move
	slow       bool          // the first one moves slowly
	slots      int           // that they hold
}

// role is what a peer is to this member, and might be; it is that of the plan.
type role struct {
	coming     []uint32      // what it passes on as it comes
	meter      meter         // of what comes from it
	spare      bool          // it told that it could send more
	courted    bool          // it is to serve this member, to see whether it is of use
	probed     time.Duration // since when it is asked for a run on trial; 0: it is not
	probeAfter time.Duration // not before
	against    bool          // it told that it knows why there should be no chain
	lead       lead          // what it gained, beside what came here
}

// live notes that something came over the link.
func (p *peer) live(now time.Duration) { p.heard = now }

// used notes that something of use went over the link.
func (p *peer) used(now time.Duration) { p.usedAt = now }

// Near is the longest round trip to somebody who is near. Over a longer path one flow alone does
// not fill a line while it speeds up, or if packets are lost.
const Near = 20 * time.Millisecond

// isFar reports whether the path to the peer is long.
func (p *peer) isFar() bool { return p.roundTrip > Near }

// foreign tells whether the peer takes requests of single blocks only.
func (p *peer) foreign() bool { return p.maxRun == 0 }

func (p *peer) hasPart(part uint32) bool { return p.all || (p.has != nil && p.has.has(part)) }
