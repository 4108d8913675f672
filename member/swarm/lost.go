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
	for _, p := range s.links.list {
		switch {
		case p.origin:
		case p.hears:
			s.emit(Withdraw{p.index, part})
		case !p.hasPart(part):
			s.links.drop(p, "a part is gone, which it can learn only by connecting anew")
		}
	}
	s.grants.breakOff(part)
	if !s.wants(part) {
		return
	}
	s.missing++
	s.stats.BytesGot -= s.partLen(part)
	s.finished = false
	s.links.lost(part)
	if ev.Keep {
		return
	}
	s.reader.lost(part)
	s.book.needed()
	s.setbacks.free(part)
	s.requests.fillOthers(nil)
}

// regained makes a part that was lost, and left as it is, one that is here. One that is fetched
// comes in as any other.
func (s *Swarm) regained(part uint32) {
	if int64(part) >= int64(s.parts) || s.requests.works[part] != nil {
		return
	}
	s.gain(part)
}
