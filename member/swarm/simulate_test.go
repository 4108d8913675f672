package swarm

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"testing"
	"time"

	"orchestra/proto"
)

// pit is a swarm of cores on one virtual clock, in one goroutine. Every message takes a latency; each member's uplink sends one
// run after the other at a rate; what a link does with requests, grants, cancels and rejects is what the shell's links do.
type pit struct {
	t       *testing.T
	now     time.Duration
	queue   agenda
	seq     int
	players []*performer
	size    int64
	part    int64
	trace   []string // every effect, if kept
	keep    bool
	inOrder bool // the members want the parts in order
}

const (
	simLatency = 2 * time.Millisecond
	simRate    = 5 << 20 // bytes a second, up
)

// performer is one member of the simulation.
type performer struct {
	pit      *pit
	n        int
	id       proto.PeerID
	core     *Swarm
	links    []*wire // by peer
	upFree   time.Duration
	complete time.Duration
	half     time.Duration // when the first half of the parts was here, without a gap
	prefix   int           // parts here without a gap
	written  map[uint32]int64
	wake     time.Duration
	sent     int64
}

// wire is one end of a link.
type wire struct {
	me, far   *performer
	farPeer   int
	up        bool
	asked     []Run // of the far end
	waiting   map[uint32][]Run
	cancelled map[Run]bool
}

type turn struct {
	at  time.Duration
	seq int
	do  func()
}

type agenda []turn

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || (a[i].at == a[j].at && a[i].seq < a[j].seq)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(turn)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	*a = (*a)[:last]
	return x
}

func (p *pit) after(d time.Duration, do func()) {
	p.seq++
	heap.Push(&p.queue, turn{p.now + d, p.seq, do})
}

func newPit(t *testing.T, size, part int64) *pit { return &pit{t: t, size: size, part: part} }

// enter adds a member; one that shares has everything.
func (p *pit) enter(seed uint64, shares bool) *performer {
	m := &performer{pit: p, n: len(p.players), written: map[uint32]int64{}}
	m.id = proto.PeerID{byte(m.n >> 8), byte(m.n), 'x'}
	m.core = New(Config{Size: p.size, PartSize: p.part, ID: m.id, Seed: seed + uint64(m.n), Unchecked: shares, Sequential: p.inOrder})
	p.players = append(p.players, m)
	p.after(0, func() {
		m.step(Tick{})
		for part := range m.core.parts {
			if shares {
				m.step(Checked{Part: uint32(part), Good: true})
			}
		}
		for _, other := range p.players[:m.n] { // the conductor
			m.step(Found{ID: other.id, Addrs: []netip.AddrPort{other.addr()}})
		}
	})
	return m
}

func (m *performer) addr() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(m.n >> 8), byte(m.n)}), 1000)
}

func (m *performer) step(ev Event) {
	effects := m.core.Step(m.pit.now, ev, nil)
	for ; m.core.Has(uint32(m.prefix)); m.prefix++ {
		if m.prefix == m.core.parts/2 {
			m.half = m.pit.now
		}
	}
	for _, e := range effects {
		if m.pit.keep {
			m.pit.trace = append(m.pit.trace, fmt.Sprintf("%v %d %T%+v", m.pit.now, m.n, e, e))
		}
		m.perform(e)
	}
	if at, ok := m.core.Next(); ok && (m.wake <= m.pit.now || at < m.wake) {
		m.wake = max(at, m.pit.now+1)
		m.pit.after(m.wake-m.pit.now, func() {
			if m.wake == m.pit.now {
				m.step(Tick{})
			}
		})
	}
}

// tell brings an event to the far end of a link after its latency, if the link is still up.
func (w *wire) tell(ev func(peer int) Event) {
	w.me.pit.after(simLatency, func() {
		if w.up {
			w.far.step(ev(w.farPeer))
		}
	})
}

