package swarm

import (
	"slices"
	"time"
)

// What becomes of runs that were asked for: they begin, come in, are written and verified, or turn
// out bad.

func (s *Swarm) started(ev Started) {
	if p := s.peer(ev.Peer); p != nil {
		p.heard = s.now
		if i := p.find(ev.Run); i >= 0 && p.fetches[i].started == 0 {
			f := p.fetches[i]
			f.started, f.hearsay = max(s.now, 1), !p.hasPart(ev.Run.Part)
			if r := &f.work.runs[f.n]; !r.here {
				r.mixed = r.mixed && r.asked > 1 // what came before is written over
				r.comesFrom(s.senderOf(p))
			}
			f.moved = s.now
			s.settleRecall(p, f)
			s.begins(p, 1)
			s.sends(p, 0)
			s.flowsOn(ev.Run.Part)
			if s.seq != nil {
				s.fill(p) // it may have owed this run
			}
		}
	}
}

// begins counts the runs that a peer has begun to send, and the peers that are sending.
func (s *Swarm) begins(p *peer, n int) {
	before := p.begun
	p.begun += n
	switch {
	case before == 0:
		s.flows++
		p.look = s.now + lookEvery
	case p.begun == 0:
		s.limps(p, false)
		s.flows--
	default:
		return
	}
	s.tellShare()
}

func (s *Swarm) progress(ev Progress) {
	p := s.peer(ev.Peer)
	if p == nil {
		return
	}
	p.heard = s.now
	s.sends(p, ev.Down)
	s.moves(p, ev)
	p.down.add(s.now, ev.Down)
	s.lineDown.add(s.now, ev.Down)
	s.tellShare()
	if p.foreign() {
		s.widen(p)
	}
}

// A foreign client is kept asked for as many blocks as it sends in a second, and a few more so that
// the number can grow.
const (
	windowSpan  = time.Second
	windowLeast = 32
)

func (s *Swarm) widen(p *peer) {
	n := int(p.down.bytesPerSecond(s.now)*windowSpan.Seconds())>>14 + windowLeast
	n = min(n, p.maxQueue)
	if n > p.blocks {
		p.blocks = n
		s.emit(Window{p.index, n})
		s.fill(p)
	}
}

// received takes a run in: whoever else was asked for it is told that it is no longer wanted.
func (s *Swarm) received(ev Received) {
	p := s.peer(ev.Peer)
	if p == nil {
		return
	}
	i := p.find(ev.Run)
	if i < 0 {
		s.stats.Duplicate += int64(ev.Run.Length)
		return
	}
	f := p.fetches[i]
	r := &f.work.runs[f.n]
	if r.here {
		s.stats.Duplicate += int64(ev.Run.Length)
	} else {
		s.stats.Downloaded += int64(ev.Run.Length)
		r.comesFrom(s.senderOf(p))
		r.here, r.by, r.hearsay = true, p.index, f.hearsay
		f.work.left--
		s.keepsPace(p, f)
	}
	s.unask(p, i)
	if r.asked > 0 {
		s.recall(f.work, f.n)
	}
	s.fill(p)
}

// recall cancels a run wherever it is asked for.
func (s *Swarm) recall(w *work, n int) {
	for _, q := range s.peers {
		if q == nil {
			continue
		}
		if i := q.find(s.runOf(w, n)); i >= 0 {
			s.emit(Cancel{q.index, s.runOf(w, n)})
			s.unask(q, i)
			s.fill(q)
		}
	}
}

// written takes in that a run is on disk. One that two peers sent is written twice, and counts
// once.
func (s *Swarm) written(ev Written) {
	w := s.works[ev.Run.Part]
	if w == nil {
		return
	}
	r := &w.runs[ev.Run.Begin/RunSize]
	if !r.here || r.written || r.by != ev.Peer {
		return
	}
	r.written = true
	if w.unwritten--; w.unwritten == 0 {
		s.emit(Verify{w.part})
	}
}

func (s *Swarm) stored(part uint32) {
	if w := s.works[part]; w != nil {
		s.credit(w)
		s.end(w)
		for n := range w.runs { // it may be here before all of it came anew
			s.recall(w, n)
		}
	}
	s.gain(part)
}

// credit counts good content for who sent it.
func (s *Swarm) credit(w *work) {
	for n, r := range w.runs {
		if p := s.peer(r.by); r.here && p != nil && p.id == r.from.id {
			p.good += int64(s.runOf(w, n).Length)
		}
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
	r.mixed = r.mixed || r.asked > 1 && r.from != sender{} && !r.from.same(from)
	r.from = from
}
