package swarm_test

import (
	"math"
	"time"

	"orchestra/proto"
)

// The simulated network. Every host has one line up and one down. The line up serves the
// connections that have something to send in turn, with nothing in front of it (in front of a real
// one that is shaped stands a queue of some 50 ms); the line down is one queue, which fills when
// more comes than it carries. A connection sends as much as its congestion window allows: it
// doubles while it is new, shrinks when the far line's queue overflows, and begins small again
// after a rest. What a connection carries, content or message, stays in order.

// wires describes the network of a simulation.
type wires struct {
	rtt     time.Duration // between hosts that are near each other
	far     time.Duration // between hosts of different sites
	sites   int           // the hosts are at so many in turn; 0: all at one
	loss    float64       // the share of the packets that are lost on the way, whatever the queues
	queue   time.Duration // what the queue of a line down holds at most
	burst   int           // bytes that a line carries at once after a rest (tbf's burst)
	quantum int           // bytes that are simulated as one
	cpu     time.Duration // from the socket to the core, or from the core to the socket
}

// shaped is the network of namespaces with tbf links; the round trip is that of the table.
func shaped(quantum int) wires {
	return wires{rtt: 2 * time.Millisecond, queue: 60 * time.Millisecond, burst: 128 << 10, quantum: quantum, cpu: 500 * time.Microsecond}
}

// rtt is the round trip between two hosts.
func (s *sim) rtt(p, q *player) time.Duration {
	if s.wires.sites > 0 && p.n%s.wires.sites != q.n%s.wires.sites {
		return s.wires.far
	}
	return s.wires.rtt
}

// rtt is the round trip of a link.
func (e *end) rtt() time.Duration { return e.me.sim.rtt(e.me, e.far.me) }

const (
	segment     = 1448 // bytes of payload in a packet
	perPacket   = 66   // bytes of headers
	firstWindow = 10 * segment
	mostWindow  = 4 << 20
	restart     = 200 * time.Millisecond // a rest after which a window begins small again
)

// line is one direction of a host's link.
type line struct {
	sim  *sim
	rate float64 // bytes a second
	free time.Duration

	// Up: the connections that wait for their turn, and the one that is served.
	ring []*end
	busy bool
	now  *quantum
}

// carry tells when a line that is given so many bytes now has carried them.
func (l *line) carry(bytes int) time.Duration {
	bytes += (bytes/segment + 1) * perPacket
	burst := time.Duration(float64(l.sim.wires.burst) / l.rate * float64(time.Second))
	l.free = max(l.free, l.sim.now-burst) + time.Duration(float64(bytes)/l.rate*float64(time.Second))
	return max(l.free, l.sim.now)
}

// turn serves the next connection that has something to send.
func (l *line) turn() {
	for !l.busy && len(l.ring) > 0 {
		e := l.ring[0]
		l.ring = l.ring[1:]
		if e.queued = false; !e.ready() {
			continue
		}
		l.now = e.send()
		l.busy = true
		l.sim.at(l.carry(l.now.bytes), l)
	}
}

// act ends a turn: what was sent is on its way.
func (l *line) act() {
	q := l.now
	l.busy, l.now = false, nil
	l.sim.at(q.from.onTheWay(), q)
	q.from.enqueue()
	l.turn()
}

// quantum is a stretch of content, or messages, on its way over a connection.
type quantum struct {
	from  *end
	bytes int
	text  []byte      // messages; nil: it is content
	piece proto.Piece // of which it is
	first bool        // its header goes before
	last  bool        // it ends the piece
	bad   bool        // it is something else than the content
	stage int

	answer *answer // of a web server
}

func (q *quantum) act() {
	e := q.from
	s := e.me.sim
	q.stage++
	switch q.stage {
	case 1: // at the far end's line down
		if e.lost(q) {
			return
		}
		down := &e.far.me.down
		at := max(down.carry(q.bytes), e.inOrder)
		if loss := s.lossy(e.me, e.far.me); loss > 0 && s.rng.Float64() > math.Pow(1-loss, float64(q.bytes/segment+1)) {
			at += e.rtt() // until it came again; what follows waits for it
			e.shrink()
		}
		e.inOrder = at
		if down.free-s.now > s.wires.queue+time.Duration(float64(s.wires.burst)/down.rate*float64(time.Second)) {
			e.shrink()
		}
		if at-s.now > 4*time.Millisecond && e.window >= 16*segment { // HyStart
			e.slow = min(e.slow, e.window)
		}
		s.at(at, q)
	case 2: // at the far end
		if me := e.far.me; me.ill == deaf && (q.text == nil || me.shut) {
			me.shut = true
			return
		}
		s.at(s.now+e.rtt()/2, q)
		e.far.me.does(func() { e.far.arrives(q) })
	case 3: // acknowledged
		if !e.unheard(q) {
			e.acknowledged(q.bytes)
		}
	}
}

// flow is the sending half of a connection's end.
type flow struct {
	unsent  []*quantum
	socket  int // bytes in unsent
	flying  int // bytes that are not acknowledged
	window  float64
	slow    float64 // up to here the window doubles
	shrunk  time.Duration
	movedAt time.Duration
	queued  bool          // it waits for its turn at the line up
	inOrder time.Duration // when what was sent last arrives

	retransmission
}

func newFlow() flow { return flow{window: firstWindow, slow: math.Inf(1)} }

// ready tells whether something can be sent now.
func (e *end) ready() bool {
	return len(e.unsent) > 0 && (e.flying == 0 || e.flying+e.unsent[0].bytes <= min(int(e.window), e.far.mayFly())) && e.open
}

func (e *end) enqueue() {
	if !e.queued && e.ready() {
		e.queued = true
		e.me.up.ring = append(e.me.up.ring, e)
	}
}

func (e *end) push(q *quantum) {
	if n := len(e.unsent); n > 0 && q.text != nil { // one turn for messages that wait together
		if last := e.unsent[n-1]; last.text != nil && last.bytes+q.bytes <= segment {
			last.text, last.bytes = append(last.text, q.text...), last.bytes+q.bytes
			e.socket += q.bytes
			return
		}
	}
	q.from = e
	e.unsent = append(e.unsent, q)
	e.socket += q.bytes
}

func (e *end) send() *quantum {
	s := e.me.sim
	if s.now-e.movedAt > max(restart, 2*e.rtt()) {
		e.slow = max(e.slow, e.window*3/4)
		e.window = min(e.window, firstWindow)
	}
	e.movedAt = s.now
	q := e.unsent[0]
	e.unsent = e.unsent[1:]
	e.socket -= q.bytes
	e.flying += q.bytes
	e.write()
	return q
}

// shrink is what a packet that was lost does.
func (e *end) shrink() {
	if now := e.me.sim.now; now-e.shrunk > max(50*time.Millisecond, e.rtt()) {
		e.shrunk = now
		e.window = max(e.window*0.7, 2*segment)
		e.slow = e.window
	}
}

func (e *end) acknowledged(bytes int) {
	e.flying -= bytes
	if e.window < e.slow {
		e.window += float64(bytes)
	} else {
		e.window += 2 * segment * float64(bytes) / e.window
	}
	e.window = min(e.window, mostWindow)
	e.enqueue()
	e.me.up.turn()
}
