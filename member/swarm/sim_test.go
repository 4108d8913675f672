package swarm

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"orchestra/proto"
)

// sim is a swarm of real cores on one virtual clock, in one goroutine. The same seed gives the same
// run.
type sim struct {
	t       testing.TB
	wires   wires
	size    int64
	part    int64
	now     time.Duration
	queue   agenda
	rng     *rand.Rand
	players []*player
	trace   func(line string) // nil: nobody looks
	inOrder bool              // the members want the parts in order
}

// player is one member of a simulated swarm, and its host.
type player struct {
	sim       *sim
	n         int
	id        proto.PeerID
	core      *Swarm
	up, down  line
	hop       int    // bytes that are passed on at once
	unchained bool   // several send to it and are sent to at once
	bound     int    // bytes that each peer may have in flight to this member
	ends      []*end // by peer
	entered   time.Duration
	complete  time.Duration // 0: not yet
	away      bool
	lies      bool            // what it passes on as it comes is bad
	rogue     bool            // all that it sends is bad, and it says nothing of that
	rotten    map[uint32]bool // parts that it has and that are bad on its disk
	disk      map[Run]bool    // runs of parts on their way that are bad on its disk
	ill       illness         // what is wrong with it
	shut      bool            // it is deaf and was sent something
	known     map[int]bool    // whom the conductor named
	listed    int             // how many members it said there are
	wake      time.Duration
	prefix    int           // parts here without a gap
	half      time.Duration // when these were the first half

	bad  map[uint32]bool // parts on their way of which something is bad
	upto map[Run]uint32  // of runs that are on their way here: the bytes that came, by a run of length 0

	sent, wasted int64 // bytes
}

type actor interface{ act() }

type later func()

func (f later) act() { f() }

// agenda is a heap of what is to happen, by time, then by order of entry.
type agenda struct {
	list []entry
	seq  uint64
}

type entry struct {
	at  time.Duration
	seq uint64
	who actor
}

func (a entry) before(b entry) bool { return a.at < b.at || (a.at == b.at && a.seq < b.seq) }

func (a *agenda) push(at time.Duration, who actor) {
	a.seq++
	a.list = append(a.list, entry{at, a.seq, who})
	for i := len(a.list) - 1; i > 0; {
		up := (i - 1) / 4
		if !a.list[i].before(a.list[up]) {
			return
		}
		a.list[i], a.list[up] = a.list[up], a.list[i]
		i = up
	}
}

func (a *agenda) pop() entry {
	first, last := a.list[0], len(a.list)-1
	a.list[0] = a.list[last]
	a.list[last] = entry{}
	a.list = a.list[:last]
	for i := 0; ; {
		least := i
		for j := 4*i + 1; j <= 4*i+4 && j < last; j++ {
			if a.list[j].before(a.list[least]) {
				least = j
			}
		}
		if least == i {
			return first
		}
		a.list[i], a.list[least] = a.list[least], a.list[i]
		i = least
	}
}

func newSim(t testing.TB, size, part int64, seed uint64) *sim {
	quantum := int(min(16<<10, part))
	if part >= 1<<20 {
		quantum = 64 << 10
	}
	return &sim{t: t, wires: shaped(quantum), size: size, part: part, rng: rand.New(rand.NewPCG(seed, 1))}
}

func (s *sim) at(at time.Duration, who actor)      { s.queue.push(max(at, s.now), who) }
func (s *sim) after(wait time.Duration, do func()) { s.at(s.now+wait, later(do)) }
func mbit(n float64) (bytesPerSecond float64)      { return n * 1e6 / 8 }

// copyTime is how long a plain copy takes over one line, the headers of packets included.
func (s *sim) copyTime(rate float64) time.Duration {
	return seconds(float64(s.size) * (segment + perPacket) / segment / rate)
}

func seconds(n float64) time.Duration  { return time.Duration(n * float64(time.Second)) }
func (p *player) addr() netip.AddrPort { return netip.AddrPortFrom(p.ip(), 10001) }
func (p *player) ip() netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(p.n >> 16), byte(p.n >> 8), byte(p.n)})
}
func (p *player) runs() bool { return p.core != nil && !p.away }
func (s *sim) done(p *player) bool {
	return p.away || p.ill != well || (p.core != nil && p.core.finished)
}

