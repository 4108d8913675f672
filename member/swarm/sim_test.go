package swarm_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"orchestra/member/link"
	. "orchestra/member/swarm"
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
	hurdles []*hurdle         // what is in the way now
	watch   *watch            // who looks at all that is done; nil: nobody
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
	share     int64  // of its line down, for each peer that sends, in bytes a second; 0: unknown
	ends      []*end // by peer
	entered   time.Duration
	complete  time.Duration // 0: not yet
	away      bool
	lies      bool            // what it passes on as it comes is bad
	behind    *player         // whose address it has; nil: one of its own
	rogue     bool            // all that it sends is bad, and it says nothing of that
	sly       bool            // sends a block of most parts now and then, and bad ones at the end
	rotten    map[uint32]bool // parts that it has and that are bad on its disk
	disk      map[Run]bool    // runs of parts on their way that are bad on its disk
	spoilt    spoilt
	ill       illness // what is wrong with it
	serves    bool    // it is a web server
	// How long each of its next answers stands still when a little of it was sent, as one does of
	// which packets were lost.
	standstills []time.Duration
	shut        bool         // it is deaf and was sent something
	known       map[int]bool // whom the conductor named
	listed      int          // how many members it said there are
	wake        time.Duration
	prefix      int           // parts here without a gap
	half        time.Duration // when these were the first half

	bad    map[uint32]bool   // parts on their way of which something is bad
	follow map[uint32][]*end // by part: the ends over which it is passed on as it comes

	// of runs that are on their way here: the bytes that came, by a run of length 0
	here map[Run]uint32

	sent, wasted int64 // bytes

	plight
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

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
func (p *player) addr() netip.AddrPort {
	if p.behind != nil {
		return netip.AddrPortFrom(p.ip(), 10001+uint16(p.n))
	}
	return netip.AddrPortFrom(p.ip(), 10001)
}

func (p *player) ip() netip.Addr {
	if p.behind != nil {
		return p.behind.ip()
	}
	return netip.AddrFrom4([4]byte{10, byte(p.n >> 16), byte(p.n >> 8), byte(p.n)})
}
func (p *player) runs() bool { return p.core != nil && !p.away }
func (s *sim) done(p *player) bool {
	return p.away || p.ill != well || (p.core != nil && p.core.Finished())
}

// enter adds a member that starts at a time; one that shares has everything from the start.
func (s *sim) enter(at time.Duration, up, down float64, shares bool) *player {
	p := &player{sim: s, n: len(s.players), entered: at, rotten: map[uint32]bool{}}
	p.begin()
	p.up, p.down = line{sim: s, rate: up}, line{sim: s, rate: down}
	p.draw()
	s.players = append(s.players, p)
	s.at(at, later(func() {
		p.start(shares)
		p.step(Tick{})
		for part := range uint32(p.core.Parts()) {
			if shares {
				p.checks(part, true)
			}
		}
		if p.apart == 0 {
			s.announce(p)
		}
		p.findsOrigins()
	}))
	return p
}

// draw gives a member its peer id and its seed.
func (p *player) draw() {
	s := p.sim
	for i := range p.id {
		p.id[i] = byte(s.rng.Uint32())
	}
	p.id[0], p.id[1], p.id[2] = byte(s.rng.Uint32()), byte(p.n>>8), byte(p.n)
	p.seed = s.rng.Uint64()
}

// begin empties all that a member remembers while it runs.
func (p *player) begin() {
	p.ends = nil
	p.known, p.listed = map[int]bool{}, 0
	p.here, p.follow = map[Run]uint32{}, map[uint32][]*end{}
	p.bad, p.disk, p.spoilt = map[uint32]bool{}, map[Run]bool{}, spoilt{}
	p.share, p.hop, p.unchained, p.wake = 0, 0, false, 0
}

// start makes the core of a member; if there is content, it is to be checked.
func (p *player) start(content bool) {
	s := p.sim
	p.core = New(Config{Size: s.size, PartSize: s.part, ID: p.id, Seed: p.seed, Unchecked: content, Sequential: s.inOrder})
	s.watch.starts(p)
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
	s.watch.tells(p, ev)
	effects := p.core.Step(s.now, ev, nil)
	for ; p.core.Has(uint32(p.prefix)); p.prefix++ {
		if p.prefix == p.core.Parts()/2 {
			p.half = s.now
		}
	}
	for _, e := range effects {
		if s.trace != nil {
			s.trace(fmt.Sprintf("%9.3fms %d %s", float64(s.now)/1e6, p.n, p.tells(e)))
		}
		s.watch.asks(p, e)
		p.perform(e)
	}
	s.watch.stepped(p)
	if len(effects) > 0 {
		for _, e := range p.ends {
			if e != nil && e.state.Pending() {
				e.rouse()
			}
		}
	}
	if at, ok := p.core.Next(); ok && (p.wake <= s.now || at < p.wake) {
		at = max(at, s.now+1)
		p.wake = at
		p.after(at-s.now, func() {
			if p.wake == at {
				p.step(Tick{})
			}
		})
	}
}

