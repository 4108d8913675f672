package swarm

import (
	"slices"
	"time"
)

// takeOver finds a run for a peer that would have nothing to send otherwise: one that another peer
// was asked for and has not begun, the longest menu first. What has begun is left to end where it
// is, unless it has stalled.
//
// A member may have granted the run by now, so it is recalled first: it comes after all, or the
// member says that it will not, and then the idle peer is asked. A foreign client is not waited
// for.
func (rq *requests) takeOver(p *peer) (*work, int, bool) {
	if rq.doubtful(p) {
		return nil, 0, false // or those that send nothing would take it from each other for ever
	}
	if rq.s.trust.onProbation(p) {
		if p.tried != nil && rq.works[p.tried.part] == p.tried {
			return nil, 0, false
		}
		if rq.s.trust.othersProven(p) {
			return nil, 0, false
		}
	}
	var from *peer
	at, least := -1, len(p.fetches)+p.promised
	for _, q := range rq.s.links.list {
		if q == p {
			continue
		}
		n := len(q.fetches) - q.recalled
		if n <= least || (from != nil && n <= len(from.fetches)-from.recalled) {
			continue
		}
		i := rq.spare(q, p)
		if i < 0 || (n == least+1 && least > 0) {
			continue
		}
		if n == least+1 && rq.waitsUntil(q.fetches[i].asked+rq.s.plan.patience()) {
			continue
		}
		from, at = q, i
	}
	switch {
	case from == nil:
		return rq.double(p)
	case from.foreign():
		f := from.fetches[at]
		rq.s.emit(Cancel{from.index, rq.s.runOf(f.work, f.n)})
		rq.take(from, at)
		rq.robbed = append(rq.robbed, from)
		return f.work, f.n, true
	}
	rq.recallFor(p, from, from.fetches[at])
	return nil, 0, false
}

// recallFor takes a run back from one peer to ask another.
func (rq *requests) recallFor(p, from *peer, f *fetch) {
	f.taker = p
	p.promised++
	rq.recallRun(from, f)
}

// recallRun asks a peer to reject a run that it has not begun.
func (rq *requests) recallRun(from *peer, f *fetch) {
	f.recalled, f.recalledAt = true, rq.s.now
	if from.recalled++; from.recalled == 1 {
		from.due = rq.s.now + rq.answers(from)
		rq.care.of(from)
	}
	rq.s.emit(Recall{from.index, rq.s.runOf(f.work, f.n)})
}

// settleRecall ends the waiting for what becomes of a recall, if there was one.
func (rq *requests) settleRecall(p *peer, f *fetch) {
	if f.taker != nil {
		f.taker.promised--
	}
	if f.recalled {
		p.recalled--
		p.due = rq.s.now + rq.answers(p) // it does answer, or is not asked any more
	}
	f.taker, f.recalled = nil, false
}

// mayHave reports whether a run that is taken from one peer may be asked of another.
func (rq *requests) mayHave(taker *peer, f *fetch) bool {
	return taker != nil && !taker.gone && !taker.choked && rq.s.plan.mayAsk(taker) &&
		!rq.s.trust.onProbation(taker) &&
		f.work.runs[f.n].asked == 1 && taker.find(rq.s.runOf(f.work, f.n)) < 0
}

// handOver asks the peer for a run for which it was recalled.
func (rq *requests) handOver(from *peer, at int) {
	f := from.fetches[at]
	taker := f.taker
	rq.take(from, at)
	rq.ask(taker, f.work, f.n)
}

// retry fills the peers that are asked for nothing, when a run has waited at another one for long
// enough.
func (rq *requests) retry() {
	if rq.s.now < rq.retryAt {
		return
	}
	rq.retryAt = never
	for _, p := range rq.s.links.list {
		if len(p.fetches)+p.promised == 0 {
			rq.fill(p)
		}
	}
}

// take takes a fetch off a menu whose run is asked of another peer in the same breath, so that its
// part is not given back.
func (rq *requests) take(p *peer, at int) {
	f := p.fetches[at]
	f.work.runs[f.n].asked++
	rq.unask(p, at)
	f.work.runs[f.n].asked--
	f.work.idle++
}

