// Package swarm is the core of a member: every decision it takes, and nothing else. Whom to dial
// and to drop, what to fetch from whom, what to take back, whom to serve next, when it is done.
//
// It is pure: no sockets, files, goroutines, locks or clock. [Swarm.Step] is told what happened and
// when and appends what is to be done; the shell (package member) does it. Randomness comes from a
// seed, peers are integers walked in order, so the same events give the same effects, and a
// thousand members can be simulated in one goroutine on a virtual clock.
//
// The core thinks in runs: a whole part, or an aligned stretch of a big one. Blocks, frames and
// windows are the links' business.
package swarm

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"orchestra/proto"
)

// RunSize is the length in bytes of the stretches that parts larger than it are fetched in.
const RunSize = 1 << 20

// A Run is a stretch of one part that is asked for as one: the whole part, or an aligned stretch of
// [RunSize] bytes of it (the last one may be shorter).
type Run struct {
	Part          uint32
	Begin, Length uint32 // bytes, within the part
}

// Config describes the composition and this member. Zero values of the limits are the defaults.
type Config struct {
	Size     int64 // bytes
	PartSize int64 // bytes, 1 at least
	ID       proto.PeerID
	Seed     uint64
	// Unchecked tells that content is there that is being checked: each part counts as neither here
	// nor missing until it is Checked.
	Unchecked bool
	// Have has a bit, as in a bitfield message, for each part that is here from the start without
	// being Checked. Nil: none is.
	Have []byte
	// Skip has a bit, as in a bitfield message, for each part that is not wanted: it is not
	// fetched, and shared if it is here. Nil: all are.
	Skip []byte
	// Sequential prefers the parts in order within a window ahead of the reader; the others still
	// come rarest first.
	Sequential bool

	MaxPeers int // links at most; default 20, or 100 in a chain
	Dials    int // links that this member opens, more if it has few for long; default 8
}

// Swarm is the state of one member. It has one owner, which calls Step and Next; nothing in it is
// safe for use by two goroutines.
type Swarm struct {
	cfg   Config
	rng   *rand.Rand
	now   time.Duration
	parts int
	out   []Effect

	have     bitmap
	haveN    int
	missing  int    // parts that are wanted and not here
	checked  bitmap // while content is being checked: the parts that were
	finished bool

	rare  *rarity
	seeds int // peers that have every part
	works map[uint32]*work
	open  []*work // those of several runs, oldest first
	trust trust

	robbed  []*peer       // whose menus were taken from in this step
	retryAt time.Duration // when a peer that is idle may take over what waits elsewhere

	flows    int  // peers that are sending something
	swamped  bool // so many that members are told not to
	lineDown capacity
	share    float64 // of it, for each of them, that the shell was told, in bytes a second

	seq    *sequence // nil: in no order
	chain  chain
	feed   feeds
	idling idling

	peers []*peer // by Peer; nil: no such link
	links int

	given   []uint16 // by part: how often it was granted
	active  int      // grants that are out and move
	onTrial *peer    // who was granted something last of those that let a grant lie before
	lineUp  capacity // while all grants that may be out are
	served  int64    // for the order of service: grows with every grant

	book   book
	listed int // members in all, this one among them, as it was told; 0: it was not

	cameAt time.Duration // when content came last
	linked bool          // somebody was linked to, ever
	absent []absence     // who left with something that is missing here, the last one last

	remembered memory // who made this member wait

	stats Stats
}

// Stats counts what a user or a test asks for.
type Stats struct {
	Links      int   // up now
	Known      int   // members known now, this one left out
	Incoming   int   // links that others opened, ever
	Have       int   // parts stored
	Missing    int   // parts wanted and not stored
	BytesHave  int64 // bytes of the parts stored
	BytesGot   int64 // bytes of those of them that are wanted
	Downloaded int64 // payload bytes received in whole runs
	Duplicate  int64 // payload bytes received in runs that were already here
	Failed     int64 // payload bytes of parts that did not verify

	Bad     int            // parts wanted and not stored that were bad when they came
	BadFrom netip.AddrPort // from where the last of them came, as far as it is known
}

// New makes the state of a member that has nothing yet. The time starts at zero.
func New(cfg Config) *Swarm {
	if cfg.Dials == 0 {
		cfg.Dials = proto.Dials
	}
	parts := int((cfg.Size + cfg.PartSize - 1) / cfg.PartSize)
	s := &Swarm{
		cfg:        cfg,
		rng:        rand.New(rand.NewPCG(cfg.Seed, 0x6f726368)),
		parts:      parts,
		have:       newBitmap(parts),
		rare:       newRarity(parts),
		works:      map[uint32]*work{},
		trust:      newTrust(),
		given:      make([]uint16, parts),
		remembered: memory{},
		retryAt:    never,
		chain:      chain{told: Chained{On: true}},

		lineDown: capacity{first: 150 * time.Millisecond},
	}
	s.book = newBook(s.rng)
	for i := range uint32(parts) {
		here := cfg.Have != nil && bitmap(cfg.Have).has(i)
		if here {
			s.have.set(i)
			s.haveN++
			s.stats.BytesHave += s.partLen(i)
		}
		switch {
		case !s.wants(i):
		case here:
			s.stats.BytesGot += s.partLen(i)
		default:
			s.missing++
		}
	}
	if cfg.Sequential {
		s.seq = newSequence(parts, cfg.PartSize)
		s.follow()
	}
	if cfg.Unchecked {
		s.checked = newBitmap(parts)
	} else {
		for i := range parts {
			if s.lacks(uint32(i)) {
				s.rare.add(uint32(i))
			}
		}
	}
	return s
}

