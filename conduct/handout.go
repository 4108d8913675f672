package conduct

import (
	"slices"

	"orchestra/proto"
)

// How the list of members spreads. A newcomer is told of at most limits.peers
// random others, and is itself pushed to pushTo random members, so that a join
// costs the same however many there are. Who is told of whom is remembered on
// both sides: a departure goes to those who were told of the member and to
// nobody else. A member left with few of whom it knows is told of more. What
// one entry may remember is bounded both ways; since nobody is told of more
// than 2*peers, at most half of the members can be known to 4*peers or more,
// and so somebody can always be handed out.
const pushTo = 10

func (l limits) maxTold() int   { return 2 * l.peers }
func (l limits) maxToldTo() int { return 4 * l.peers }
func (l limits) maxTries() int  { return 8 * l.peers } // entries looked at for one choice

// pick calls yes for random entries of the composition, each once, until it
// returned true n times or maxTries were looked at. It shuffles as it goes:
// the entries' order means nothing.
func (r *registry) pick(c *composition, n int, yes func(*entry) bool) {
	tries := min(len(c.entries), r.lim.maxTries())
	for i := 0; i < tries && n > 0; i++ {
		c.swap(i, i+r.random.IntN(len(c.entries)-i))
		if yes(c.entries[i]) {
			n--
		}
	}
}

// handOut tells a member of up to n others that it was not told of.
func (r *registry) handOut(e *entry, n int, out []effect) []effect {
	if e.link == 0 {
		return out
	}
	n = min(n, r.lim.maxTold()-len(e.told))
	var members []proto.Member
	r.pick(e.comp, n, func(other *entry) bool {
		if !r.canTell(e, other) {
			return false
		}
		m, ok := other.memberFor(e.seat)
		if ok {
			members = append(members, m)
			introduced(e, other)
		}
		return ok
	})
	if len(members) == 0 {
		return out
	}
	return r.tell(e, proto.Joined{Members: members}, out) // limits.peers fit into one
}

// introduce pushes a member that can now be found to some who do not know it
// yet; if moved, those who do know it get its addresses again.
func (r *registry) introduce(e *entry, moved bool, out []effect) []effect {
	if moved {
		for _, to := range e.toldTo {
			if m, ok := e.memberFor(to.seat); ok {
				out = r.tell(to, proto.Joined{Members: []proto.Member{m}}, out)
			}
		}
	}
	if e.port == 0 || e.shunned {
		return out
	}
	r.pick(e.comp, min(pushTo, r.lim.peers)-e.pushes, func(to *entry) bool {
		if to.link == 0 || to.want == 0 || len(to.told) >= r.lim.maxTold() || !r.canTell(to, e) {
			return false
		}
		m, ok := e.memberFor(to.seat)
		if ok {
			out = r.tell(to, proto.Joined{Members: []proto.Member{m}}, out)
			introduced(to, e)
			e.pushes++
		}
		return ok
	})
	return out
}

// refill tells a member of more others when few are left of those it knew.
func (r *registry) refill(e *entry, out []effect) []effect {
	if len(e.told) >= e.want/2 {
		return out
	}
	return r.handOut(e, e.want-len(e.told), out)
}

// canTell reports whether e may be told of other, as far as the bounds go.
func (r *registry) canTell(e, other *entry) bool {
	return e != other && len(other.toldTo) < r.lim.maxToldTo() && !knows(e, other)
}

// knows reports whether e was told of other.
func knows(e, other *entry) bool {
	if len(other.toldTo) < len(e.told) {
		return slices.Contains(other.toldTo, e)
	}
	return slices.Contains(e.told, other)
}

func introduced(e, other *entry) {
	e.told = append(e.told, other)
	other.toldTo = append(other.toldTo, e)
}

// forgetTold forgets whom a member was told of.
func forgetTold(e *entry) {
	for _, other := range e.told {
		other.toldTo = without(other.toldTo, e)
	}
	e.told = nil
}

// without returns the list without one entry, in another order.
func without(list []*entry, e *entry) []*entry {
	i := slices.Index(list, e)
	if i < 0 {
		return list
	}
	last := len(list) - 1
	list[i], list[last] = list[last], nil
	return list[:last]
}

func (c *composition) swap(i, j int) {
	a, b := c.entries[i], c.entries[j]
	c.entries[i], c.entries[j] = b, a
	a.pos, b.pos = j, i
}
