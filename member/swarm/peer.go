package swarm

import (
	"net/netip"
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
