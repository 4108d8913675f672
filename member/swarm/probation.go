package swarm

import (
	"net/netip"
	"slices"
	"time"
)

// What bad data costs is bounded by what its senders have done for this member, in bytes. Who has
// sent nothing good is on probation once something came bad of late: it is asked for one part at a
// time, and for that alone. So is who sent more that is bad than good. Who is deep in debt is asked
// for nothing for a while, much longer each time. All this is so only where somebody else can be
// asked instead.
//
// That holds for a peer id at a host, and for the host. A peer that has sent something good itself
// does not pay for others at its address, and what these send that is good counts for the address.
const (
	// Sixteen good bytes make up for a bad one. What is not made up for is debt, of which a
	// graceShare of the content is let pass, but no more than graceMost: some parts of a disk may
	// be bad.
	goodShare  = 16
	graceShare = 256
	graceMost  = 1 << 20

	// Who is deep in debt is asked again after probeFirst, then after probeTimes as long each time.
	probeFirst = 30 * time.Second
	probeTimes = 4
	probeMost  = 10 * time.Minute

	// probeFor is how long a part that is asked of a peer on probation comes from it alone.
	probeFor = 10 * time.Second
)

// debt is what is not made up for.
func (r *record) debt() int64 { return r.bytes + r.vain - r.good/goodShare }

// walksOut takes in that a peer leaves. What it sent of the part that it is tried on is of no use:
// so it counts as if it was bad, but not as a bad part, and against its address alone.
func (t *trust) walksOut(p *peer) {
	if !t.onProbation(p) {
		return
	}
	bytes := int64(0)
	for _, f := range p.fetches {
		bytes += int64(f.got)
	}
	if w := p.tried; w != nil && t.s.requests.works[w.part] == w && w.left > 0 {
		for n, r := range w.runs {
			if r.here && r.by == p.index {
				bytes += int64(t.s.runOf(w, n).Length)
			}
		}
	}
	if bytes == 0 {
		return
	}
	c := sender{p.id, p.addr}.culprit().whole()
	r := t.record(t.s.now, c)
	r.heard, r.vain = t.s.now, r.vain+bytes
	t.charge(c)
}

// charge puts off asking a culprit that is deep in debt.
func (t *trust) charge(c culprit) {
	r := t.records[c]
	if r == nil || r.debt() < min(t.s.size/graceShare, graceMost) || !t.othersThan(c.host) {
		return
	}
	wait := probeFirst
	for range r.probes {
		wait = min(wait*probeTimes, probeMost)
	}
	r.probes++
	r.askAt = t.s.now + wait
	t.at = min(t.at, r.askAt)
}

// othersThan reports whether somebody at another host has something that is missing and can be
// asked for it.
func (t *trust) othersThan(host netip.Addr) bool {
	return slices.ContainsFunc(t.s.links.list, func(p *peer) bool {
		return !p.leaving && !p.choked && p.useful > 0 && hostOf(p.addr.Addr()) != host && t.mayAsk(p)
	})
}

// mayAsk reports whether a peer is not put off for what it, or somebody at its address, sent.
func (t *trust) mayAsk(p *peer) bool {
	if len(t.records) == 0 {
		return true
	}
	c := sender{p.id, p.addr}.culprit()
	if r := t.records[c]; r != nil && t.s.now < r.askAt {
		return false
	}
	r := t.records[c.whole()]
	return p.good > 0 || r == nil || t.s.now >= r.askAt
}

// onProbation reports whether a peer is asked for one part at a time.
func (t *trust) onProbation(p *peer) bool {
	return t.wary() && t.unproven(p) && t.othersThan(hostOf(p.addr.Addr()))
}

// wary reports whether something came bad of late.
func (t *trust) wary() bool { return t.badAt != 0 && t.s.now-t.badAt <= badFor }

// unproven reports whether a peer has sent nothing good yet, or less than bad.
func (t *trust) unproven(p *peer) bool {
	if p.good == 0 {
		return true
	}
	r := t.records[sender{p.id, p.addr}.culprit()]
	return r != nil && r.bytes > r.good
}

// provenHas reports whether somebody who has sent what is good can be asked for a part.
func (t *trust) provenHas(part uint32) bool {
	return slices.ContainsFunc(t.s.links.list, func(p *peer) bool {
		return !p.choked && p.hasPart(part) && !t.unproven(p) && t.s.plan.mayAsk(p)
	})
}

