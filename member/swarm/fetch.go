package swarm

import (
	"slices"
	"time"
)

// work is a part on its way here.
type work struct {
	part      uint32
	runs      []run
	idle      int // runs that nobody is asked for
	left      int // runs that are not here yet
	unwritten int // runs that are not on disk yet
}

// run is the state of one stretch of a part on its way here.
type run struct {
	here    bool // received
	written bool // on disk
	asked   int  // how many peers are asked for it
	from    sender
	by      int  // the peer that sent it
	mixed   bool // another one was sending it at the same time
	hearsay bool // who sent it had not verified the part
}

// fetch is one run asked of one peer.
type fetch struct {
	work    *work
	n       int           // its place in work.runs
	asked   time.Duration // when it was asked for
	started time.Duration // when its first bytes came; 0: not yet
	hearsay bool          // the peer had not verified the part when it began to send it

	got      uint32        // bytes of it that came, as far as is known
	moved    time.Duration // when they became more, by movedLeast at least
	movedGot uint32        // how many they were then
	declined bool          // some blocks of it were rejected
	recalled bool          // the peer was asked to reject it
	taker    *peer         // who is asked for it then, if it was recalled for somebody
}

// What is kept outstanding at a member. Requests cost it nothing: they are the menu from which it
// chooses whom to help next with what, so more than one part is on it even where the line is slow.
const (
	menuRuns  = 8
	menuBytes = 2 << 20
	menuMost  = 256
	// menuTime is how much of its sending is asked for at one of several feeds.
	menuTime = time.Second
	// menuForeign is the least for a foreign client, in runs.
	menuForeign = 2
	// menuOrphan is enough to find out who has nobody to send to.
	menuOrphan = 1
)

func (s *Swarm) runOf(w *work, n int) Run {
	begin := int64(n) * RunSize
	return Run{w.part, uint32(begin), uint32(min(RunSize, s.partLen(w.part)-begin))}
}

// depth is how many runs are kept asked for at a peer.
func (s *Swarm) depth(p *peer) int {
	length := int(min(RunSize, s.cfg.PartSize))
	if p.foreign() {
		if p.sends.fails > 1 {
			return menuForeign
		}
		return max(menuForeign, (p.blocks<<14+length-1)/length+1)
	}
	if s.orphan() || s.onTrialFeed(p) || p.sends.fails > 1 {
		return menuOrphan
	}
	depth := min(max(menuRuns, menuBytes/length), menuMost)
	if s.slowFeed(p) { // what waits there is missed at the end
		depth = min(depth, 2+int(p.pace*menuTime.Seconds())/length)
	}
	return depth
}

// fill asks a peer for more until its menu is full or it has nothing more to offer.
func (s *Swarm) fill(p *peer) {
	if p.choked || (p.useful == 0 && len(p.coming) == 0) || s.finished || s.owes(p) || !s.mayAsk(p) {
		return
	}
	depth := s.depth(p)
	if p == s.chain.up && len(p.fetches) > depth/2 {
		return // several are asked for at once, since each message wakes somebody
	}
	for len(p.fetches) < depth {
		w, n, ok := s.choose(p)
		if !ok {
			w, n, ok = s.takeOver(p)
		}
		if !ok {
			return
		}
		s.ask(p, w, n)
	}
}

// refill fills the menus that others took from, with what nobody is asked for.
func (s *Swarm) refill() {
	for _, p := range s.robbed {
		for depth := s.depth(p); s.peer(p.index) == p && !p.choked && s.mayAsk(p) && len(p.fetches) < depth; {
			w, n, ok := s.choose(p)
			if !ok {
				break
			}
			s.ask(p, w, n)
		}
	}
	clear(s.robbed)
	s.robbed = s.robbed[:0]
}

// fillOthers fills every peer but one.
func (s *Swarm) fillOthers(not *peer) {
	for _, p := range s.peers {
		if p != nil && p != not {
			s.fill(p)
		}
	}
}

// choose finds the run that a peer is asked for next: what comes next in order, if that is wanted,
// the rest of a part that it is sending already, the rest of one that was begun and left, a part
// that nobody is asked for, of an upstream in order, of others rarest first, then the rest of a
// part that others send.
func (s *Swarm) choose(p *peer) (*work, int, bool) {
	if s.ordered(p) {
		if w, n, ok := s.inOrder(p); ok {
			return w, n, true
		}
	}
	if len(p.fetches) > 0 {
		last := p.fetches[len(p.fetches)-1].work
		if n, ok := last.free(); ok && !s.ahead(last.part) {
			return last, n, true
		}
	}
	if w, n, ok := s.help(p, true); ok {
		return w, n, true
	}
	if p.useful > 0 {
		if part, ok := s.nextOf(p); ok {
			return s.begin(part), 0, true
		}
		if part, ok := s.rare.pick(p.has, p.all, s.rng); ok {
			return s.begin(part), 0, true
		}
	}
	if part, ok := s.comingTo(p); ok {
		return s.begin(part), 0, true
	}
	return s.help(p, false)
}

