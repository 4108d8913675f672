package swarm

// content is what there is to have, and what of it is here.
type content struct {
	size, partSize int64
	parts          int
	skip           bitmap // the parts that are not wanted; nil: all are

	have    bitmap
	haveN   int
	missing int    // parts that are wanted and not here
	checked bitmap // while content is being checked: the parts that were
}

func newContent(cfg Config) content {
	parts := int((cfg.Size + cfg.PartSize - 1) / cfg.PartSize)
	c := content{size: cfg.Size, partSize: cfg.PartSize, parts: parts, skip: cfg.Skip}
	c.have = newBitmap(parts)
	if cfg.Unchecked {
		c.checked = newBitmap(parts)
	}
	for i := range uint32(parts) {
		if cfg.Have != nil && bitmap(cfg.Have).has(i) {
			c.have.set(i)
			c.haveN++
			if c.checked != nil {
				c.checked.set(i)
			}
		} else if c.wants(i) {
			c.missing++
		}
	}
	return c
}

// Has tells whether a part is stored here.
func (c *content) Has(part uint32) bool { return int64(part) < int64(c.parts) && c.have.has(part) }

// wants tells whether a part is one that is to come here.
func (c *content) wants(part uint32) bool { return c.skip == nil || !c.skip.has(part) }

// lacks tells whether a part is to come here and did not yet.
func (c *content) lacks(part uint32) bool { return c.wants(part) && !c.have.has(part) }

// partLen is the length of a part in bytes.
func (c *content) partLen(part uint32) int64 {
	return min(c.partSize, c.size-int64(part)*c.partSize)
}

// check takes in what the check of the content found about one part.
func (s *Swarm) check(ev Checked) {
	if s.checked == nil || s.checked.has(ev.Part) {
		return
	}
	s.checked.set(ev.Part)
	if ev.Good {
		s.gain(ev.Part)
		return
	}
	if !ev.Keep && s.wants(ev.Part) {
		s.setbacks.free(ev.Part)
		s.requests.fillOthers(nil)
	}
}

// gain makes a part one that this member has.
func (s *Swarm) gain(part uint32) {
	if s.have.has(part) {
		return
	}
	s.have.set(part)
	s.rare.remove(part)
	s.trust.settle(part)
	s.setbacks.stored(part)
	s.haveN++
	s.stats.BytesHave += s.partLen(part)
	s.grants.arrive(part)
	s.emit(Announce{part})
	s.reader.follow()
	if !s.wants(part) {
		return
	}
	s.missing--
	s.stats.BytesGot += s.partLen(part)
	s.links.gained(part)
}

// runOf is a run of a part on its way.
func (c *content) runOf(w *work, n int) Run {
	begin := int64(n) * RunSize
	return Run{w.part, uint32(begin), uint32(min(RunSize, c.partLen(w.part)-begin))}
}

// complete reports whether a peer has everything.
func (c *content) complete(p *peer) bool { return p.hasN == c.parts }
