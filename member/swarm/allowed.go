package swarm

import "slices"

// A client that does not serve this member may let it ask for a few parts all the same (BEP 6), so
// that it has something to give. They are asked for while nobody is asked for them, a run at a
// time, and what is refused is not asked for again.

// allowedMost is how many parts of one peer are remembered.
const allowedMost = 64

// mayAskFor takes in that a peer may be asked for a part while it does not serve this member.
func (rq *requests) mayAskFor(ev Allowed) {
	p := rq.s.links.peer(ev.Peer)
	if p == nil || int64(ev.Part) >= int64(rq.s.parts) || len(p.allowed) >= allowedMost ||
		slices.Contains(p.allowed, ev.Part) {
		return
	}
	p.allowed = append(p.allowed, ev.Part)
	rq.fill(p)
}

// fillAllowed asks a peer that does not serve this member for what it may be asked for.
func (rq *requests) fillAllowed(p *peer) {
	if len(p.allowed) == 0 || len(p.fetches) > 0 || p.useful == 0 || rq.s.finished ||
		rq.s.setbacks.full || !rq.s.plan.mayAsk(p) || rq.s.trust.onProbation(p) {
		return
	}
	for _, part := range p.allowed {
		if !p.hasPart(part) {
			continue
		}
		if w := rq.works[part]; w != nil {
			if n, ok := w.free(); ok && !rq.s.trust.comesAlone(part) {
				rq.ask(p, w, n)
				return
			}
		} else if rq.s.rare.isFree(part) {
			rq.ask(p, rq.begin(part), 0)
			return
		}
	}
}
