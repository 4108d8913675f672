package swarm

// What an origin is asked for.

// fillOrigin asks an origin for more until its menu is full.
func (rq *requests) fillOrigin(p *peer) {
	if !p.on || p.choked || p.useful == 0 || rq.s.finished ||
		rq.s.setbacks.full || !rq.s.plan.mayAsk(p) {
		return
	}
	depth := rq.s.plan.depth(p)
	for len(p.fetches) < depth {
		w, n, ok := rq.chooseOrigin(p)
		if !ok {
			return
		}
		rq.ask(p, w, n)
	}
}

// chooseOrigin finds the run that an origin is asked for next: the rest of a part that it sends, or
// that others left, then the next part, and what another one stopped in the middle of.
func (rq *requests) chooseOrigin(p *peer) (*work, int, bool) {
	o := &rq.s.origins
	if n := len(p.fetches); n > 0 {
		last := p.fetches[n-1].work
		if n, ok := last.free(); ok {
			return last, n, true
		}
	}
	for _, w := range rq.open {
		if w.idle > 0 && p.hasPart(w.part) && (o.alone(w.part) || p.starved > 0) {
			if n, ok := w.free(); ok {
				return w, n, true
			}
		}
	}
	if part, ok := o.nextPart(p); ok {
		return rq.begin(part), 0, true
	}
	if len(p.fetches) > 0 {
		return nil, 0, false
	}
	for _, q := range rq.s.links.list {
		if q == p || !q.lame {
			continue
		}
		for _, f := range q.fetches {
			if f.started != 0 && rq.mayShare(p, f) {
				return f.work, f.n, true
			}
		}
	}
	return nil, 0, false
}

// nextPart finds the next part: in order for a chain, which is to have all of it. In a mesh others
// ask as well, each from a place of its own on, so that parts which follow each other come in one
// answer. Who meets another one goes on somewhere else.
func (o *origins) nextPart(p *peer) (uint32, bool) {
	if len(o.s.rare.order) == 0 || p.starved == 0 && o.s.links.seeds > 0 {
		return 0, false
	}
	switch {
	case o.s.reader.on:
		return o.ahead(p, o.s.reader.at)
	case p.starved > 0 || o.s.links.up == 0 || o.s.plan.chained():
		return o.ahead(p, 0)
	}
	if next := uint32(p.at); p.at < o.s.parts && o.s.rare.isFree(next) && o.may(p, next) {
		p.at++
		return next, true
	}
	return o.anywhere(p)
}

// ahead finds the first part from one on, and then from the beginning.
func (o *origins) ahead(p *peer, from int) (uint32, bool) {
	all := p.starved > 0 || p == o.s.plan.chain.up
	for _, stretch := range [][2]int{{from, o.s.parts}, {0, min(from, o.s.parts)}} {
		part, ok := o.s.rare.first(p, stretch[0], stretch[1])
		for looks := 0; ok && !all && !o.alone(part) && looks < lookOver; looks++ {
			part, ok = o.s.rare.first(p, int(part)+1, stretch[1])
		}
		if ok && (all || o.alone(part)) {
			return part, true
		}
	}
	return 0, false
}

// anywhere finds a part that nobody connected has, and goes on from there the next time.
func (o *origins) anywhere(p *peer) (uint32, bool) {
	alone := o.s.rare.order[:o.s.rare.ends[0]]
	if len(alone) == 0 {
		return 0, false
	}
	from := o.s.rng.IntN(len(alone))
	for i := range min(len(alone), probes) {
		if part := alone[(from+i)%len(alone)]; o.may(p, part) {
			p.at = int(part) + 1
			return part, true
		}
	}
	return 0, false
}

// may reports whether an origin may be asked for a part.
func (o *origins) may(p *peer, part uint32) bool { return o.alone(part) && p.hasPart(part) }