func (p *player) perform(e Effect) {
	s := p.sim
	switch e := e.(type) {
	case Dial:
		p.after(2*s.rtt(p, s.playerAt(e.Addrs[0])), func() { p.dial(e) })
	case Drop:
		p.ends[e.Peer].close()
	case Doubt:
		p.doubts(p.ends[e.Peer])
	case Announce:
		if !p.core.Has(e.Part) {
			s.t.Errorf("member %d offers part %d, which it has not", p.n, e.Part)
		}
		for _, l := range p.ends {
			if l != nil {
				l.do(e)
			}
		}
	case Grant:
		l := p.ends[e.Peer]
		for _, part := range e.Parts {
			if !p.core.Has(part) && !slices.Contains(p.follow[part], l) {
				p.follow[part] = append(p.follow[part], l)
			}
		}
		if p.ill != mute {
			l.do(e)
		}
	case Share:
		p.share = e.Down
	case Chained:
		p.unchained, p.hop = !e.On, e.Hop
	case Verify:
		p.works(s.hashing(e.Part), func() {
			if sums := p.sums(e.Part); slices.Contains(sums, 1) {
				p.fails(Failed{Part: e.Part, Sums: sums})
			} else {
				p.stores(e.Part)
			}
		})
	case Compare:
		p.works(s.hashing(e.Part), func() { p.step(Compared{Part: e.Part, Sums: p.sums(e.Part)}) })
	case Complain:
		if e.Peer >= 0 {
			p.ends[e.Peer].do(e)
		}
	case Finish:
		p.complete = s.now
	default:
		if peer, ok := link.Of(e); ok {
			p.ends[peer].do(e)
		}
	}
}

// mayFly is what the far end may have in flight.
func (e *end) mayFly() int {
	if e.me.ill == deaf {
		return deafWindow
	}
	if e.me.unchained && e.me.share > 0 {
		if bound := link.InFlight(e.me.share, e.rtt(), segment); bound > 0 {
			return bound
		}
	}
	return mostWindow
}

// waiting is what may wait in a socket.
func (p *player) waiting() int {
	if p.unchained {
		return link.Unsent
	}
	return link.UnsentAlone
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
	switch to := s.playerAt(d.Addrs[0]); {
	case to.frozen || to.hidden || s.blocked(p, to) || s.blocked(to, p):
		p.after(dialTimeout, func() { p.step(DialFailed{Dial: d, Fault: NoAnswer}) })
	case !to.runs():
		p.step(DialFailed{Dial: d, Fault: NobodyListens})
	case d.ID != proto.PeerID{} && d.ID != to.id:
		p.step(DialFailed{Dial: d, Fault: Another})
	default:
		p.connect(to)
	}
}

func (p *player) seat(e *end) {
	if e.peer = slices.Index(p.ends, nil); e.peer < 0 {
		e.peer = len(p.ends)
		p.ends = append(p.ends, nil)
	}
	p.ends[e.peer] = e
	e.state = link.New(link.Config{Peer: e.peer, Size: p.sim.size, PartSize: p.sim.part, Terms: agreed(p.sim.part)})
}

func (p *player) connect(to *player) {
	if p.away {
		return
	}
	a := &end{me: p, open: true, flow: newFlow()}
	b := &end{me: to, open: true, flow: newFlow()}
	a.far, b.far = b, a
	p.seat(a)
	to.seat(b)
	p.step(Joined{Peer: a.peer, ID: to.id, Addr: to.addr(), Dialled: true, MaxRun: RunSize, MaxQueue: link.Reqq, RoundTrip: a.rtt(), Hears: true})
	to.step(Joined{Peer: b.peer, ID: p.id, Addr: netip.AddrPortFrom(p.ip(), 30000), MaxRun: RunSize, MaxQueue: link.Reqq, RoundTrip: a.rtt(), Hears: true, Port: 10001})
}
