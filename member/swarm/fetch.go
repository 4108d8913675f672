package swarm

import (
	"slices"
	"time"
)

// requests are what peers are asked for, and what becomes of it.
type requests struct {
	s     *Swarm
	works map[uint32]*work
	open  []*work // those of several runs, oldest first

	care      care          // peers that send, are to answer, or are put off
	answering time.Duration // how long peers take to answer recalls, of late

	robbed  []*peer       // whose menus were taken from in this step
	retryAt time.Duration // when a peer that is idle may take over what waits elsewhere
}

func newRequests(s *Swarm) requests {
	return requests{s: s, works: map[uint32]*work{}, retryAt: never}
}

// tend looks after what was asked for and does not come, and asks for more where there is room.
func (rq *requests) tend() {
	rq.watchRuns()
	rq.retry()
	rq.refill()
}

// due is when tend has something to do if nothing happens.
func (rq *requests) due() time.Duration { return min(rq.nextRuns(), rq.retryAt) }

// work is a part on its way here.
type work struct {
	part      uint32
	runs      []run
	idle      int  // runs that nobody is asked for
	left      int  // runs that are not here yet
	unwritten int  // runs that are not on disk yet
	sifted    bool // what unproven peers sent of it comes again, from others
	held      bool // nothing more of it is asked for now, because of the disk
}

// run is the state of one stretch of a part on its way here.
type run struct {
	here    bool // received
	written bool // on disk
	asked   int  // how many peers are asked for it
	from    sender
	by      int      // the peer that sent it
	mixed   bool     // another one was sending it at the same time
	mixers  []sender // who may have sent some of it then, as far as is known
	hearsay bool     // who sent it had not verified the part
	trial   bool     // who sent it had sent nothing good yet, or less than bad
}

// fetch is one run asked of one peer.
type fetch struct {
	work    *work
	n       int           // its place in work.runs
	asked   time.Duration // when it was asked for
	started time.Duration // when its first bytes came; 0: not yet
	hearsay bool          // the peer had not verified the part when it began to send it

	got        uint32        // bytes of it that came, as far as is known
	moved      time.Duration // when they became more, by movedLeast at least
	movedGot   uint32        // how many they were then
	out        bool          // of a foreign client: it was in its window, which is smaller now
	declined   bool          // some blocks of it were rejected
	recalled   bool          // the peer was asked to reject it
	recalledAt time.Duration // when that was
	taker      *peer         // who is asked for it then, if it was recalled for somebody
}

// fill asks a peer for more until its menu is full or it has nothing more to offer.
func (rq *requests) fill(p *peer) {
	if p.origin {
		rq.fillOrigin(p)
		return
	}
	if p.choked {
		rq.fillAllowed(p)
		return
	}
	if (p.useful == 0 && len(p.coming) == 0) || rq.s.finished ||
		rq.s.setbacks.full || rq.s.reader.owes(p) || !rq.s.plan.mayAsk(p) {
		return
	}
	depth, low := rq.s.plan.menu(p)
	if len(p.fetches) > low {
		return
	}
	depth = min(depth, len(p.fetches)+rq.s.trust.room(p))
	for len(p.fetches) < depth {
		w, n, ok := rq.choose(p)
		if !ok {
			w, n, ok = rq.takeOver(p)
		}
		if !ok {
			return
		}
		rq.ask(p, w, n)
	}
}

// refill fills the menus that others took from, with what nobody is asked for. Who is asked for
// nothing then may take something back later, if those who took it do not get on with it.
func (rq *requests) refill() {
	for _, p := range rq.robbed {
		depth := min(rq.s.plan.depth(p), len(p.fetches)+rq.s.trust.room(p))
		for !p.origin && !p.gone && !p.choked && !rq.s.setbacks.full && rq.s.plan.mayAsk(p) && len(p.fetches) < depth {
			w, n, ok := rq.choose(p)
			if !ok {
				break
			}
			rq.ask(p, w, n)
		}
		if len(p.fetches) == 0 {
			rq.retryAt = min(rq.retryAt, rq.s.now+relayPatience)
		}
	}
	clear(rq.robbed)
	rq.robbed = rq.robbed[:0]
}

