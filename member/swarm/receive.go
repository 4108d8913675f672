package swarm

import (
	"time"

	"orchestra/proto"
)

// What becomes of runs that were asked for: they begin, come in, are written and verified, or turn out bad.

func (s *Swarm) started(ev Started) {
	if p := s.peer(ev.Peer); p != nil {
		p.heard = s.now
		if i := p.find(ev.Run); i >= 0 && p.fetches[i].started == 0 {
			f := p.fetches[i]
			f.started, f.hearsay = max(s.now, 1), !p.hasPart(ev.Run.Part)
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

// A foreign client is kept asked for as many blocks as it sends in a second, and a few more so that the number can grow.
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
		r.here, r.from = true, p.id
		f.work.hearsay = f.work.hearsay || f.hearsay
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

func (s *Swarm) written(ev Written) {
	w := s.works[ev.Run.Part]
	if w == nil {
		return
	}
	if w.unwritten--; w.unwritten == 0 {
		s.emit(Verify{w.part})
	}
}

func (s *Swarm) stored(part uint32) {
	if w := s.works[part]; w != nil {
		s.end(w)
	}
	delete(s.solo, part)
	s.gain(part)
}

// failed throws a part away that did not verify. A peer that sent all of it is not spoken to again; where there were several,
// the part comes from one peer the next time, so that a liar is known then.
func (s *Swarm) failed(part uint32) {
	w := s.works[part]
	if w == nil {
		return
	}
	s.end(w)
	s.stats.Failed += s.partLen(part)
	s.breakOff(part)
	switch id, one := w.sender(); {
	case one && w.hearsay:
		s.mislead(id)
	case one:
		if !s.banned[id] {
			s.emit(Complain{id, part})
		}
		s.ban(id)
	default:
		s.solo[part] = true
	}
	s.rare.add(part)
	s.fillOthers(nil)
}

// sender tells who sent the part, if it was one peer.
func (w *work) sender() (id proto.PeerID, one bool) {
	for _, r := range w.runs[1:] {
		if r.from != w.runs[0].from {
			return id, false
		}
	}
	return w.runs[0].from, true
}
