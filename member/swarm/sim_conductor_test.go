package swarm_test

import (
	"net/netip"
	"slices"
	"time"

	. "orchestra/member/swarm"
)

// The simulated conductor. It has a connection to each member, and knows who is there by that.

// announce is what the conductor does when a member connects: it names up to 50 members to a
// newcomer, and the newcomer to 50 others while there are few, else to 10.
func (s *sim) announce(p *player) {
	p.listens = true
	var others []*player
	for _, q := range s.players {
		if q != p && q.runs() && q.listens {
			others = append(others, q)
		}
	}
	s.rng.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	named := min(50, len(others))
	if len(others) == 101 {
		for _, q := range others {
			q.listed = 0
			s.list(q, len(others)+1)
		}
	}
	s.list(p, len(others)+1)
	for _, q := range others[:named] {
		if !q.hidden {
			s.name(q, p)
		}
	}
	pushes := 10
	if len(others) <= 100 {
		pushes = 50
	}
	for _, q := range slices.Concat(others[named:], others[:named]) {
		if pushes > 0 && !q.known[p.n] && !p.hidden {
			pushes--
			s.name(p, q)
			s.list(q, len(others)+1)
		}
	}
}

// list tells a member how many there are, if it was told less.
func (s *sim) list(p *player, n int) {
	if n >= p.listed*5/4 {
		p.listed = n
		p.post(Listed{Members: n})
	}
}

func (s *sim) name(whom, to *player) {
	to.known[whom.n] = true
	to.post(Found{ID: whom.id, Addrs: []netip.AddrPort{whom.addr()}})
}

// forgets has the conductor tell those whom it told of a member that it is gone, after a while.
func (s *sim) forgets(p *player, wait time.Duration) {
	var told []*player
	for _, q := range s.players {
		if q != p && q.known[p.n] {
			delete(q.known, p.n)
			told = append(told, q)
		}
	}
	id := p.id
	s.after(wait, func() {
		for _, q := range told {
			if q.runs() {
				q.post(Gone{ID: id})
			}
		}
	})
}

// Times of the connection to the conductor, as the members have them.
const (
	conductorTimeout = 45 * time.Second
	conductorRetry   = 15 * time.Second
)

// mail is the connection of a member to the conductor.
type mail struct {
	listens bool    // it is up, as the conductor has it
	apart   int     // what is in its way
	session int     // which one it is
	queue   []Event // what could not be delivered yet
}

// post has the conductor tell a member something, when that is possible.
func (p *player) post(ev Event) {
	if p.apart > 0 {
		p.queue = append(p.queue, ev)
		return
	}
	p.after(p.sim.wires.rtt, func() { p.step(ev) })
}

// partFromConductor puts something between a member and the conductor.
func (p *player) partFromConductor() {
	p.apart++
	session := p.session
	p.sim.after(conductorTimeout, func() {
		if p.apart > 0 && p.session == session {
			p.hangUp()
		}
	})
}

// joinConductor takes something away that was between them.
func (p *player) joinConductor() {
	if p.apart--; p.apart > 0 || !p.runs() {
		return
	}
	if p.listens {
		queue := p.queue
		p.queue = nil
		for _, ev := range queue {
			p.post(ev)
		}
		return
	}
	p.reconnects(conductorRetry)
}

// hangUp ends the connection between a member and the conductor.
func (p *player) hangUp() {
	p.session++
	p.queue = nil
	if !p.listens {
		return
	}
	p.listens = false
	p.sim.forgets(p, 0)
	p.after(0, func() { p.step(Conducted{}) })
}

// reconnects has a member connect to the conductor again, after as long as that may take.
func (p *player) reconnects(within time.Duration) {
	session := p.session
	p.after(within/4+time.Duration(p.sim.rng.Int64N(int64(within))), func() {
		if p.runs() && p.apart == 0 && !p.listens && p.session == session {
			p.known, p.listed = map[int]bool{}, 0
			p.step(Conducted{On: true})
			p.sim.announce(p)
		}
	})
}

// restartConductor has the conductor begin anew, with an empty list.
func (s *sim) restartConductor(down time.Duration) {
	for _, p := range s.players {
		p.session++
		p.queue = nil
		if p.listens {
			p.listens = false
			p.after(0, func() { p.step(Conducted{}) })
		}
		if p.runs() {
			p.reconnects(down)
		}
	}
}
