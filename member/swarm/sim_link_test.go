package swarm

import (
	"slices"
	"time"

	"orchestra/proto"
)

// The simulated links. They do with requests, grants, cancels, chokes and rejects what the links of
// package member do: messages go before content, but never into a piece; a grant is served when the
// last of it is in the socket.

const (
	maxPiece      = 64 << 10  // bytes of a piece message
	lowWater      = 16 << 10  // bytes that wait in the socket
	lowWaterAlone = 128 << 10 // when one peer alone is sent to
	reqq          = 1024      // requests that may wait
	noteSize      = 17        // bytes of a message
	reportEvery   = 200 * time.Millisecond
)

// note is one message.
type note struct {
	kind noteKind
	on   bool
	run  Run // or the part alone
	bits []byte
}

type noteKind int

const (
	noteHas noteKind = iota
	noteHave
	noteInterest
	noteChoke
	noteRequest
	noteCancel
	noteReject
	noteSuggest
	noteSpare
	noteDismiss
	noteRegroup
	noteGone
	noteBad
)

// end is one end of a link.
type end struct {
	me   *player
	far  *end
	peer int // the core's number of the far end
	open bool
	flow

	say     []note
	later   []note        // announcements that may wait
	due     time.Duration // until then; 0: there are none
	choking bool
	waiters map[uint32][]Run
	count   int
	orders  []order // granted, the end of each grant marked
	piece   Run     // the piece that is being written
	rest    bool    // more pieces of the run follow
	left    int
	bad     bool // it has something else than the content

	went int64 // bytes of content that went out since the core was told
	told time.Duration
	next time.Duration // when it sends again, if it trickles

	asked    []asked
	moved    int64 // bytes that came since the core was told
	reported time.Duration
}

type order struct {
	run   Run
	relay bool // the part was not here
	end   bool // of a grant
}

type asked struct {
	run Run
	bad bool
	got uint32
}

func (e *end) tell(n note) {
	if e.open {
		e.say = append(e.say, n)
	}
}

// announce tells of a part after a while, or earlier with something else that is told.
func (e *end) announce(part uint32, delay time.Duration) {
	n := note{kind: noteHave, run: Run{Part: part}}
	if delay == 0 {
		e.tell(n)
		return
	}
	e.later = append(e.later, n)
	s := e.me.sim
	if due := s.now + delay; e.due <= s.now || due < e.due {
		e.due = due
		s.after(delay, func() {
			if e.due == due {
				e.say, e.later, e.due = append(e.say, e.later...), nil, 0
				e.rouse()
			}
		})
	}
}

// rouse lets the link write what it has to, after the core's turn.
func (e *end) rouse() {
	e.write()
	e.enqueue()
	e.me.up.turn()
}

// write fills the socket.
func (e *end) write() {
	s := e.me.sim
	for e.open && e.socket < e.me.waiting() {
		switch {
		case e.left > 0:
			n := min(e.left, s.wires.quantum)
			if e.me.ill == trickling {
				if n = min(n, trickle); s.now < e.next {
					return
				}
				e.next = s.now + time.Second
				s.after(time.Second, e.rouse)
			}
			e.left -= n
			if e.went += int64(n); s.now-e.told >= reportEvery {
				e.report(Sent{e.peer, e.went})
				e.told, e.went = s.now, 0
			}
			e.push(&quantum{bytes: n, run: e.piece, last: e.left == 0 && !e.rest, bad: e.bad})
		case len(e.say) > 0:
			e.say = append(e.say, e.later...)
			e.push(&quantum{bytes: noteSize * len(e.say), notes: e.say})
			e.say, e.later, e.due = nil, nil, 0
		case len(e.orders) == 0 || e.me.ill == mute:
			return
		case e.orders[0].end:
			e.orders = e.orders[1:]
			e.report(Served{e.peer})
		default:
			o := &e.orders[0]
			most := min(o.run.Length, maxPiece)
			if o.relay {
				here := e.me.here(o.run)
				if most = min(most, here); here < min(o.run.Length, uint32(e.me.hop)) {
					return
				}
			}
			e.piece = o.run
			e.bad = o.relay && !e.me.core.Has(o.run.Part) && (e.me.lies || e.me.bad[o.run.Part])
			e.bad = e.bad || e.me.rogue || e.me.rotten[o.run.Part]
			e.left = int(most)
			e.me.sent += int64(e.left)
			o.run.Begin += uint32(e.left)
			if o.run.Length -= uint32(e.left); o.run.Length > 0 {
				e.rest = true
				continue
			}
			e.rest = false
			e.orders = e.orders[1:]
			e.count--
		}
	}
}

// report tells the core of something soon.
func (e *end) report(ev Event) {
	e.me.sim.after(e.me.sim.wires.cpu, func() {
		if e.open {
			e.me.step(ev)
		}
	})
}