// othersProven reports whether somebody else has sent what is good, and can be asked.
func (t *trust) othersProven(not *peer) bool {
	return slices.ContainsFunc(t.s.links.list, func(p *peer) bool {
		return p != not && !p.choked && !p.lame && !t.unproven(p) && t.s.plan.mayAsk(p)
	})
}

// sifts has what unproven peers sent of a part that others completed come again, and reports
// whether there is any: else the whole part may turn out bad, and nobody is known to be to blame.
func (t *trust) sifts(w *work) bool {
	if _, one := w.sender(); one || w.sifted || !t.wary() || !t.provenHas(w.part) {
		return false
	}
	good := slices.IndexFunc(w.runs, func(r run) bool { return !r.trial })
	again := false
	for n := range w.runs {
		r := &w.runs[n]
		if !r.trial || good < 0 && r.from.same(w.runs[0].from) {
			continue
		}
		again, w.sifted = true, true
		t.s.stats.Failed += int64(t.s.runOf(w, n).Length)
		*r = run{asked: r.asked}
		w.left, w.unwritten = w.left+1, w.unwritten+1
		if r.asked == 0 {
			w.idle++
		}
	}
	if again {
		t.s.requests.fillOthers(nil)
	}
	return again
}

// restrain takes back from all who are put off, or on probation, what they are not to be asked for.
func (t *trust) restrain() {
	for _, p := range t.s.links.list {
		switch {
		case p.leaving || len(p.fetches) == 0:
		case !t.mayAsk(p):
			t.s.requests.takeAll(p)
		case t.onProbation(p):
			t.s.requests.leaveOne(p)
		}
	}
}

// takeAll cancels all that a peer was asked for.
func (rq *requests) takeAll(p *peer) {
	for len(p.fetches) > 0 {
		i := len(p.fetches) - 1
		rq.s.emit(Cancel{p.index, rq.s.runOf(p.fetches[i].work, p.fetches[i].n)})
		rq.unask(p, i)
	}
}

// leaveOne cancels what a peer was asked for of other parts than one: what it has begun, or what it
// was asked for first.
func (rq *requests) leaveOne(p *peer) {
	if p.tried == nil || rq.works[p.tried.part] != p.tried {
		p.tried = p.fetches[0].work
		for _, f := range p.fetches {
			if f.started != 0 {
				p.tried = f.work
				break
			}
		}
	}
	for i := len(p.fetches) - 1; i >= 0; i-- {
		if f := p.fetches[i]; f.work != p.tried {
			rq.s.emit(Cancel{p.index, rq.s.runOf(f.work, f.n)})
			rq.unask(p, i)
		}
	}
}

// tryOut finds what a peer on probation is asked for: the rest of the part on which it is tried, or
// another one when that has verified.
func (rq *requests) tryOut(p *peer) (*work, int, bool) {
	if w := p.tried; w != nil && rq.works[w.part] == w && !w.sifted {
		n, ok := w.free()
		return w, n, ok
	}
	if len(p.fetches) > 0 {
		return nil, 0, false
	}
	part, ok := uint32(0), false
	if p.useful > 0 {
		if part, ok = rq.s.plan.nextPart(p); !ok {
			part, ok = rq.s.rare.pick(p.has, p.all, rq.s.rng)
		}
	}
	if !ok {
		part, ok = rq.s.plan.comingPart(p)
	}
	if ok {
		p.tried = rq.begin(part)
		rq.s.trust.comesAloneFor(part, probeFor)
		return p.tried, 0, true
	}
	if w, n, ok := rq.help(p, true); ok && !rq.s.trust.provenHas(w.part) {
		p.tried = w
		return w, n, true
	}
	return nil, 0, false
}

// proved asks for more now that a part is good that somebody was tried on, or newcomers had a hand
// in.
func (rq *requests) proved(w *work) {
	if slices.ContainsFunc(w.runs, func(r run) bool { return r.trial }) {
		rq.fillOthers(nil)
	}
	for _, p := range rq.s.links.list {
		if p.tried == w {
			p.tried = nil
			rq.fill(p)
		}
	}
}
