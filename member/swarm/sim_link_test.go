package swarm_test

import (
	"bytes"
	"io"
	"time"

	"orchestra/member/link"
	. "orchestra/member/swarm"
	"orchestra/proto"
)

// The simulated connections. What is said and heard over them is the business of the real links;
// here bytes are moved, as the goroutines of package member do: messages go before content, but
// never into a piece, and a grant is served when the last of it is in the socket.

// end is one end of a link.
type end struct {
	me    *player
	far   *end
	peer  int // the core's number of the far end
	open  bool
	state *link.Link
	flow

	web    *web    // of a member's end of a connection to a web server
	answer *answer // that comes, or goes out at the server

	// Outward: pieces that are to be written, and what is left of the first one.
	pieces []proto.Piece
	left   int
	begun  time.Duration // when the first was
	alarm  time.Duration // when announcements are due; 0: never
	next   time.Duration // when it sends again, if it trickles

	// Inward: the run that a piece is of; nil: of none.
	into *cargo
}

// cargo is a run on its way in.
type cargo struct {
	run Run
	got uint32
	bad bool // something of it is not the content

	gone bool // it was taken back: nothing more of it is written
}

// agreed are the terms of links between members.
func agreed(part int64) link.Terms {
	terms := link.NewTerms(true)
	terms.Take(link.Offered(), part)
	return terms
}

// clock is the time as this member's links have it.
func (p *player) clock() time.Duration { return p.sim.now - p.entered }

func (e *end) do(effect Effect) {
	if e.web != nil {
		e.web.do(effect)
		return
	}
	e.state.Do(e.me.clock(), effect, e.me.core)
	e.settle()
}