// enter adds a member that starts at a time; one that shares has everything from the start.
func (s *sim) enter(at time.Duration, up, down float64, shares bool) *player {
	p := &player{sim: s, n: len(s.players), entered: at, known: map[int]bool{}, upto: map[Run]uint32{}, bad: map[uint32]bool{}, rotten: map[uint32]bool{}, disk: map[Run]bool{}, bound: mostWindow}
	p.up, p.down = line{sim: s, rate: up}, line{sim: s, rate: down}
	for i := range p.id {
		p.id[i] = byte(s.rng.Uint32())
	}
	p.id[0], p.id[1], p.id[2] = byte(s.rng.Uint32()), byte(p.n>>8), byte(p.n)
	seed := s.rng.Uint64()
	s.players = append(s.players, p)
	s.at(at, later(func() {
		p.core = New(Config{Size: s.size, PartSize: s.part, ID: p.id, Seed: seed, Unchecked: shares, Sequential: s.inOrder})
		p.step(Tick{})
		for part := range uint32(p.core.parts) {
			if shares {
				p.step(Checked{Part: part, Good: true})
			}
		}
		s.announce(p)
	}))
	return p
}

// announce is the conductor: it names up to 50 members to a newcomer, and the newcomer to 50 others
// while there are few, else to 10.
func (s *sim) announce(p *player) {
	var others []*player
	for _, q := range s.players {
		if q != p && q.runs() {
			others = append(others, q)
		}
	}
	s.rng.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	named := min(50, len(others))
	if len(others) == 101 {
		for _, q := range others {
			q.listed = 0
			s.list(q, len(others)+1)
		}
	}
	s.list(p, len(others)+1)
	for _, q := range others[:named] {
		s.name(q, p)
	}
	pushes := 10
	if len(others) <= 100 {
		pushes = 50
	}
	for _, q := range slices.Concat(others[named:], others[:named]) {
		if pushes > 0 && !q.known[p.n] {
			pushes--
			s.name(p, q)
			s.list(q, len(others)+1)
		}
	}
}

// list tells a member how many there are, if it was told less.
func (s *sim) list(p *player, n int) {
	if n >= p.listed*5/4 {
		p.listed = n
		s.after(s.wires.rtt, func() { p.step(Listed{n}) })
	}
}

func (s *sim) name(whom, to *player) {
	to.known[whom.n] = true
	s.after(s.wires.rtt, func() { to.step(Found{ID: whom.id, Addrs: []netip.AddrPort{whom.addr()}}) })
}

// leave ends a member at once.
func (s *sim) leave(p *player) {
	p.away = true
	for _, e := range p.ends {
		if e != nil {
			e.close()
		}
	}
	for _, q := range s.players {
		if q.runs() && q.known[p.n] {
			s.after(s.wires.rtt, func() { q.step(Gone{ID: p.id}) })
		}
	}
}

func (p *player) step(ev Event) {
	if !p.runs() {
		return
	}
	s := p.sim
	effects := p.core.Step(s.now, ev, nil)
	for ; p.core.Has(uint32(p.prefix)); p.prefix++ {
		if p.prefix == p.core.parts/2 {
			p.half = s.now
		}
	}
	for _, e := range effects {
		if s.trace != nil {
			s.trace(fmt.Sprintf("%9.3fms %d %s", float64(s.now)/1e6, p.n, p.tells(e)))
		}
		p.perform(e)
	}
	if len(effects) > 0 {
		for _, e := range p.ends {
			if e != nil && (len(e.say) > 0 || len(e.orders) > 0) {
				e.rouse()
			}
		}
	}
	if at, ok := p.core.Next(); ok && (p.wake <= s.now || at < p.wake) {
		p.wake = max(at, s.now+1)
		s.at(p.wake, later(func() {
			if p.wake == s.now {
				p.step(Tick{})
			}
		}))
	}
}

