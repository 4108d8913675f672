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
	// nor missing until it is Checked, those of Have apart.
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
//
// It is cut into parts, each of which owns its state and knows when it has something to do next. An
// event goes to the part whose it is; what one part wants of another, it asks for.
type Swarm struct {
	cfg Config
	rng *rand.Rand
	now time.Duration
	out []Effect

	content  // what is here
	finished bool
	rare     *rarity // what is free to be asked for, and how many have it
	book     book
	links    links
	requests requests
	reader   reader
	grants   grants
	plan     plan
	lines    lines
	trust    trust
	origins  origins
	setbacks setbacks
	lull     lull

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
	s := &Swarm{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0x6f726368))}
	s.content = newContent(cfg)
	s.rare = newRarity(s.parts)
	s.book = newBook(cfg.ID, s.rng)
	s.links = links{s: s, remembered: memory{}}
	s.requests = newRequests(s)
	s.reader = newReader(s)
	s.grants = grants{s: s, given: make([]uint16, s.parts)}
	s.plan = plan{s: s, chain: chain{told: Chained{On: true}}}
	s.lines = newLines(s)
	s.trust = newTrust(s)
	s.origins = origins{s: s}
	s.setbacks = newSetbacks(s)
	s.lull = lull{s: s}
	for i := range uint32(s.parts) {
		if s.have.has(i) {
			s.stats.BytesHave += s.partLen(i)
			if s.wants(i) {
				s.stats.BytesGot += s.partLen(i)
			}
		}
	}
	s.reader.follow()
	if !cfg.Unchecked {
		for i := range uint32(s.parts) {
			if s.lacks(i) {
				s.rare.add(i)
			}
		}
	}
	return s
}

// Step tells the core of an event that happened at now (since the start; never smaller than before)
// and appends to out what is to be done about it.
func (s *Swarm) Step(now time.Duration, ev Event, out []Effect) []Effect {
	s.now, s.out = now, out
	s.lull.comes(ev)
	switch ev := ev.(type) {
	case Found:
		s.links.found(ev)
	case Hinted:
		s.links.hinted(ev)
	case Gone:
		s.book.gone(ev)
	case Conducted:
		s.book.conducted(s.now, ev)
	case Moved:
		s.book.moved(s.now)
	case Deaf:
		if p := s.links.peer(ev.Peer); p != nil {
			p.deaf = ev.On
		}
	case Crowded:
		s.links.giveUp()
	case Listed:
		s.book.listed = ev.Members
	case DialFailed:
		s.book.unreached(s.now, ev)
		s.links.hints.unreached(s.now, ev.Dial.Addrs[0])
	case Stranger:
		s.book.stranger(ev)
	case Joined:
		if ev.Origin {
			s.origins.joined(ev)
		} else {
			s.links.joined(ev)
		}
	case Left:
		s.links.left(ev.Peer)
	case Has:
		s.links.peerHas(ev)
	case Withdrawn:
		s.links.withdrawn(ev)
	case Interest:
		s.grants.interest(ev)
	case Choked:
		s.requests.choked(ev)
	case Allowed:
		s.requests.mayAskFor(ev)
	case Spare:
		s.plan.spares(ev)
	case Wanted:
		s.grants.wanted(ev)
	case Unwanted:
		s.grants.unwanted(ev)
	case Sent:
		s.grants.sent(ev)
	case Served:
		s.grants.servedPeer(ev)
	case Suggested:
		s.plan.suggested(ev)
	case Started:
		s.requests.started(ev)
	case Progress:
		s.requests.progress(ev)
	case Received:
		s.requests.received(ev)
	case Rejected:
		s.requests.rejected(ev)
	case Belated:
		s.requests.belated(ev)
	case Declined:
		s.requests.declined(ev)
	case Regroup:
		s.plan.regrouped(ev)
	case Dismissed:
		s.plan.dismissed(ev)
	case Written:
		s.requests.written(ev)
	case Unwritten:
		s.requests.unwritten(ev)
	case Setback:
		s.setbacks.fails(ev)
	case Full:
		s.setbacks.filled(ev.On)
	case Stored:
		s.requests.stored(ev.Part)
	case Failed:
		s.trust.failed(ev)
	case Compared:
		s.trust.compared(ev)
	case Lost:
		s.lost(ev)
	case Regained:
		s.regained(ev.Part)
	case Checked:
		s.check(ev)
	case Reading:
		s.reader.reading(ev)
	case Tick:
	}
	s.plan.tend()
	s.trust.tend()
	s.setbacks.tend()
	s.requests.tend()
	s.origins.tend()
	s.reader.tend()
	s.grants.tend()
	s.lines.tend()
	s.links.tend()
	if !s.finished && s.missing == 0 {
		s.finished = true
		s.emit(Finish{})
		s.links.dropSeeds()
	}
	out, s.out = s.out, nil
	return out
}

// never is a deadline that does not come.
const never = time.Duration(1<<63 - 1)

// Next tells when Step must be called with a [Tick] at the latest if nothing else happens, and
// whether there is such a time.
func (s *Swarm) Next() (time.Duration, bool) {
	at := min(s.plan.due(), s.trust.due(), s.requests.due(), s.reader.due(), s.grants.due(),
		s.links.due(), s.origins.due(), s.setbacks.due())
	return at, at != never
}

// Stats returns the counts as they are now.
func (s *Swarm) Stats() Stats {
	st := s.stats
	st.Links, st.Have, st.Missing = s.links.up, s.haveN, s.missing
	st.Known = len(s.book.known)
	if st.Bad = len(s.trust.bad); st.Bad > 0 {
		st.BadFrom = s.trust.from
	}
	return st
}

func (s *Swarm) emit(e Effect) { s.out = append(s.out, e) }
