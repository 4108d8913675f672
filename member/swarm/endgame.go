package swarm

import "time"

// patience is how long the only run on a menu may wait before a peer that is asked for nothing
// takes it. It keeps two idle peers from taking it from each other at every turn.
const patience = 100 * time.Millisecond

// takeOver finds a run for a peer that would have nothing to send otherwise: one that another peer
// was asked for and has not begun, the longest menu first. What has begun is left to end where it
// is, unless it has stalled.
//
// A member may have granted the run by now, so it is recalled first: it comes after all, or the
// member says that it will not, and then the idle peer is asked. A foreign client is not waited
// for.
func (s *Swarm) takeOver(p *peer) (*work, int, bool) {
	var from *peer
	at, least := -1, len(p.fetches)+p.promised
	for _, q := range s.peers {
		if q == nil || q == p {
			continue
		}
		n := len(q.fetches) - q.recalled
		if n <= least || (from != nil && n <= len(from.fetches)-from.recalled) {
			continue
		}
		i := s.spare(q, p)
		if i < 0 || (n == least+1 && least > 0) {
			continue
		}
		if at := q.fetches[i].asked + patience; n == least+1 && s.now < at && !s.chained() {
			s.retryAt = min(s.retryAt, at)
			continue
		}
		from, at = q, i
	}
	switch {
	case from == nil:
		return s.double(p)
	case from.foreign():
		f := from.fetches[at]
		s.emit(Cancel{from.index, s.runOf(f.work, f.n)})
		s.take(from, at)
		s.robbed = append(s.robbed, from)
		return f.work, f.n, true
	}
	s.recallFor(p, from, from.fetches[at])
	return nil, 0, false
}

// recallFor takes a run back from one peer to ask another.
func (s *Swarm) recallFor(p, from *peer, f *fetch) {
	f.taker = p
	p.promised++
	s.recallRun(from, f)
}

// recallRun asks a peer to reject a run that it has not begun.
func (s *Swarm) recallRun(from *peer, f *fetch) {
	f.recalled = true
	if from.recalled++; from.recalled == 1 {
		from.due = s.now + s.answers(from)
	}
	s.emit(Recall{from.index, s.runOf(f.work, f.n)})
}

// settleRecall ends the waiting for what becomes of a recall, if there was one.
func (s *Swarm) settleRecall(p *peer, f *fetch) {
	if f.taker != nil {
		f.taker.promised--
	}
	if f.recalled {
		p.recalled--
		p.due = s.now + s.answers(p) // it does answer, or is not asked any more
	}
	f.taker, f.recalled = nil, false
}

// mayHave reports whether a run that is taken from one peer may be asked of another.
func (s *Swarm) mayHave(taker *peer, f *fetch) bool {
	return taker != nil && s.peer(taker.index) == taker && !taker.choked && s.mayAsk(taker) &&
		f.work.runs[f.n].asked == 1 && taker.find(s.runOf(f.work, f.n)) < 0
}

// handOver asks the peer for a run for which it was recalled.
func (s *Swarm) handOver(from *peer, at int) {
	f := from.fetches[at]
	taker := f.taker
	s.take(from, at)
	s.ask(taker, f.work, f.n)
}

// retry fills the peers that are asked for nothing, when a run has waited at another one for long
// enough.
func (s *Swarm) retry() {
	if s.now < s.retryAt {
		return
	}
	s.retryAt = never
	for _, p := range s.peers {
		if p != nil && len(p.fetches)+p.promised == 0 {
			s.fill(p)
		}
	}
}

// take takes a fetch off a menu whose run is asked of another peer in the same breath, so that its
// part is not given back.
func (s *Swarm) take(p *peer, at int) {
	f := p.fetches[at]
	f.work.runs[f.n].asked++
	s.unask(p, at)
	f.work.runs[f.n].asked--
	f.work.idle++
}

// spare finds the last run on q's menu that has not begun and that p has. One that others are asked
// for too is theirs to end.
func (s *Swarm) spare(q, p *peer) int {
	for i := len(q.fetches) - 1; i >= 0; i-- {
		f := q.fetches[i]
		if f.started == 0 && !f.recalled && s.mayShare(p, f) && !s.relaySoon(q, f) {
			return i
		}
	}
	return -1
}

// mayShare reports whether a peer may be asked for a run that another one is asked for.
func (s *Swarm) mayShare(p *peer, f *fetch) bool {
	part := f.work.part
	return f.work.runs[f.n].asked == 1 && p.hasPart(part) && !s.comesAlone(part)
}

// double finds a run that a peer has begun and does not end, to be asked of one peer more.
func (s *Swarm) double(p *peer) (*work, int, bool) {
	for _, q := range s.peers {
		if q == nil || q == p || q.begun == 0 {
			continue
		}
		for _, f := range q.fetches {
			if f.started != 0 && s.mayShare(p, f) && s.sooner(p, f) {
				return f.work, f.n, true
			}
		}
	}
	return nil, 0, false
}