// Step tells the core of an event that happened at now (since the start; never smaller than before)
// and appends to out what is to be done about it.
func (s *Swarm) Step(now time.Duration, ev Event, out []Effect) []Effect {
	s.now, s.out = now, out
	s.comes(ev)
	switch ev := ev.(type) {
	case Found:
		s.found(ev)
	case Gone:
		s.book.gone(ev)
	case Conducted:
		s.book.conducted(s.now, ev)
	case Moved:
		s.book.moved(s.now)
	case Crowded:
		s.giveUp()
	case Listed:
		s.listed = ev.Members
	case DialFailed:
		s.book.unreached(s.now, ev)
	case Stranger:
		s.book.stranger(ev)
	case Joined:
		s.joined(ev)
	case Left:
		s.left(ev.Peer)
	case Has:
		s.peerHas(ev)
	case Withdrawn:
		s.withdrawn(ev)
	case Interest:
		s.interest(ev)
	case Choked:
		s.choked(ev)
	case Spare:
		s.spares(ev)
	case Wanted:
		s.wanted(ev)
	case Unwanted:
		s.unwanted(ev)
	case Sent:
		s.sent(ev)
	case Served:
		s.servedPeer(ev)
	case Suggested:
		s.suggested(ev)
	case Started:
		s.started(ev)
	case Progress:
		s.progress(ev)
	case Received:
		s.received(ev)
	case Rejected:
		s.rejected(ev)
	case Declined:
		s.declined(ev)
	case Dismissed:
		s.dismissed(ev)
	case Written:
		s.written(ev)
	case Stored:
		s.stored(ev.Part)
	case Failed:
		s.failed(ev)
	case Compared:
		s.compared(ev)
	case Lost:
		s.lost(ev)
	case Regained:
		s.regained(ev.Part)
	case Checked:
		s.check(ev)
	case Reading:
		s.reading(ev)
	case Tick:
	}
	s.watchChain()
	s.tendFeeds()
	s.forgive()
	s.watchRuns()
	s.watchGrants()
	s.retry()
	s.refill()
	s.hasten()
	s.serve()
	s.tellSpare()
	s.watchFlows()
	s.book.expire(s.now)
	s.dial()
	if !s.finished && s.missing == 0 {
		s.finished = true
		s.emit(Finish{})
		s.dropSeeds()
	}
	out, s.out = s.out, nil
	return out
}

// never is a deadline that does not come.
const never = time.Duration(1<<63 - 1)

// Next tells when Step must be called with a [Tick] at the latest if nothing else happens, and
// whether there is such a time.
func (s *Swarm) Next() (time.Duration, bool) {
	at := min(s.nextDial(), s.nextRuns(), s.nextGrant(), s.retryAt, s.nextHaste(), s.nextChain(), s.nextFeeds(), s.nextSpare(),
		s.trust.at)
	return at, at != never
}

// Stats returns the counts as they are now.
func (s *Swarm) Stats() Stats {
	st := s.stats
	st.Links, st.Have, st.Missing = s.links, s.haveN, s.missing
	st.Known = len(s.book.known)
	if st.Bad = len(s.trust.bad); st.Bad > 0 {
		st.BadFrom = s.trust.from
	}
	return st
}

// Has tells whether a part is stored here.
func (s *Swarm) Has(part uint32) bool { return int64(part) < int64(s.parts) && s.have.has(part) }

func (s *Swarm) emit(e Effect) { s.out = append(s.out, e) }

// wants tells whether a part is one that is to come here.
func (s *Swarm) wants(part uint32) bool { return s.cfg.Skip == nil || !bitmap(s.cfg.Skip).has(part) }

// lacks tells whether a part is to come here and did not yet.
func (s *Swarm) lacks(part uint32) bool { return s.wants(part) && !s.have.has(part) }

// partLen is the length of a part in bytes.
func (s *Swarm) partLen(part uint32) int64 {
	return min(s.cfg.PartSize, s.cfg.Size-int64(part)*s.cfg.PartSize)
}

// check takes in what the check of the content found about one part.
func (s *Swarm) check(ev Checked) {
	if s.checked == nil || s.checked.has(ev.Part) {
		return
	}
	s.checked.set(ev.Part)
	if ev.Good {
		s.gain(ev.Part)
		return
	}
	if !ev.Keep && s.wants(ev.Part) {
		s.rare.add(ev.Part)
		s.fillOthers(nil)
	}
}

// gain makes a part one that this member has.
func (s *Swarm) gain(part uint32) {
	if s.have.has(part) {
		return
	}
	s.have.set(part)
	s.rare.remove(part)
	s.settle(part)
	s.haveN++
	s.stats.BytesHave += s.partLen(part)
	s.arrive(part)
	s.emit(Announce{part})
	s.follow()
	if !s.wants(part) {
		return
	}
	s.missing--
	s.stats.BytesGot += s.partLen(part)
	for _, p := range s.peers {
		if p != nil && p.hasPart(part) {
			p.useful--
			s.showInterest(p)
		}
	}
}