// free finds a run of the part that nobody is asked for.
func (w *work) free() (int, bool) {
	if w.idle == 0 {
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
func (s *Swarm) begin(part uint32) *work {
	s.rare.remove(part)
	n := int((s.partLen(part) + RunSize - 1) / RunSize)
	w := &work{part: part, runs: make([]run, n), idle: n, left: n, unwritten: n}
	s.works[part] = w
	if n > 1 {
		s.open = append(s.open, w)
	}
	return w
}

// end makes a part one that is no longer on its way.
func (s *Swarm) end(w *work) {
	delete(s.works, w.part)
	if i := slices.Index(s.open, w); i >= 0 {
		s.open = slices.Delete(s.open, i, i+1)
	}
}

// help finds a run that is free in a part that was begun; left: one that nobody is asked for at all
// now.
func (s *Swarm) help(p *peer, left bool) (*work, int, bool) {
	for _, w := range s.open {
		if w.idle == 0 || !p.hasPart(w.part) || (left && w.idle < w.left) || (!left && s.comesAlone(w.part)) {
			continue
		}
		if n, ok := w.free(); ok {
			return w, n, true
		}
	}
	return nil, 0, false
}

// ask puts a run on the menu of a peer.
func (s *Swarm) ask(p *peer, w *work, n int) {
	r := &w.runs[n]
	if r.asked == 0 {
		w.idle--
	}
	r.asked++
	p.fetches = append(p.fetches, &fetch{work: w, n: n, asked: s.now})
	s.emit(Fetch{p.index, s.runOf(w, n)})
	s.passOn(p)
}

// find returns the place of a run among what a peer is asked for, or -1.
func (p *peer) find(r Run) int {
	return slices.IndexFunc(p.fetches, func(f *fetch) bool {
		return f.work.part == r.Part && f.n == int(r.Begin/RunSize)
	})
}

// unask takes the i-th fetch off a peer's menu; its run is free again if nobody else is asked for
// it.
func (s *Swarm) unask(p *peer, i int) *fetch {
	f := p.fetches[i]
	p.fetches = slices.Delete(p.fetches, i, i+1)
	if f.started != 0 {
		s.begins(p, -1)
	}
	s.settleRecall(p, f)
	r := &f.work.runs[f.n]
	r.asked--
	if r.asked == 0 && !r.here {
		f.work.idle++
		s.abandon(f.work)
	}
	return f
}

// abandon gives a part back of which nothing is here and nothing is asked for.
func (s *Swarm) abandon(w *work) {
	if w.idle == len(w.runs) && s.works[w.part] == w {
		s.breakOff(w.part)
		s.end(w)
		s.rare.add(w.part)
	}
}

func (s *Swarm) freeAll(p *peer) {
	for len(p.fetches) > 0 {
		s.unask(p, len(p.fetches)-1)
	}
}

func (s *Swarm) choked(ev Choked) {
	p := s.peer(ev.Peer)
	if p == nil || p.choked == ev.On {
		return
	}
	p.choked = ev.On
	p.heard = s.now
	if p.choked {
		s.freeAll(p)
		s.fillOthers(p)
		return
	}
	s.fill(p)
	s.prefer(p)
}

// rejected frees a run that a peer will not send: others are asked for it, and after a while the
// peer may be asked again.
func (s *Swarm) rejected(ev Rejected) {
	p := s.peer(ev.Peer)
	if p == nil {
		return
	}
	i := p.find(ev.Run)
	if i < 0 {
		return
	}
	f := p.fetches[i]
	if !f.recalled && p.hasPart(f.work.part) {
		s.putOff(p, refusedFirst, refusedMost)
	}
	if s.mayHave(f.taker, f) {
		s.handOver(p, i)
		s.robbed = append(s.robbed, p)
		return
	}
	s.unask(p, i)
	s.fillOthers(p)
	s.fill(p) // it may be the only one
}

// declined looks for somebody else who sends a run of which a foreign client rejects some blocks.
func (s *Swarm) declined(ev Declined) {
	p := s.peer(ev.Peer)
	if p == nil {
		return
	}
	if i := p.find(ev.Run); i >= 0 {
		p.fetches[i].declined = true
	}
	s.putOff(p, refusedFirst, refusedMost)
	s.fillIdle(p)
}
