package swarm

import (
	"slices"
	"time"
)

// What becomes of runs that were asked for: they begin, come in, are written and verified, or turn
// out bad.

func (rq *requests) started(ev Started) {
	if p := rq.s.links.peer(ev.Peer); p != nil {
		p.live(rq.s.now)
		if i := p.find(ev.Run); i >= 0 && p.fetches[i].started == 0 {
			f := p.fetches[i]
			f.started, f.hearsay = max(rq.s.now, 1), !p.hasPart(ev.Run.Part)
			if r := &f.work.runs[f.n]; !r.here {
				if r.asked == 1 { // what came before is written over
					r.mixed, r.mixers = false, nil
				}
				r.comesFrom(p.sender())
			}
			f.moved = rq.s.now
			p.waits, p.waited = rq.s.now, 0
			if f.recalled {
				rq.answered(f)
			}
			rq.settleRecall(p, f)
			rq.begins(p, 1)
			rq.s.plan.came(p, 0)
			rq.s.grants.flowsOn(ev.Run.Part)
			rq.s.plan.begins(p, f)
			if rq.s.reader.on {
				rq.fill(p) // it may have owed this run
			}
		}
	}
}

// begins counts the runs that a peer has begun to send, and the peers that are sending.
func (rq *requests) begins(p *peer, n int) {
	before := p.begun
	p.begun += n
	switch {
	case before == 0:
		rq.s.lines.flowsMore(1)
		p.look = rq.s.now + lookEvery
		rq.care.of(p)
		rq.sends(p)
	case p.begun == 0:
		rq.limps(p, false)
		rq.s.lines.flowsMore(-1)
	default:
		return
	}
	rq.s.lines.tellShare()
}

func (rq *requests) progress(ev Progress) {
	p := rq.s.links.peer(ev.Peer)
	if p == nil {
		return
	}
	p.live(rq.s.now)
	rq.s.origins.came(p, ev.Down)
	rq.s.plan.came(p, ev.Down)
	rq.moves(p, ev)
	p.down.add(rq.s.now, ev.Down)
	rq.s.lines.cameDown(ev.Down)
	if p.foreign() {
		rq.widen(p)
	}
}

// A foreign client is kept asked for as many blocks as it sends in a second, and a few more so that
// the number can grow. It shrinks again, though not at every dip: what is asked for cannot be taken
// back (see comesSoon).
const (
	// WindowFirst is how many blocks a client is asked for until something came, and at least.
	WindowFirst = 16

	windowSpan = time.Second
	windowMore = 8
	windowDip  = 3 // in four: to what share it falls until it is made smaller
)

func (rq *requests) widen(p *peer) {
	n := int(p.down.bytesPerSecond(rq.s.now)*windowSpan.Seconds())>>14 + windowMore
	n = min(max(n, WindowFirst), p.maxQueue)
	switch {
	case n > p.blocks:
		p.blocks = n
		rq.s.emit(Window{p.index, n})
		rq.fill(p)
	case n < p.blocks*windowDip/4:
		for i, f := range p.fetches {
			f.out = f.out || rq.within(p, i)
		}
		p.blocks = n
		rq.s.emit(Window{p.index, n})
	}
}

// within reports whether some of the i-th run that a foreign client is asked for is in its window,
// and so on its way.
func (rq *requests) within(p *peer, i int) bool {
	return rq.ahead(p, i) < float64(max(p.blocks, WindowFirst)<<14)
}

// ahead is how many bytes a peer sends before the i-th run that it is asked for.
func (rq *requests) ahead(p *peer, i int) (bytes float64) {
	for _, f := range p.fetches[:i] {
		bytes += float64(rq.s.runOf(f.work, f.n).Length - f.got)
	}
	return bytes
}

// received takes a run in: whoever else was asked for it is told that it is no longer wanted.
func (rq *requests) received(ev Received) {
	p := rq.s.links.peer(ev.Peer)
	if p == nil {
		return
	}
	i := p.find(ev.Run)
	if i < 0 {
		rq.s.stats.Duplicate += int64(ev.Run.Length)
		return
	}
	f := p.fetches[i]
	r := &f.work.runs[f.n]
	if r.here {
		rq.s.stats.Duplicate += int64(ev.Run.Length)
	} else {
		rq.s.stats.Downloaded += int64(ev.Run.Length)
		r.comesFrom(p.sender())
		if r.asked > 1 { // who else is asked may have written over it: that is not known yet
			rq.mixes(f, p)
		}
		r.here, r.by, r.hearsay = true, p.index, f.hearsay
		r.trial = rq.s.trust.unproven(p)
		f.work.left--
		rq.keepsPace(p, f)
		rq.sends(p)
	}
	rq.unask(p, i)
	if r.asked > 0 {
		rq.cancel(f.work, f.n)
	}
	rq.fill(p)
}

// recall cancels a run wherever it is asked for.
func (rq *requests) cancel(w *work, n int) {
	for _, q := range rq.s.links.list {
		if i := q.find(rq.s.runOf(w, n)); i >= 0 {
			rq.s.emit(Cancel{q.index, rq.s.runOf(w, n)})
			rq.unask(q, i)
			rq.fill(q)
		}
	}
}

// written takes in that a run is on disk. One that two peers sent is written twice, and counts
// once.
func (rq *requests) written(ev Written) {
	w := rq.works[ev.Run.Part]
	if w == nil {
		return
	}
	r := &w.runs[ev.Run.Begin/RunSize]
	if !r.here || r.written || r.by != ev.Peer {
		return
	}
	r.written = true
	if w.unwritten--; w.unwritten == 0 && !rq.s.trust.sifts(w) {
		rq.s.emit(Verify{w.part})
	}
}

func (rq *requests) stored(part uint32) {
	w := rq.works[part]
	if w != nil {
		rq.s.trust.credit(w)
		rq.end(w)
		for n := range w.runs { // it may be here before all of it came anew
			rq.cancel(w, n)
		}
	}
	rq.s.gain(part)
	rq.s.plan.stored()
	if w != nil {
		rq.proved(w)
	}
}

// sender tells who sent the part, if it was one peer.
func (w *work) sender() (from sender, one bool) {
	for _, r := range w.runs {
		if r.mixed || !r.from.same(w.runs[0].from) {
			return from, false
		}
	}
	return w.runs[0].from, true
}

// hearsay reports whether some of the part came from who had not verified it.
func (w *work) hearsay() bool {
	return slices.ContainsFunc(w.runs, func(r run) bool { return r.hearsay })
}

// comesFrom notes who sends a run. If another one was sending it at the same time, what is on disk
// may be of both.
func (r *run) comesFrom(from sender) {
	if r.asked > 1 && r.from != (sender{}) && !r.from.same(from) {
		r.mixed = true
		r.mixesIn(r.from)
	}
	if r.from = from; r.mixed {
		r.mixesIn(from)
	}
}

// mixesIn notes who may have sent some of a run that two peers sent.
func (r *run) mixesIn(from sender) {
	if !slices.ContainsFunc(r.mixers, from.same) {
		r.mixers = append(r.mixers, from)
	}
}

// mixes notes that others than a peer are asked for a run that it has sent, and have begun it as
// far as is known.
func (rq *requests) mixes(f *fetch, by *peer) {
	r := &f.work.runs[f.n]
	r.mixed = true
	r.mixesIn(by.sender())
	for _, q := range rq.s.links.list {
		if q == by {
			continue
		}
		if i := q.find(rq.s.runOf(f.work, f.n)); i >= 0 && q.fetches[i].started != 0 {
			r.mixesIn(q.sender())
		}
	}
}