// fillOthers fills every peer but one.
func (rq *requests) fillOthers(not *peer) {
	for _, p := range rq.s.links.list {
		if p != not {
			rq.fill(p)
		}
	}
}

// choose finds the run that a peer is asked for next: what comes next in order, if that is wanted,
// the rest of a part that it is sending already, the rest of one that was begun and left, a part
// that nobody is asked for, of an upstream in order, of others rarest first, then the rest of a
// part that others send.
func (rq *requests) choose(p *peer) (*work, int, bool) {
	if rq.s.trust.onProbation(p) {
		return rq.tryOut(p)
	}
	if rq.s.reader.ordered(p) {
		if w, n, ok := rq.s.reader.inOrder(p); ok {
			return w, n, true
		}
	}
	if w, n, ok := rq.restOf(p); ok {
		return w, n, true
	}
	if w, n, ok := rq.help(p, true); ok {
		return w, n, true
	}
	if p.useful > 0 {
		if part, ok := rq.s.plan.nextPart(p); ok {
			return rq.begin(part), 0, true
		}
		if part, ok := rq.s.rare.pick(p.has, p.all, rq.s.rng); ok {
			return rq.begin(part), 0, true
		}
	}
	if part, ok := rq.s.plan.comingPart(p); ok {
		return rq.begin(part), 0, true
	}
	return rq.help(p, false)
}

// free finds a run of the part that nobody is asked for.
func (w *work) free() (int, bool) {
	if w.idle == 0 || w.held {
		return 0, false
	}
	for n := range w.runs {
		if r := &w.runs[n]; !r.here && r.asked == 0 {
			return n, true
		}
	}
	return 0, false
}

// begin makes a part one that is on its way.
func (rq *requests) begin(part uint32) *work {
	rq.s.rare.remove(part)
	n := int((rq.s.partLen(part) + RunSize - 1) / RunSize)
	w := &work{part: part, runs: make([]run, n), idle: n, left: n, unwritten: n}
	rq.works[part] = w
	if n > 1 {
		rq.open = append(rq.open, w)
	}
	return w
}

// end makes a part one that is no longer on its way.
func (rq *requests) end(w *work) {
	delete(rq.works, w.part)
	if i := slices.Index(rq.open, w); i >= 0 {
		rq.open = slices.Delete(rq.open, i, i+1)
	}
}

// restOf finds a run that is free in a part of which a peer is asked for something already. In a
// chain it may not have that part, so nothing else leads to the rest of it.
func (rq *requests) restOf(p *peer) (*work, int, bool) {
	if len(rq.open) == 0 {
		return nil, 0, false
	}
	for i := len(p.fetches) - 1; i >= 0; i-- {
		w := p.fetches[i].work
		if n, ok := w.free(); ok && !rq.s.reader.ahead(w.part) {
			return w, n, true
		}
	}
	return nil, 0, false
}

// help finds a run that is free in a part that was begun; left: one that nobody is asked for at all
// now.
func (rq *requests) help(p *peer, left bool) (*work, int, bool) {
	for _, w := range rq.open {
		if w.idle == 0 || !p.hasPart(w.part) || (left && w.idle < w.left) ||
			(!left && rq.s.trust.comesAlone(w.part)) {
			continue
		}
		if n, ok := w.free(); ok {
			return w, n, true
		}
	}
	return nil, 0, false
}

// ask puts a run on the menu of a peer.
func (rq *requests) ask(p *peer, w *work, n int) {
	r := &w.runs[n]
	if r.asked == 0 {
		w.idle--
	}
	r.asked++
	if len(p.fetches) == 0 {
		p.waits = rq.s.now - p.waited
		p.soundAt = p.waits + soundAfter<<p.sounds
	}
	if p.fetches = append(p.fetches, &fetch{work: w, n: n, asked: rq.s.now}); rq.untried(p) {
		rq.care.of(p)
	}
	rq.s.emit(Fetch{p.index, rq.s.runOf(w, n)})
	rq.s.plan.asked(p)
}

