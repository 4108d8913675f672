package swarm

// A part may go again: the disk changed under this member, or a peer tells that it no longer has it
// (BEP 54). What was good once is believed only as long as somebody can still read it.

// lost makes a part that was here one that is not. Whoever asked for it is refused and told. It is
// fetched again unless it is to stay as it is.
func (s *Swarm) lost(ev Lost) {
	part := ev.Part
	if !s.Has(part) {
		return
	}
	s.have.clear(part)
	s.haveN--
	s.stats.BytesHave -= s.partLen(part)
	for _, p := range s.peers {
		switch {
		case p == nil:
		case p.hears:
			s.emit(Withdraw{p.index, part})
		case !p.hasPart(part):
			s.drop(p, "a part is gone, which it can learn only by connecting anew")
		}
	}
	s.breakOff(part)
	if !s.wants(part) {
		return
	}
	s.missing++
	s.stats.BytesGot -= s.partLen(part)
	s.finished = false
	for _, p := range s.peers {
		if p != nil && p.hasPart(part) {
			p.useful++
			s.showInterest(p)
		}
	}
	if ev.Keep {
		return
	}
	if s.seq != nil && !s.seq.told {
		s.seq.at = min(s.seq.at, int(part))
	}
	for _, m := range s.book.known {
		m.seed = false
	}
	s.rare.add(part)
	s.fillOthers(nil)
}

// regained makes a part that was lost, and left as it is, one that is here. One that is fetched
// comes in as any other.
func (s *Swarm) regained(part uint32) {
	if int64(part) >= int64(s.parts) || s.works[part] != nil {
		return
	}
	s.gain(part)
}

// withdrawn takes in that a peer no longer has a part.
func (s *Swarm) withdrawn(ev Withdrawn) {
	p := s.peer(ev.Peer)
	if p == nil || int64(ev.Part) >= int64(s.parts) {
		return
	}
	s.peerLoses(p, ev.Part)
	s.ownsUp(p, ev.Part)
	s.fillOthers(nil)
}

// peerLoses notes that a peer is not to be asked for a part, and frees what it was asked of it.
// From then on what the peer has is counted part by part, so that no message costs more than it
// says.
func (s *Swarm) peerLoses(p *peer, part uint32) {
	takeOut(&p.coming, part)
	if !p.hasPart(part) {
		return
	}
	if p.all {
		s.seeds--
		p.all, p.counted, p.has = false, true, newBitmap(s.parts)
		for part := range uint32(s.parts) {
			p.has.set(part)
			s.rare.inc(part)
		}
	}
	p.has.clear(part)
	p.hasN--
	s.rare.dec(part)
	if s.lacks(part) {
		p.useful--
	}
	s.takeBack(p, part)
	s.showInterest(p)
}

// takeBack cancels what a peer was asked of a part.
func (s *Swarm) takeBack(p *peer, part uint32) {
	for i := len(p.fetches) - 1; i >= 0; i-- {
		f := p.fetches[i]
		if f.work.part == part {
			s.emit(Cancel{p.index, s.runOf(f.work, f.n)})
			s.unask(p, i)
		}
	}
}

// complete reports whether a peer has everything.
func (s *Swarm) complete(p *peer) bool { return p.hasN == s.parts }
