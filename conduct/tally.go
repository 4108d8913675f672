package conduct

import "math/bits"

// A transfer counts payload bytes as members report them.
type transfer struct{ up, down uint64 }

// add adds, and stays at the greatest number where it would overflow:
// members may report anything.
func (t *transfer) add(o transfer) {
	t.up, t.down = addSat(t.up, o.up), addSat(t.down, o.down)
}

func addSat(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return ^uint64(0)
	}
	return sum
}

// A tally sums up a composition, from what its members say.
type tally struct {
	members    int
	complete   int    // members that have every part
	have       uint64 // parts, over all members; of
	parts      uint64
	moved      transfer // by all that were ever listed
	shunned    int      // members handed out no more
	complaints uint64   // that counted
}

// tally goes over all members: it is for a page that somebody looks at, not
// for the path of a message.
func (c *composition) tally() tally {
	t := tally{members: len(c.entries), moved: c.gone, complaints: c.complaints}
	for _, e := range c.entries {
		t.have += uint64(e.have)
		t.parts += uint64(e.parts)
		t.moved.add(e.moved)
		if e.have == e.parts {
			t.complete++
		}
		if e.isShunned() {
			t.shunned++
		}
	}
	return t
}