func (p *player) perform(e Effect) {
	s := p.sim
	switch e := e.(type) {
	case Dial:
		s.after(2*s.rtt(p, s.playerAt(e.Addrs[0])), func() { p.dial(e) })
	case Drop:
		p.ends[e.Peer].close()
	case Offer:
		if e.All || e.Bits != nil {
			p.ends[e.Peer].tell(note{kind: noteHas, on: e.All, bits: e.Bits})
		}
	case Announce:
		if !p.core.Has(e.Part) {
			s.t.Errorf("member %d offers part %d, which it has not", p.n, e.Part)
		}
		for _, l := range p.ends {
			if l != nil {
				l.announce(e.Part, p.core.HaveDelay(l.peer, e.Part))
			}
		}
	case SetInterest:
		p.ends[e.Peer].tell(note{kind: noteInterest, on: e.On})
	case SetSpare:
		p.ends[e.Peer].tell(note{kind: noteSpare, on: e.On})
	case SetChoke:
		p.ends[e.Peer].choke(e.On)
	case Fetch:
		l := p.ends[e.Peer]
		l.asked = append(l.asked, asked{run: e.Run})
		l.tell(note{kind: noteRequest, run: e.Run})
	case Cancel:
		l := p.ends[e.Peer]
		l.forget(func(a asked) bool { return a.run == e.Run })
		l.tell(note{kind: noteCancel, run: e.Run})
	case Recall:
		p.ends[e.Peer].tell(note{kind: noteCancel, run: e.Run, on: true})
	case Share:
		p.bound = p.bounds(e.Down)
	case Chained:
		p.unchained, p.hop = !e.On, e.Hop
	case Suggest:
		for _, part := range e.Parts {
			p.ends[e.Peer].tell(note{kind: noteSuggest, run: Run{Part: part}})
		}
	case Refuse:
		p.ends[e.Peer].refuse(e.Parts)
	case Grant:
		p.ends[e.Peer].grant(e.Parts)
	case Revoke:
		p.ends[e.Peer].revoke()
	case Dismiss:
		p.ends[e.Peer].tell(note{kind: noteDismiss})
	case SetRegroup:
		p.ends[e.Peer].tell(note{kind: noteRegroup, run: Run{Part: uint32(e.What)}})
	case Verify:
		s.after(s.hashing(e.Part), func() {
			if sums := p.sums(e.Part); slices.Contains(sums, 1) {
				p.step(Failed{Part: e.Part, Sums: sums})
			} else {
				p.step(Stored(e))
			}
		})
	case Compare:
		s.after(s.hashing(e.Part), func() { p.step(Compared{e.Part, p.sums(e.Part)}) })
	case Withdraw:
		l := p.ends[e.Peer]
		l.tell(note{kind: noteGone, run: Run{Part: e.Part}})
		l.refuseAll(e.Part)
	case Complain:
		if e.Peer >= 0 {
			p.ends[e.Peer].tell(note{kind: noteBad, run: Run{Part: e.Part}})
		}
	case Finish:
		p.complete = s.now
	}
}

// bounds is what each peer may have in flight whose share of the line is so many bytes a second, as
// the links of package member have it.
func (p *player) bounds(share int64) int {
	flight := 15*time.Millisecond + p.sim.wires.rtt*5/4
	if bound := max(int(float64(share)*flight.Seconds()), 44<<10); bound <= 96<<10 {
		return bound
	}
	return mostWindow
}

// mayFly is what a peer may have in flight to this member.
func (p *player) mayFly() int {
	switch {
	case p.ill == deaf:
		return deafWindow
	case p.unchained:
		return p.bound
	}
	return mostWindow
}

// waiting is what may wait in a socket.
func (p *player) waiting() int {
	if p.unchained {
		return lowWater
	}
	return lowWaterAlone
}

// came counts what came of a run, and lets it go on.
func (p *player) came(r Run, got uint32) {
	r.Length = 0
	p.upto[r] = max(p.upto[r], got)
	p.sim.after(p.sim.wires.cpu, func() {
		for _, e := range p.ends {
			if e != nil && len(e.orders) > 0 && e.orders[0].relay {
				e.rouse()
			}
		}
	})
}

// here is how much of what is left of a run is here.
func (p *player) here(r Run) uint32 {
	end := r.Begin + r.Length
	if p.core.Has(r.Part) {
		return r.Length
	}
	from := Run{Part: r.Part, Begin: r.Begin / RunSize * RunSize}
	return min(end, max(from.Begin+p.upto[from], r.Begin)) - r.Begin
}

// hashing is how long a part takes to be hashed and written.
func (s *sim) hashing(part uint32) time.Duration {
	return time.Millisecond/2 + seconds(float64(min(s.part, s.size-int64(part)*s.part))/1e9)
}

// keep writes a run that came whole; one that is the part is verified too.
func (p *player) keep(peer int, r Run, bad bool) {
	s := p.sim
	s.after(s.wires.cpu+s.hashing(r.Part), func() {
		whole := int64(r.Length) == p.core.partLen(r.Part)
		p.disk[Run{Part: r.Part, Begin: r.Begin}] = bad
		switch {
		case whole && bad:
			p.upto[Run{Part: r.Part}] = 0
			p.step(Failed{Part: r.Part})
		case whole:
			p.step(Stored{r.Part})
		default:
			p.step(Written{peer, r})
		}
	})
}

// sums are made-up checksums of the runs of a part on disk: 1 for those that are bad.
func (p *player) sums(part uint32) (sums []uint64) {
	for begin := uint32(0); int64(begin) < p.core.partLen(part); begin += RunSize {
		sum := uint64(0)
		if p.disk[Run{Part: part, Begin: begin}] {
			sum = 1
		}
		sums = append(sums, sum)
	}
	return sums
}

// hears has a member look at a part again that somebody complains of.
func (p *player) hears(part uint32) {
	p.sim.after(p.sim.hashing(part), func() {
		if p.rotten[part] && !p.rogue {
			delete(p.rotten, part)
			p.step(Lost{Part: part, Keep: true})
		}
	})
}

// player is who has a peer id.
func (s *sim) player(id proto.PeerID) *player {
	return s.players[slices.IndexFunc(s.players, func(p *player) bool { return p.id == id })]
}