// find returns the place of a run among what a peer is asked for, or -1.
func (p *peer) find(r Run) int {
	return slices.IndexFunc(p.fetches, func(f *fetch) bool {
		return f.work.part == r.Part && f.n == int(r.Begin/RunSize)
	})
}

// unask takes the i-th fetch off a peer's menu; its run is free again if nobody else is asked for
// it.
func (rq *requests) unask(p *peer, i int) *fetch {
	f := p.fetches[i]
	p.fetches = slices.Delete(p.fetches, i, i+1)
	if f.started != 0 {
		rq.begins(p, -1)
	}
	if len(p.fetches) == 0 && !p.sent {
		p.waited = rq.s.now - p.waits
	}
	rq.settleRecall(p, f)
	r := &f.work.runs[f.n]
	r.asked--
	if r.asked == 0 && !r.here {
		f.work.idle++
		rq.abandon(f.work)
	}
	return f
}

// abandon gives a part back of which nothing is here and nothing is asked for.
func (rq *requests) abandon(w *work) {
	if w.idle == len(w.runs) && rq.works[w.part] == w {
		rq.s.grants.breakOff(w.part)
		rq.end(w)
		rq.s.setbacks.free(w.part)
	}
}

func (rq *requests) freeAll(p *peer) {
	for len(p.fetches) > 0 {
		rq.unask(p, len(p.fetches)-1)
	}
}

// linked begins with a new peer as somebody at its address was left.
func (rq *requests) linked(p *peer) {
	if p.off = !p.sends.over(rq.s.now); p.off {
		rq.care.of(p)
	}
}

// cutOff frees all that a peer is asked for, and asks it for nothing more.
func (rq *requests) cutOff(p *peer) {
	rq.freeAll(p)
	p.choked = true
}

func (rq *requests) choked(ev Choked) {
	p := rq.s.links.peer(ev.Peer)
	if p == nil || p.choked == ev.On && (!ev.On || len(p.fetches) == 0) {
		return
	}
	p.choked = ev.On // perhaps once more: it was asked for what it allows
	p.live(rq.s.now)
	if p.choked {
		rq.freeAll(p)
		rq.fillOthers(p)
		return
	}
	rq.fill(p)
	rq.s.plan.unchoked(p)
}

// rejected frees a run that a peer will not send: others are asked for it, and after a while the
// peer may be asked again.
func (rq *requests) rejected(ev Rejected) {
	p := rq.s.links.peer(ev.Peer)
	if p == nil {
		return
	}
	i := p.find(ev.Run)
	if i < 0 {
		return
	}
	f := p.fetches[i]
	switch {
	case p.choked:
		takeOut(&p.allowed, f.work.part)
	case f.recalled:
		rq.answered(f)
	case p.hasPart(f.work.part):
		rq.putOff(p, refusedFirst, refusedMost)
	default:
		rq.s.plan.rejects(p)
	}
	if rq.mayHave(f.taker, f) {
		rq.handOver(p, i)
		rq.robbed = append(rq.robbed, p)
		return
	}
	rq.unask(p, i)
	rq.fillOthers(p)
	rq.fill(p) // it may be the only one
}

// declined looks for somebody else who sends a run of which a foreign client rejects some blocks.
func (rq *requests) declined(ev Declined) {
	p := rq.s.links.peer(ev.Peer)
	if p == nil {
		return
	}
	if p.choked {
		takeOut(&p.allowed, ev.Run.Part)
		rq.takeBack(p, ev.Run.Part)
		rq.fillOthers(nil)
		return
	}
	if i := p.find(ev.Run); i >= 0 {
		p.fetches[i].declined = true
	}
	rq.putOff(p, refusedFirst, refusedMost)
	rq.fillIdle(p)
}

// takeBack cancels what a peer was asked of a part.
func (rq *requests) takeBack(p *peer, part uint32) {
	for i := len(p.fetches) - 1; i >= 0; i-- {
		f := p.fetches[i]
		if f.work.part == part {
			rq.s.emit(Cancel{p.index, rq.s.runOf(f.work, f.n)})
			rq.unask(p, i)
		}
	}
}
