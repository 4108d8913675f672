package swarm_test

import (
	"time"
)

// What is in the way between hosts. A connection loses nothing by it: what is not acknowledged is
// sent again, after a while that is twice as long each time, and a connection over which nothing
// is acknowledged for long ends at each end by itself.

// group is a set of members by their numbers, of which a simulation with faults has few.
type group uint64

func groupOf(members ...int) (g group) {
	for _, n := range members {
		g |= 1 << n
	}
	return g
}

func (g group) has(p *player) bool { return p.n < 64 && g&(1<<p.n) != 0 }

// hurdle is something that is in the way from some hosts to others, in this direction.
type hurdle struct {
	from, to group
	cut      bool          // nothing gets through
	delay    time.Duration // it takes so much longer
	loss     float64       // so much more is lost
}

func (s *sim) put(h *hurdle) { s.hurdles = append(s.hurdles, h) }

func (s *sim) take(h *hurdle) {
	for i, other := range s.hurdles {
		if other == h {
			s.hurdles = append(s.hurdles[:i:i], s.hurdles[i+1:]...)
			return
		}
	}
}

// over calls do for all that is in the way from one host to another.
func (s *sim) over(p, q *player, do func(h *hurdle)) {
	for _, h := range s.hurdles {
		if h.from.has(p) && h.to.has(q) {
			do(h)
		}
	}
}

// blocked reports whether nothing gets through from one host to another.
func (s *sim) blocked(p, q *player) bool {
	cut := p.dark || q.dark
	s.over(p, q, func(h *hurdle) { cut = cut || h.cut })
	return cut
}

// lossy is the share of packets that is lost on the way.
func (s *sim) lossy(p, q *player) float64 {
	loss := s.wires.loss
	s.over(p, q, func(h *hurdle) { loss += h.loss })
	return loss
}

// clear reports whether nothing is in the way between two hosts.
func (s *sim) clear(p, q *player) bool {
	free := true
	for _, way := range [][2]*player{{p, q}, {q, p}} {
		free = free && !s.blocked(way[0], way[1])
		s.over(way[0], way[1], func(*hurdle) { free = false })
	}
	return free
}

// Times of connections, as the members and their systems have them.
const (
	retransmitFirst = 200 * time.Millisecond
	retransmitMost  = 2 * time.Minute
	linkTimeout     = 20 * time.Second
	silenceTimeout  = 150 * time.Second
	doubtTime       = 3750 * time.Millisecond
	dialTimeout     = 5 * time.Second
)

// retransmission is what a connection's end has sent and has to send again.
type retransmission struct {
	wayAt   time.Duration // when what was sent last is at the far end's line
	kept    []*quantum    // what did not get through
	acks    []*quantum    // what did, and of which the far end's word did not
	again   time.Duration // how long until it is sent again; 0: nothing is
	deadAt  time.Duration // since when nothing is acknowledged; 0: that is not so
	quietAt time.Duration // since when the far end's process is suspended; 0: it is not
}

// onTheWay is when what is sent now is at the far end's line. Nothing overtakes.
func (e *end) onTheWay() time.Duration {
	s := e.me.sim
	at := s.now + e.rtt()/2
	s.over(e.me, e.far.me, func(h *hurdle) { at += h.delay })
	e.wayAt = max(e.wayAt, at)
	return e.wayAt
}

// lost reports whether something does not get through now. It will be sent again.
func (e *end) lost(q *quantum) bool {
	if len(e.kept) == 0 && !e.me.sim.blocked(e.me, e.far.me) {
		return false
	}
	q.stage--
	e.kept = append(e.kept, q)
	e.sendAgain()
	return true
}

// unheard reports whether the far end's word that something came does not get through now.
func (e *end) unheard(q *quantum) bool {
	if len(e.acks) == 0 && !e.me.sim.blocked(e.far.me, e.me) {
		return false
	}
	q.stage--
	e.acks = append(e.acks, q)
	e.sendAgain()
	return true
}

func (e *end) sendAgain() {
	if e.again == 0 {
		e.again = max(retransmitFirst, 2*e.rtt())
		e.me.sim.after(e.again, e.retransmits)
	}
}

// retransmits sends again what was lost.
func (e *end) retransmits() {
	s := e.me.sim
	e.window, e.slow = firstWindow, max(e.window/2, 2*segment)
	var through []*quantum
	if !s.blocked(e.me, e.far.me) {
		through, e.kept = e.kept, nil
		if !s.blocked(e.far.me, e.me) {
			through = append(through, e.acks...)
			e.acks = nil
		}
	}
	for _, q := range through {
		q.act()
	}
	if len(e.kept)+len(e.acks) == 0 || !e.open && !e.far.open {
		e.again = 0
		return
	}
	e.again = min(2*e.again, retransmitMost)
	s.after(e.again, e.retransmits)
}

// farewell tells the far end that this one is closed.
func (e *end) farewell(again time.Duration) {
	s := e.me.sim
	switch {
	case !s.blocked(e.me, e.far.me):
		e.far.me.after(e.rtt()/2, e.far.close)
	case again <= retransmitMost:
		s.after(again, func() { e.farewell(2 * again) })
	}
}

// dead reports whether no sign of life comes from the far end's host.
func (e *end) dead() bool {
	s := e.me.sim
	return s.blocked(e.me, e.far.me) || s.blocked(e.far.me, e.me)
}

// doubts ends a link if no sign of life comes over it.
func (p *player) doubts(e *end) {
	p.after(doubtTime, func() {
		if e.open && e.dead() {
			e.close()
		}
	})
}

// tendLinks ends the links whose far end gave no sign of life for long.
func (s *sim) tendLinks() {
	expired := func(since *time.Duration, is bool, after time.Duration) bool {
		switch {
		case !is:
			*since = 0
		case *since == 0:
			*since = max(s.now, 1)
		}
		return is && s.now-*since >= after
	}
	for _, p := range s.players {
		if p.frozen {
			continue
		}
		for _, e := range p.ends {
			if e != nil && e.open && (expired(&e.deadAt, e.dead(), linkTimeout) ||
				expired(&e.quietAt, e.far.me.frozen, silenceTimeout)) {
				e.close()
			}
		}
	}
}