func (s *sim) playerAt(addr netip.AddrPort) *player {
	return s.players[slices.IndexFunc(s.players, func(p *player) bool { return p.addr() == addr })]
}

func (p *player) dial(d Dial) {
	s := p.sim
	if to := s.playerAt(d.Addrs[0]); to.runs() {
		p.connect(to)
		return
	}
	p.step(DialFailed{Dial: d})
}

func (p *player) seat(e *end) {
	if e.peer = slices.Index(p.ends, nil); e.peer < 0 {
		e.peer = len(p.ends)
		p.ends = append(p.ends, nil)
	}
	p.ends[e.peer] = e
}

func (p *player) connect(to *player) {
	if p.away {
		return
	}
	a := &end{me: p, open: true, choking: true, flow: newFlow(), waiters: map[uint32][]Run{}}
	b := &end{me: to, open: true, choking: true, flow: newFlow(), waiters: map[uint32][]Run{}}
	a.far, b.far = b, a
	p.seat(a)
	to.seat(b)
	p.step(Joined{Peer: a.peer, ID: to.id, Addr: to.addr(), Dialled: true, MaxRun: RunSize, MaxQueue: reqq, RoundTrip: a.rtt(), Hears: true})
	to.step(Joined{Peer: b.peer, ID: p.id, Addr: netip.AddrPortFrom(p.ip(), 30000), MaxRun: RunSize, MaxQueue: reqq, RoundTrip: a.rtt(), Hears: true, Port: 10001})
}

// close ends a link at this end now, at the far end soon.
func (e *end) close() {
	if !e.open {
		return
	}
	s := e.me.sim
	e.open = false
	s.after(0, e.left0)
	s.after(e.rtt()/2, e.far.close)
}

func (e *end) left0() {
	e.me.ends[e.peer] = nil
	e.me.step(Left{e.peer})
}

// play runs the clock until every member that stays is complete, or up to a limit.
func (s *sim) play(limit time.Duration) {
	s.t.Helper()
	s.run(limit, func() bool { return !slices.ContainsFunc(s.players, func(p *player) bool { return !s.done(p) }) })
	missing := 0
	for _, p := range s.players {
		if !s.done(p) {
			missing++
			if missing <= 5 && p.core != nil {
				s.t.Errorf("after %v member %d has %d of %d parts", s.now, p.n, p.core.haveN, p.core.parts)
			}
		}
	}
}

// run runs the clock up to a limit, or until something holds.
func (s *sim) run(limit time.Duration, until func() bool) {
	for n := 0; len(s.queue.list) > 0; n++ {
		next := s.queue.pop()
		if next.at > limit {
			return
		}
		s.now = next.at
		next.who.act()
		if n%64 == 0 && until() {
			return
		}
	}
}

// tells is an effect as a trace has it: peers by their number in the simulation.
func (p *player) tells(e Effect) string {
	to := func(peer int) int { return p.ends[peer].far.me.n }
	switch e := e.(type) {
	case Dial:
		return fmt.Sprintf("dials %v", e.Addrs[0].Addr())
	case Drop:
		return fmt.Sprintf("drops %d: %s", to(e.Peer), e.Why)
	case Offer:
		return fmt.Sprintf("offers %d all=%v %x", to(e.Peer), e.All, e.Bits)
	case Announce:
		return fmt.Sprintf("has %d", e.Part)
	case SetInterest:
		return fmt.Sprintf("interested in %d: %v", to(e.Peer), e.On)
	case SetChoke:
		return fmt.Sprintf("chokes %d: %v", to(e.Peer), e.On)
	case Fetch:
		return fmt.Sprintf("asks %d for %d+%d", to(e.Peer), e.Run.Part, e.Run.Begin)
	case Cancel:
		return fmt.Sprintf("asks %d no more for %d+%d", to(e.Peer), e.Run.Part, e.Run.Begin)
	case Recall:
		return fmt.Sprintf("recalls %d+%d from %d", e.Run.Part, e.Run.Begin, to(e.Peer))
	case Grant:
		return fmt.Sprintf("grants %d %v", to(e.Peer), e.Parts)
	case Revoke:
		return fmt.Sprintf("takes its grants back from %d", to(e.Peer))
	case Dismiss:
		return fmt.Sprintf("dismisses %d", to(e.Peer))
	case Share:
		return fmt.Sprintf("shares %d", e.Down)
	case Chained:
		return fmt.Sprintf("in a chain: %v, hop %d", e.On, e.Hop)
	case Suggest:
		return fmt.Sprintf("suggests %d %v", to(e.Peer), e.Parts)
	case Refuse:
		return fmt.Sprintf("refuses %d %v", to(e.Peer), e.Parts)
	case Verify:
		return fmt.Sprintf("verifies %d", e.Part)
	case Finish:
		return "is complete"
	}
	return fmt.Sprintf("%T%+v", e, e)
}