// settle does what follows from what was told to the link.
func (e *end) settle() {
	for _, a := range e.state.Dropped() {
		if c, ok := a.Into.(*cargo); ok {
			c.gone = true
		}
	}
	e.me.wasted += e.state.Wasted()
	if e.open && e.state.Err() != nil {
		e.close()
	}
	if at, ok := e.state.Due(); ok && at != e.alarm {
		e.alarm = at
		e.me.after(e.me.entered+at-e.me.sim.now, func() {
			if e.alarm == at {
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
	if e.me.serves || e.web != nil {
		e.writeAnswer()
		return
	}
	for e.open && !e.me.frozen && e.socket < e.me.waiting() {
		if len(e.pieces) > 0 {
			if !e.writeContent() {
				return
			}
		} else if !e.take() {
			return
		}
	}
}

// take takes what is to be written next, if there is something.
func (e *end) take() bool {
	errand := e.state.Next(e.me.clock(),
		link.Room{Most: proto.MaxPiece, Alone: !e.me.unchained, Upto: e.me.upto}, nil)
	if at, ok := e.state.Due(); !ok || at != e.alarm {
		e.alarm = 0
	}
	text := errand.Text()
	switch {
	case len(text) > 0:
		e.push(&quantum{bytes: len(text), text: text})
	case len(errand.Pieces) > 0:
		e.pieces = append(e.pieces[:0], errand.Pieces...)
		e.left, e.begun = e.pieces[0].Length, e.me.sim.now
	case errand.Told != nil:
		e.report(errand.Told)
	default:
		return false
	}
	return true
}

// writeContent writes some of a piece; false: it waits.
func (e *end) writeContent() bool {
	s, p := e.me.sim, e.pieces[0]
	if e.me.stuck {
		return false
	}
	n := min(e.left, s.wires.quantum)
	if e.me.ill == trickling {
		if n = min(n, trickle); s.now < e.next {
			return false
		}
		e.next = s.now + time.Second
		e.me.after(time.Second, e.rouse)
	}
	if e.me.drips(p.Part) {
		if n = min(n, proto.Block); s.now < e.next {
			return false
		}
		e.next = s.now + drip
		e.me.after(drip, e.rouse)
	}
	at := int64(p.Begin) + int64(p.Length-e.left)
	liesNow := !e.me.sly || e.me.drips(p.Part) && at >= e.me.core.PartLen(p.Part)/4
	bad := e.me.rogue && liesNow || e.me.rotten[p.Part] || !e.me.core.Has(p.Part) &&
		(e.me.lies || e.me.bad[p.Part])
	e.push(&quantum{bytes: n, piece: p, first: e.left == p.Length, last: e.left == n, bad: bad})
	e.me.sent += int64(n)
	e.report(e.state.Went(e.me.clock(), n))
	if e.left -= n; e.left > 0 {
		return true
	}
	if p.Length > proto.Block {
		e.state.Fit(s.now - e.begun)
	}
	if e.pieces = e.pieces[1:]; len(e.pieces) > 0 {
		e.left, e.begun = e.pieces[0].Length, s.now
	}
	return true
}

// drips reports whether a member sends a part a block at a time.
func (p *player) drips(part uint32) bool { return p.sly && part%8 != 0 }

// report tells the core of something soon.
func (e *end) report(ev link.Event) {
	switch ev := ev.(type) {
	case nil:
	case link.Accused:
		e.me.hears(ev.Part)
	case Event:
		e.me.after(e.me.sim.wires.cpu, func() {
			if e.open {
				e.me.step(ev)
			}
		})
	}
}

func (e *end) reportAll(events []link.Event) {
	for _, ev := range events {
		e.report(ev)
	}
}

// arrives takes in what came over the connection.
func (e *end) arrives(q *quantum) {
	switch {
	case !e.open:
	case q.answer != nil:
		e.takesAnswer(q)
	case q.text != nil:
		e.takeText(q.text)
	default:
		e.takeContent(q)
	}
}

// takeText takes messages in.
func (e *end) takeText(text []byte) {
	in := proto.NewReader(bytes.NewReader(text), proto.MaxFrame(e.me.core.Parts()), 0)
	for {
		msg, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			e.me.sim.t.Fatalf("member %d says what is no message: %v", e.far.me.n, err)
		}
		e.hear(msg)
	}
	e.reportAll(e.state.Flush())
	e.settle()
	e.rouse()
}

// hear takes a message in, as far as the member is well.
func (e *end) hear(msg proto.Message) {
	switch msg := msg.(type) {
	case proto.Request:
		if e.me.ill == rejecting {
			e.state.Say(proto.Reject(msg))
			return
		}
	case proto.Cancel:
		if e.me.ill == mute {
			return
		}
	}
	events, err := e.state.Hear(e.me.clock(), msg)
	if err != nil {
		e.me.sim.t.Errorf("member %d says what it may not: %v", e.far.me.n, err)
	}
	e.reportAll(events)
}

// takeContent takes some of a piece in.
func (e *end) takeContent(q *quantum) {
	if q.first {
		e.hear(q.piece)
		e.into = nil
		if a, _ := e.state.Coming(); a != nil {
			if a.Into == nil {
				a.Into = &cargo{run: a.Run}
			}
			e.into = a.Into.(*cargo)
		}
		e.settle()
	}
	c := e.into
	if c == nil {
		return
	}
	if !c.gone {
		e.me.spoilt.writes(c.run, c.got, q)
	}
	c.got += uint32(q.bytes)
	c.bad = c.bad || q.bad
	e.me.sim.watch.came(e.me, q)
	e.me.bad[c.run.Part] = c.bad
	e.me.came(c.run, c.got)
	e.reportAll(e.state.Took(e.me.clock(), q.bytes))
	if !q.last {
		return
	}
	fate, events := e.state.Arrived(e.me.clock())
	e.into = nil
	e.reportAll(events)
	e.settle()
	e.rouse()
	if fate == link.Whole {
		e.me.keep(e.peer, c.run)
	}
}

// close ends a link at this end now, at the far end soon.
func (e *end) close() {
	if !e.open {
		return
	}
	if e.web != nil {
		e.web.ends()
		return
	}
	e.shutdown()
	e.me.after(0, e.gone)
	e.farewell(retransmitFirst)
}

// shutdown ends all that this end does.
func (e *end) shutdown() {
	e.open = false
	e.state.End()
	e.me.wasted += e.state.Wasted()
}

func (e *end) gone() {
	e.me.ends[e.peer] = nil
	e.me.step(Left{Peer: e.peer})
}