// spare finds the last run on q's menu that has not begun and that p has. One that others are asked
// for too is theirs to end.
func (rq *requests) spare(q, p *peer) int {
	for i := len(q.fetches) - 1; i >= 0; i-- {
		f := q.fetches[i]
		if f.started != 0 || f.recalled || !rq.mayShare(p, f) {
			continue
		}
		if q.foreign() && rq.comesSoon(q, i, p) {
			return -1 // and what is before it sooner
		}
		if !rq.waitsUntil(rq.s.plan.relaysUntil(q, f)) {
			return i
		}
	}
	return -1
}

// comesSoon reports whether the i-th run that a foreign client is asked for is on its way here, and
// another peer would not send it sooner. A client sends what it is asked for whether that is
// cancelled or not, since it is in the buffers of its system by then; what is beyond the window it
// is not asked for yet.
func (rq *requests) comesSoon(q *peer, i int, p *peer) bool {
	f := q.fetches[i]
	if !f.out && !rq.within(q, i) {
		return false
	}
	length := float64(rq.s.runOf(f.work, f.n).Length)
	patience := stalled
	if p.pace > 0 {
		patience = min(stalled, soonest+2*(min(p.roundTrip, soonest)+timeFor(length, p.pace)))
	}
	rate := q.down.bytesPerSecond(rq.s.now)
	if !q.sent || rate == 0 {
		return rq.waitsUntil(max(f.asked, q.waits) + patience)
	}
	if len(rq.s.rare.order) == 0 && timeFor(rq.ahead(q, i)+length, rate) > patience {
		return false // at the end somebody may as well send it in vain
	}
	rq.retryAt = min(rq.retryAt, rq.s.now+lookEvery)
	return true
}

// waitsUntil reports whether something is to wait until a time, and has it looked at again then.
func (rq *requests) waitsUntil(at time.Duration) bool {
	if rq.s.now >= at {
		return false
	}
	rq.retryAt = min(rq.retryAt, at)
	return true
}

// mayShare reports whether a peer may be asked for a run that another one is asked for. If its part
// is to come from one peer, that one has to let it lie first.
func (rq *requests) mayShare(p *peer, f *fetch) bool {
	part := f.work.part
	if rq.shared(f) || !p.hasPart(part) || p.find(rq.s.runOf(f.work, f.n)) >= 0 {
		return false
	}
	return !rq.s.trust.comesAlone(part) || !rq.waitsUntil(max(f.asked, f.moved)+stalled)
}

// shared reports whether somebody else is asked for a run as well, and does not let it lie.
func (rq *requests) shared(f *fetch) bool {
	if f.work.runs[f.n].asked == 1 {
		return false
	}
	return slices.ContainsFunc(rq.s.links.list, func(q *peer) bool {
		return !q.lame && slices.ContainsFunc(q.fetches, func(g *fetch) bool {
			return g != f && g.work == f.work && g.n == f.n
		})
	})
}

// double finds a run that a peer has begun and does not end, to be asked of one peer more: of two
// at a time, and of others when those let it lie.
func (rq *requests) double(p *peer) (*work, int, bool) {
	for _, q := range rq.s.links.list {
		if q == p || q.begun == 0 {
			continue
		}
		for _, f := range q.fetches {
			if f.started != 0 && rq.mayShare(p, f) && rq.sooner(p, f) {
				return f.work, f.n, true
			}
		}
	}
	return nil, 0, false
}

// askedOf finds the peer that is asked for a run.
func (rq *requests) askedOf(w *work, n int) (*peer, *fetch) {
	for _, q := range rq.s.links.list {
		if i := q.find(rq.s.runOf(w, n)); i >= 0 {
			return q, q.fetches[i]
		}
	}
	return nil, nil
}

// faster finds the fastest peer that has a part, if it is at least twice as fast as the one that is
// asked for it.
func (rq *requests) faster(part uint32, than *peer) *peer {
	var best *peer
	least := -1.0
	if than != nil {
		least = 2 * than.down.bytesPerSecond(rq.s.now)
	}
	for _, p := range rq.s.links.list {
		if p == than || p.origin || p.leaving || p.choked || p.off || !p.hasPart(part) ||
			len(p.fetches) >= 2*rq.s.plan.depth(p) {
			continue
		}
		if rate := p.down.bytesPerSecond(rq.s.now); rate > least {
			best, least = p, rate
		}
	}
	return best
}

// recallAll asks a peer to reject what it has not begun to send.
func (rq *requests) recallAll(p *peer) {
	for _, f := range p.fetches {
		if f.started == 0 && !f.recalled {
			rq.recallRun(p, f)
		}
	}
}
