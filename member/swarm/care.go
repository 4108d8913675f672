package swarm

import "slices"

// care is the peers that a component has to look after, in the order of their numbers. They are
// few, however many there are: so what an event costs does not grow with the links. Who is to be
// looked after is entered; those that need it no more are struck off when they are looked at.
type care struct{ list []*peer }

// of enters a peer. It may be while the list is gone through by index: the peer is met then, or met
// again.
func (c *care) of(p *peer) {
	byIndex := func(q *peer, i int) int { return q.index - i }
	if at, ok := slices.BinarySearchFunc(c.list, p.index, byIndex); !ok {
		c.list = slices.Insert(c.list, at, p)
	} else {
		c.list[at] = p // who had the number before is gone
	}
}

// only strikes those off that need no care, and those that are gone.
func (c *care) only(needs func(*peer) bool) {
	c.list = slices.DeleteFunc(c.list, func(p *peer) bool { return p.gone || !needs(p) })
}
