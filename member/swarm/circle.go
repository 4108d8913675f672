package swarm

// In a chain a member may ask its upstream for what is only coming there. Where that goes round in
// a circle, everybody waits for the next one, and nothing comes.

const (
	// Who has lost its upstream is taken to be followed for so long: those behind it notice that
	// nothing comes, and look for another one.
	followedFor = 2 * upPatience
	// rejectsMost is how much an upstream may reject without a part coming.
	rejectsMost = 64
)

// followed reports whether others may be behind this member, who has no upstream. What those get
// comes from here. If it asked one of them for what is only coming there, all of them would stand
// in a circle, and nothing would come to any of them. So it asks for what others have.
func (pl *plan) followed() bool {
	c := &pl.chain
	return pl.orphan() && (c.down != nil || c.lostAt > 0 && pl.s.now < c.lostAt+followedFor)
}

// rejects takes in that a peer rejected what it was asked for. In a circle, in which everybody
// waits for the next one, that goes on for ever.
func (pl *plan) rejects(p *peer) {
	if c := &pl.chain; p == c.up {
		c.rejected++
	}
}

// stored takes in that a part is here.
func (pl *plan) stored() { pl.chain.rejected = 0 }