func (m *performer) free() int {
	if i := slices.Index(m.links, nil); i >= 0 {
		return i
	}
	m.links = append(m.links, nil)
	return len(m.links) - 1
}

func (m *performer) connect(to *performer) {
	i, j := m.free(), to.free()
	a := &wire{me: m, far: to, farPeer: j, up: true, waiting: map[uint32][]Run{}, cancelled: map[Run]bool{}}
	b := &wire{me: to, far: m, farPeer: i, up: true, waiting: map[uint32][]Run{}, cancelled: map[Run]bool{}}
	m.links[i], to.links[j] = a, b
	m.step(Joined{Peer: i, ID: to.id, Addr: to.addr(), Dialled: true, MaxRun: RunSize, MaxQueue: 1024})
	to.step(Joined{Peer: j, ID: m.id, Addr: m.addr(), MaxRun: RunSize, MaxQueue: 1024})
}

func (m *performer) perform(e Effect) {
	p := m.pit
	switch e := e.(type) {
	case Dial:
		p.after(3*simLatency, func() {
			for _, to := range p.players {
				if to.addr() == e.Addrs[0] {
					m.connect(to)
				}
			}
		})
	case Drop:
		w := m.links[e.Peer]
		p.after(simLatency, func() {
			if !w.up {
				return
			}
			back := w.far.links[w.farPeer]
			w.up, back.up = false, false
			m.links[e.Peer], w.far.links[w.farPeer] = nil, nil
			m.step(Left{e.Peer})
			w.far.step(Left{w.farPeer})
		})
	case Offer:
		m.links[e.Peer].tell(func(peer int) Event { return Has{Peer: peer, All: e.All, Bits: e.Bits} })
	case Announce:
		if !m.core.Has(e.Part) {
			p.t.Errorf("member %d offers part %d, which it has not", m.n, e.Part)
		}
		for _, w := range m.links {
			if w != nil {
				w.tell(func(peer int) Event { return Has{Peer: peer, Parts: []uint32{e.Part}} })
			}
		}
	case SetInterest:
		m.links[e.Peer].tell(func(peer int) Event { return Interest{peer, e.On} })
	case SetChoke:
		m.links[e.Peer].tell(func(peer int) Event { return Choked{peer, e.On} })
	case Fetch:
		w := m.links[e.Peer]
		w.asked = append(w.asked, e.Run)
		back := w.far.links[w.farPeer]
		w.tell(func(peer int) Event {
			back.waiting[e.Run.Part] = append(back.waiting[e.Run.Part], e.Run)
			if len(back.waiting[e.Run.Part]) > 1 {
				return Tick{}
			}
			return Wanted{peer, []uint32{e.Run.Part}}
		})
	case Cancel:
		w := m.links[e.Peer]
		w.asked = slices.DeleteFunc(w.asked, func(r Run) bool { return r == e.Run })
		back := w.far.links[w.farPeer]
		w.tell(func(peer int) Event {
			list := back.waiting[e.Run.Part]
			i := slices.Index(list, e.Run)
			if i < 0 {
				return Tick{}
			}
			if list = slices.Delete(list, i, i+1); len(list) > 0 {
				back.waiting[e.Run.Part] = list
				return Tick{}
			}
			delete(back.waiting, e.Run.Part)
			return Unwanted{peer, e.Run.Part}
		})
	case Grant:
		m.serve(e)
	case Verify:
		p.after(0, func() { m.step(Stored(e)) })
	case Finish:
		m.complete = p.now
	}
}

// serve sends what was asked of the parts, one run after the other.
func (m *performer) serve(g Grant) {
	w := m.links[g.Peer]
	m.upFree = max(m.upFree, m.pit.now)
	for _, part := range g.Parts {
		for _, run := range w.waiting[part] {
			begin := m.upFree - m.pit.now
			m.upFree += time.Duration(int64(run.Length) * int64(time.Second) / simRate)
			end := m.upFree - m.pit.now
			m.sent += int64(run.Length)
			m.pit.after(begin+simLatency, func() {
				if w.up {
					w.far.step(Started{w.farPeer, run})
				}
			})
			m.pit.after(end+simLatency, func() {
				if w.up {
					w.far.take(w.farPeer, run)
				}
			})
		}
		delete(w.waiting, part)
	}
	m.pit.after(m.upFree-m.pit.now, func() {
		if w.up {
			m.step(Served{Peer: g.Peer})
		}
	})
}

