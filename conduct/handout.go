package conduct

import (
	"slices"
	"time"

	"orchestra/proto"
)

// How the list of members spreads. A newcomer is told of at most limits.peers
// random others, and is itself pushed to pushTo random members, so that a join
// costs the same however many there are. While they are few (at most
// 2*peers+1, the newcomer among them) it is pushed to peers: those it was told
// of and those it is pushed to are then all others, so that of any two members
// at least one knows the other. Who is told of whom is remembered on both
// sides: a departure goes to those who were told of the member and to nobody
// else. A member left with few of whom it knows is told of more. What one
// entry may remember is bounded both ways; since nobody is told of more than
// 2*peers, at most half of the members can be known to 4*peers or more, and so
// somebody can always be handed out. Among few neither bound is reached: there
// are no more than 2*peers others.
const pushTo = 10

func (l limits) few() int       { return 2*l.peers + 1 }
func (l limits) maxTold() int   { return 2 * l.peers }
func (l limits) maxToldTo() int { return 4 * l.peers }
func (l limits) maxTries() int  { return 8 * l.peers } // entries looked at for one choice

// maxPushes is how many members a newcomer is pushed to at most.
func (r *registry) maxPushes(c *composition) int {
	if len(c.entries) <= r.lim.few() {
		return r.lim.peers
	}
	return min(pushTo, r.lim.peers)
}

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

// handOut tells a member of up to n others that it was not told of, guests among
// them or not.
func (r *registry) handOut(e *entry, n int, guests bool, out []effect) []effect {
	if e.link == 0 {
		return out
	}
	n = min(n, r.lim.maxTold()-len(e.told))
	var members []proto.Member
	r.pick(e.comp, n, func(other *entry) bool {
		if !r.canTell(e, other) || other.guest && !guests {
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
	return r.inform(e, proto.Joined{Members: members}, out) // limits.peers fit into one
}

// introduce pushes a member that can now be found to some who do not know it
// yet, first to those whom it does not know either; if moved, those who do know
// it get its addresses again. What is left of maxPushes it may use up later, as
// far as its composition has not outgrown that. Of guests so much is told as
// guestBurst and guestEvery allow.
func (r *registry) introduce(now time.Time, e *entry, moved bool, out []effect) []effect {
	if e.guest && !e.comp.guestsTold.draw(now, guestBurst, guestEvery) {
		return out
	}
	if moved {
		for _, to := range e.toldTo {
			if m, ok := e.memberFor(to.seat); ok {
				out = r.inform(to, proto.Joined{Members: []proto.Member{m}}, out)
			}
		}
	}
	if e.port == 0 || !e.isHandedOut() {
		return out
	}
	for _, mutual := range []bool{false, true} {
		r.pick(e.comp, r.maxPushes(e.comp)-e.pushes, func(to *entry) bool {
			if to.link == 0 || to.want == 0 || len(to.told) >= r.lim.maxTold() || !r.canTell(to, e) || knows(e, to) != mutual {
				return false
			}
			m, ok := e.memberFor(to.seat)
			if ok {
				out = r.inform(to, proto.Joined{Members: []proto.Member{m}}, out)
				introduced(to, e)
				e.pushes++
			}
			return ok
		})
	}
	return out
}

// refill tells a member of more others when few are left of those it knew. They
// are members: guests that come and go must not set others in motion.
func (r *registry) refill(e *entry, out []effect) []effect {
	if len(e.told) >= e.want/2 {
		return out
	}
	return r.handOut(e, e.want-len(e.told), false, out)
}

// inform tells a member something of others, and how many there are if that has become another
// number.
func (r *registry) inform(e *entry, m proto.Message, out []effect) []effect {
	return r.tellListed(e, r.tell(e, m, out))
}

// tellListed tells a member how many are listed if that differs from what it was
// told last by a quarter of it or more, and so whom it was not told yet, or if
// they were few and are no longer, or the other way round. Nobody is told for
// its own sake, which would cost each join a message to everybody, but by the
// join with which they are few no longer, see outgrown.
func (r *registry) tellListed(e *entry, out []effect) []effect {
	n, few := len(e.comp.entries), r.lim.few()
	if e.link == 0 || (4*max(n-e.listed, e.listed-n) < e.listed && (n > few) == (e.listed > few)) {
		return out
	}
	e.listed = n
	return r.tell(e, proto.Listed{Members: uint32(n)}, out)
}

// outgrown tells everybody when members are few no longer: what is done among few
// is of no use if only some of them know that they are not.
func (r *registry) outgrown(c *composition, out []effect) []effect {
	if len(c.entries) != r.lim.few()+1 {
		return out
	}
	for _, e := range c.entries {
		out = r.tellListed(e, out)
	}
	return out
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
