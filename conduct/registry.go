package conduct

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"orchestra/proto"
)

// limits are the bounds a registry keeps.
type limits struct {
	members   int           // entries in all
	perSource int           // entries seen from one source, see source
	peers     int           // members told to a newcomer
	dials     int           // dial backs at a time
	silence   time.Duration // an entry not renewed for this long is gone
}

// A registry is the live list of who shares which composition, and decides
// who is told of whom. It is pure: no I/O, no clock, no lock; the time and the
// randomness come from outside and what is to be done is handed out as
// effects. One goroutine owns it, see loop.go.
type registry struct {
	lim    limits
	random *rand.Rand

	comps   map[[20]byte]*composition
	links   map[link]*entry
	sources map[netip.Addr]int // entries by source
	expiry  expiryHeap         // every entry
	guests  guests             // those of them that have no connection

	networks map[netip.Addr]int // entries that are members, by network

	copies      int                // that are remembered, over all compositions
	copiesFrom  map[netip.Addr]int // by source
	past        []past             // compositions without members, at most maxPast
	surveys     []survey           // of all compositions, when that was asked last
	surveyedAll time.Time          // and when it was

	ticket     uint64             // of the latest dial back
	line       []waiting          // dial backs of members that wait, first come first served
	guestLine  []waiting          // those of guests, for which only some run at a time
	running    map[uint64]waiting // dial backs under way
	guestDials int                // those of them that are guests'
	targets    targets            // what they go to
	retries    retryHeap          // guests that are to be dialled again

	totals    totals // since it began
	serial    uint64 // of the latest member
	histories int    // scenes whose history is kept
	maps      int    // bytes of members' bitfields, and of the counts of holders
}

// A composition is what members gather around. It exists while it has any.
type composition struct {
	id      [20]byte
	entries []*entry // in random order, see pick
	byPeer  map[proto.PeerID]*entry

	guests     int       // of the entries
	guestsTold allowance // guests that members are told of

	copies    map[copyID]netip.Addr // that were complete, since it is known, and their sources
	downloads int                   // guests that told that they became complete
	counted   census                // the latest
	countedAt time.Time             // and when it was made
	awaiting  map[uint32][]*entry   // who wants to know when so many are
	surveyed  survey                // the latest
	named     map[namedAddr]int     // see nameOwn
	places    map[[8]byte]int       // how many members name each, see latestRuns
	earlier   int                   // members that name a place that another one names
	title     title
	met       bool // a member was listed, since the composition is known
	scene     *scene
}

// An entry is one member of one composition. It needs no connection: link 0
// is an entry that is renewed some other way and told nothing.
type entry struct {
	// What is looked at of many entries for one answer stands together, in 128 bytes: to fetch it
	// from memory is most of what an answer costs.
	pos     int // in comp.entries
	peer    proto.PeerID
	port    uint16 // announced; 0 accepts no connections
	guest   bool
	shunned bool // see complain.go
	seat    seat
	own     []netip.AddrPort // that it named itself, filtered, see nameOwn
	main    claim            // the observed address with the announced port

	advertised claim
	comp       *composition
	key        [16]byte
	link       link
	gone       bool

	downloaded bool // it told that it became complete
	guestPos   int  // in registry.guests
	lookedFor  bool // see lookFor

	deadline  time.Time
	expiryPos int // in registry.expiry
	retryAt   time.Time
	retryPos  int // in registry.retries, from 1 on; 0: it is not there

	want      int       // members it wants to know
	announces allowance // that were further ones
	pushes    int       // members it was pushed to as a newcomer
	told      []*entry  // whom it was told of, at most maxTold
	toldTo    []*entry  // who was told of it, at most maxToldTo
	listed    int       // how many it was told are listed; 0: not yet

	place [8]byte // of its copy; zeros: not told
	label string  // what it calls itself, for people
	title string  // what it calls the content, for people

	parts, have uint32
	pace        pace
	awaits      uint32 // copies; 0: nothing

	hearing   hearing        // what others complained of to it
	accused   []proto.PeerID // whom it complained of
	accusedAt time.Time      // since then

	account
}

func newRegistry(lim limits, random *rand.Rand) *registry {
	return &registry{
		lim:        lim,
		random:     random,
		comps:      make(map[[20]byte]*composition),
		links:      make(map[link]*entry),
		sources:    make(map[netip.Addr]int),
		guests:     newGuests(),
		networks:   make(map[netip.Addr]int),
		copiesFrom: make(map[netip.Addr]int),
		running:    make(map[uint64]waiting),
		targets:    newTargets(),
	}
}

// find returns a composition and a member of it; nil where there is none.
func (r *registry) find(id [20]byte, peer proto.PeerID) (*composition, *entry) {
	comp := r.comps[id]
	if comp == nil {
		return nil, nil
	}
	return comp, comp.byPeer[peer]
}

func (r *registry) tell(e *entry, m proto.Message, out []effect) []effect {
	if e.link == 0 {
		return out
	}
	return append(out, tell{e.link, m})
}