// arrives takes in what came over the connection.
func (e *end) arrives(q *quantum) {
	if !e.open {
		return
	}
	if q.notes == nil {
		e.takeContent(q)
		return
	}
	var has, wants, coming []uint32
	flush := func() {
		if len(has) > 0 {
			e.report(Has{Peer: e.peer, Parts: has})
		}
		if len(wants) > 0 {
			e.report(Wanted{e.peer, wants})
		}
		if len(coming) > 0 {
			e.report(Suggested{e.peer, coming})
		}
		has, wants, coming = nil, nil, nil
	}
	for _, n := range q.notes {
		switch n.kind {
		case noteHave:
			has = append(has, n.run.Part)
			continue
		case noteSuggest:
			coming = append(coming, n.run.Part)
			continue
		case noteRequest:
			if e.request(n.run) {
				wants = append(wants, n.run.Part)
			}
			continue
		}
		flush()
		switch n.kind {
		case noteHas:
			e.report(Has{Peer: e.peer, All: n.on, Bits: n.bits})
		case noteInterest:
			e.report(Interest{e.peer, n.on})
		case noteSpare:
			e.report(Spare{e.peer, n.on})
		case noteChoke:
			if n.on {
				e.forget(func(asked) bool { return true })
			}
			e.report(Choked{e.peer, n.on})
		case noteDismiss:
			e.report(Dismissed{e.peer})
		case noteRegroup:
			e.report(Regroup{e.peer, proto.Regrouping(n.run.Part)})
		case noteGone:
			e.report(Withdrawn{e.peer, n.run.Part})
		case noteBad:
			e.me.hears(n.run.Part)
		case noteCancel:
			e.cancelled(n.run, n.on)
		case noteReject:
			if i := e.find(n.run); i >= 0 && !n.on { // on: what answers a cancel
				run := e.asked[i].run
				e.forget(func(a asked) bool { return a.run == run })
				e.report(Rejected{e.peer, n.run})
			}
		}
	}
	flush()
	e.rouse()
}

// request takes a request in, and tells whether the core is to hear of its part.
func (e *end) request(r Run) bool {
	if e.choking || e.count >= reqq || e.me.ill == rejecting {
		e.tell(note{kind: noteReject, run: r})
		return false
	}
	e.count++
	e.waiters[r.Part] = append(e.waiters[r.Part], r)
	return len(e.waiters[r.Part]) == 1
}

func (e *end) cancelled(r Run, recall bool) {
	if e.me.ill == mute {
		return
	}
	if i := slices.IndexFunc(e.orders, func(o order) bool {
		return !o.end && o.run.Part == r.Part && o.run.Begin+o.run.Length == r.Begin+r.Length
	}); i >= 0 {
		if recall && e.orders[i].run.Length < r.Length { // it is being sent
			return
		}
		e.tell(note{kind: noteReject, run: r, on: !recall})
		e.orders = slices.Delete(e.orders, i, i+1)
		e.count--
		return
	}
	list := e.waiters[r.Part]
	i := slices.IndexFunc(list, func(w Run) bool { return w.Begin+w.Length == r.Begin+r.Length })
	if i < 0 {
		return
	}
	e.tell(note{kind: noteReject, run: r, on: !recall})
	e.count--
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		e.waiters[r.Part] = list
		return
	}
	delete(e.waiters, r.Part)
	e.report(Unwanted{e.peer, r.Part})
}

func (e *end) refuse(parts []uint32) {
	for _, part := range parts {
		e.refusePart(part, func(o order) bool { return o.relay })
	}
}

// refuseAll rejects all that was asked of a part.
func (e *end) refuseAll(part uint32) { e.refusePart(part, func(order) bool { return true }) }

func (e *end) refusePart(part uint32, granted func(order) bool) {
	for _, r := range e.waiters[part] {
		e.tell(note{kind: noteReject, run: r})
		e.count--
	}
	delete(e.waiters, part)
	e.orders = slices.DeleteFunc(e.orders, func(o order) bool {
		if o.end || o.run.Part != part || !granted(o) {
			return false
		}
		e.tell(note{kind: noteReject, run: o.run})
		e.count--
		return true
	})
}

func (e *end) grant(parts []uint32) {
	for _, part := range parts {
		for _, r := range e.waiters[part] {
			e.orders = append(e.orders, order{run: r, relay: !e.me.core.Has(part)})
		}
		delete(e.waiters, part)
	}
	e.orders = append(e.orders, order{end: true})
}

// revoke lets what was granted and not sent wait for another grant.
func (e *end) revoke() {
	for _, o := range e.orders {
		if !o.end {
			e.waiters[o.run.Part] = append(e.waiters[o.run.Part], o.run)
		}
	}
	e.orders = nil
}

func (e *end) choke(on bool) {
	e.choking = on
	e.tell(note{kind: noteChoke, on: on})
	if !on {
		return
	}
	ends := e.orders[:0]
	for _, o := range e.orders {
		if o.end {
			ends = append(ends, o)
		}
	}
	e.orders, e.waiters, e.count = ends, map[uint32][]Run{}, 0
}

func (e *end) find(r Run) int {
	return slices.IndexFunc(e.asked, func(a asked) bool {
		return a.run.Part == r.Part && r.Begin >= a.run.Begin && r.Begin < a.run.Begin+a.run.Length
	})
}

// forget gives up runs that were asked for; what came of them is wasted.
func (e *end) forget(which func(asked) bool) {
	e.asked = slices.DeleteFunc(e.asked, func(a asked) bool {
		if !which(a) {
			return false
		}
		e.me.wasted += int64(a.got)
		return true
	})
}

// takeContent takes in a stretch of a run; what was cancelled meanwhile is thrown away.
func (e *end) takeContent(q *quantum) {
	s := e.me.sim
	i := e.find(q.run)
	if i < 0 {
		e.me.wasted += int64(q.bytes)
		return
	}
	a := &e.asked[i]
	if a.got == 0 {
		e.report(Started{e.peer, a.run})
	}
	a.got += uint32(q.bytes)
	a.bad = a.bad || q.bad
	e.me.bad[a.run.Part] = a.bad
	e.me.came(a.run, a.got)
	e.moved += int64(q.bytes)
	whole := a.got == a.run.Length
	if whole || s.now-e.reported >= reportEvery {
		e.reported = s.now
		e.report(Progress{Peer: e.peer, Down: e.moved, Run: a.run, Got: a.got})
		e.moved = 0
	}
	if !whole {
		return
	}
	run, bad := a.run, a.bad
	e.asked = slices.Delete(e.asked, i, i+1)
	e.report(Received{e.peer, run})
	e.me.keep(e.peer, run, bad)
}
