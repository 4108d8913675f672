package swarm_test

import (
	"net/netip"
	"slices"

	. "orchestra/member/swarm"
)

// announce is the conductor: it names up to 50 members to a newcomer, and the newcomer to 50 others
// while there are few, else to 10.
func (s *sim) announce(p *player) {
	var others []*player
	for _, q := range s.players {
		if q != p && q.runs() {
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
		s.name(q, p)
	}
	pushes := 10
	if len(others) <= 100 {
		pushes = 50
	}
	for _, q := range slices.Concat(others[named:], others[:named]) {
		if pushes > 0 && !q.known[p.n] {
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
		s.after(s.wires.rtt, func() { p.step(Listed{Members: n}) })
	}
}

func (s *sim) name(whom, to *player) {
	to.known[whom.n] = true
	s.after(s.wires.rtt, func() { to.step(Found{ID: whom.id, Addrs: []netip.AddrPort{whom.addr()}}) })
}
