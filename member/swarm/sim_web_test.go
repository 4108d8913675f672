package swarm_test

import (
	"slices"
	"time"

	. "orchestra/member/swarm"
	"orchestra/proto"
)

// The simulated web servers. As in package member, each member asks a server for stretches of the
// content over two connections, each for runs that follow each other, and takes them one after the
// other as they come.

const (
	webWorkers = 2
	webStretch = 1 << 20
)

// web is what a member has of a web server.
type web struct {
	me      *player
	peer    int    // the core's number of it
	queue   []Run  // asked for, and not begun
	workers []*end // the member's ends of the connections
}

// answer is what a server was asked for over one connection, and sends.
type answer struct {
	runs []Run // from the one on that comes
	cut  bool  // the member ended the connection

	sent  uint32        // bytes of the first that is not in the socket
	left  []Run         // that is not in the socket in full
	stops time.Duration // how long it stands still when a little of it is sent

	begun bool // something of the first run came
	got   uint32
	told  time.Duration // when the core was told last
	down  int64         // bytes since then
}

// findsServer has a member know a web server.
func (p *player) findsServer(o *player) {
	w := &web{me: p}
	for range webWorkers {
		a, b := &end{me: p, open: true, flow: newFlow()}, &end{me: o, open: true, flow: newFlow()}
		a.far, b.far = b, a
		a.web = w
		w.workers = append(w.workers, a)
	}
	p.seat(w.workers[0])
	w.peer = w.workers[0].peer
	p.step(Joined{
		Peer: w.peer, ID: o.id, Addr: o.addr(), MaxRun: RunSize, RoundTrip: w.workers[0].rtt(),
		Origin: true,
	})
}

// do does what the core asks for.
func (w *web) do(effect Effect) {
	switch e := effect.(type) {
	case Fetch:
		w.queue = append(w.queue, e.Run)
	case Cancel:
		w.takesBack(e.Run, true)
	case Recall:
		if !w.takesBack(e.Run, false) {
			return
		}
		w.tells(Rejected{Peer: w.peer, Run: e.Run})
	}
	w.me.after(0, w.asks)
}

func (w *web) tells(ev Event) {
	w.me.after(w.me.sim.wires.cpu, func() {
		if w.workers[0].open {
			w.me.step(ev)
		}
	})
}

// asks lets those that have nothing to do ask for what comes next.
func (w *web) asks() {
	for _, e := range w.workers {
		if e.answer != nil || len(w.queue) == 0 || !e.open {
			continue
		}
		n, length := 1, int64(w.queue[0].Length)
		for ; n < len(w.queue) && w.me.offset(w.queue[n-1])+int64(w.queue[n-1].Length) ==
			w.me.offset(w.queue[n]) && length+int64(w.queue[n].Length) <= webStretch; n++ {
			length += int64(w.queue[n].Length)
		}
		a := &answer{runs: slices.Clone(w.queue[:n]), left: slices.Clone(w.queue[:n])}
		w.queue = slices.Delete(w.queue, 0, n)
		e.answer = a
		server := e.far
		w.me.after(e.rtt()/2+w.me.sim.wires.cpu, func() {
			if !a.cut {
				server.answer = a
				a.stops = server.me.stands()
				server.rouse()
			}
		})
	}
}

func (p *player) offset(r Run) int64 { return int64(r.Part)*p.sim.part + int64(r.Begin) }

// stands is how long the next answer of a server stands still.
func (p *player) stands() time.Duration {
	if len(p.standstills) == 0 {
		return 0
	}
	d := p.standstills[0]
	p.standstills = p.standstills[1:]
	return d
}

// takesBack gives a run up, even one that has begun or only one that has not. What comes after it
// in its answer is asked for again.
func (w *web) takesBack(run Run, even bool) bool {
	if i := slices.Index(w.queue, run); i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
		return true
	}
	for _, e := range w.workers {
		a := e.answer
		if a == nil {
			continue
		}
		i := slices.Index(a.runs, run)
		if i < 0 || i == 0 && a.begun && !even {
			continue
		}
		a.cut = true
		w.me.wasted += int64(a.got)
		w.queue = slices.Concat(slices.Delete(a.runs, i, i+1), w.queue)
		e.answer, e.far.answer = nil, nil
		for _, q := range e.far.unsent {
			e.far.socket -= q.bytes
			e.far.me.sent -= int64(q.bytes)
		}
		e.far.unsent = nil
		return true
	}
	return false
}

// ends ends the connections to a server.
func (w *web) ends() {
	for _, e := range w.workers {
		e.open, e.far.open = false, false
		e.answer, e.far.answer = nil, nil
	}
	w.me.after(0, w.workers[0].gone)
}

// writeAnswer fills the socket of a server.
func (e *end) writeAnswer() {
	for a := e.answer; a != nil && e.web == nil && len(a.left) > 0 && e.socket < e.me.waiting(); {
		r := a.left[0]
		n := min(int(r.Length-a.sent), e.me.sim.wires.quantum)
		if a.sent >= proto.Block && a.stops > 0 {
			stops := a.stops
			a.stops = -1
			e.me.after(stops, func() {
				a.stops = 0
				e.rouse()
			})
		}
		if a.stops < 0 {
			return
		}
		e.push(&quantum{
			bytes: n, answer: a,
			piece: proto.Piece{Part: r.Part, Begin: r.Begin + a.sent, Length: n},
		})
		e.me.sent += int64(n)
		if a.sent += uint32(n); a.sent == r.Length {
			a.left, a.sent = a.left[1:], 0
		}
	}
}

// takesAnswer takes some of an answer in.
func (e *end) takesAnswer(q *quantum) {
	a, w, me := q.answer, e.web, e.me
	if a.cut {
		me.wasted += int64(q.bytes)
		return
	}
	r := a.runs[0]
	if !a.begun {
		a.begun, a.told = true, me.sim.now
		w.tells(Started{Peer: w.peer, Run: r})
	}
	me.spoilt.writes(r, a.got, q)
	me.sim.watch.came(me, q)
	a.got += uint32(q.bytes)
	a.down += int64(q.bytes)
	me.came(r, a.got)
	whole := a.got == r.Length
	if whole || me.sim.now-a.told >= ReportEvery {
		w.tells(Progress{Peer: w.peer, Down: a.down, Run: r, Got: a.got})
		a.told, a.down = me.sim.now, 0
	}
	if !whole {
		return
	}
	w.tells(Received{Peer: w.peer, Run: r})
	me.keep(w.peer, r)
	a.begun, a.got = false, 0
	if a.runs = a.runs[1:]; len(a.runs) == 0 {
		e.answer = nil
		w.asks()
	}
}