// take brings a run in that came over a link, unless it was cancelled.
func (m *performer) take(peer int, run Run) {
	w := m.links[peer]
	i := slices.Index(w.asked, run)
	if i < 0 {
		return
	}
	w.asked = slices.Delete(w.asked, i, i+1)
	m.step(Progress{peer, int64(run.Length)})
	m.step(Received{peer, run})
	length := m.core.partLen(run.Part)
	if int64(run.Length) == length {
		m.step(Stored{run.Part})
		return
	}
	m.step(Written{peer, run})
}

// play runs the clock until every member is complete, or for a while.
func (p *pit) play(limit time.Duration) {
	p.t.Helper()
	for p.queue.Len() > 0 {
		next := heap.Pop(&p.queue).(turn)
		if p.now = next.at; p.now > limit {
			break
		}
		next.do()
		if slices.IndexFunc(p.players, func(m *performer) bool { return !m.core.finished }) < 0 {
			return
		}
	}
	for _, m := range p.players {
		if !m.core.finished {
			p.t.Errorf("after %v member %d has %d of %d parts", p.now, m.n, m.core.haveN, m.core.parts)
		}
	}
}

func TestFiftyMembers(t *testing.T) {
	play := func(seed uint64) (uint64, *pit) {
		p := newPit(t, 64<<20+1, 256<<10)
		p.keep = true
		for i := range 51 {
			p.enter(seed, i == 0)
		}
		p.play(2 * time.Minute)
		sum := fnv.New64()
		for _, line := range p.trace {
			fmt.Fprintln(sum, line)
		}
		return sum.Sum64(), p
	}
	first, p := play(7)
	if again, _ := play(7); again != first {
		t.Error("the same seed gave another trace")
	}
	if other, _ := play(8); other == first {
		t.Error("another seed gave the same trace")
	}
	var last time.Duration
	for _, m := range p.players {
		last = max(last, m.complete)
		if d := m.core.stats.Duplicate; d > p.size/50 {
			t.Errorf("member %d received %d bytes twice", m.n, d)
		}
	}
	// One copy takes 12.8 s over one of these uplinks.
	t.Logf("the last of 50 members is complete after %v; the first sharer sent %d MiB", last, p.players[0].sent>>20)
}

func TestPartsOfSeveralRuns(t *testing.T) {
	p := newPit(t, 40<<20+3, 8<<20)
	for i := range 9 {
		p.enter(3, i == 0)
	}
	p.play(2 * time.Minute)
}

func TestTheFirstSharerMayLeave(t *testing.T) {
	p := newPit(t, 16<<20, 256<<10)
	first := p.enter(5, true)
	for range 8 {
		p.enter(5, false)
	}
	p.after(4*time.Second, func() {
		for i, w := range first.links {
			if w != nil {
				first.perform(Drop{Peer: i})
			}
		}
		first.core.known = nil
	})
	// Whatever the others have by then they must all have in the end.
	for p.queue.Len() > 0 && p.now < time.Minute {
		next := heap.Pop(&p.queue).(turn)
		p.now = next.at
		next.do()
	}
	out := newBitmap(first.core.parts)
	for _, m := range p.players[1:] {
		for i := range out {
			out[i] |= m.core.have[i]
		}
	}
	for _, m := range p.players[1:] {
		if !slices.Equal(m.core.have, out) {
			t.Errorf("member %d lacks parts that others have: %d", m.n, m.core.haveN)
		}
	}
}
