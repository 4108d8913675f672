package swarm_test

import (
	"slices"
	"time"
)

type actor interface{ act() }

type later func()

func (f later) act() { f() }

// agenda is a heap of what is to happen, by time, then by order of entry.
type agenda struct {
	list []entry
	seq  uint64
}

type entry struct {
	at  time.Duration
	seq uint64
	who actor
}

func (a entry) before(b entry) bool { return a.at < b.at || (a.at == b.at && a.seq < b.seq) }

func (a *agenda) push(at time.Duration, who actor) {
	a.seq++
	a.list = append(a.list, entry{at, a.seq, who})
	for i := len(a.list) - 1; i > 0; {
		up := (i - 1) / 4
		if !a.list[i].before(a.list[up]) {
			return
		}
		a.list[i], a.list[up] = a.list[up], a.list[i]
		i = up
	}
}

func (a *agenda) pop() entry {
	first, last := a.list[0], len(a.list)-1
	a.list[0] = a.list[last]
	a.list[last] = entry{}
	a.list = a.list[:last]
	for i := 0; ; {
		least := i
		for j := 4*i + 1; j <= 4*i+4 && j < last; j++ {
			if a.list[j].before(a.list[least]) {
				least = j
			}
		}
		if least == i {
			return first
		}
		a.list[i], a.list[least] = a.list[least], a.list[i]
		i = least
	}
}

// play runs the clock until every member that stays is complete, or up to a limit.
func (s *sim) play(limit time.Duration) {
	s.t.Helper()
	s.run(limit, func() bool { return !slices.ContainsFunc(s.players, func(p *player) bool { return !s.done(p) }) })
	missing := 0
	for _, p := range s.players {
		if !s.done(p) {
			missing++
			if missing <= 5 && p.core != nil {
				s.t.Errorf("after %v member %d has %d of %d parts", s.now, p.n, p.core.Stats().Have, p.core.Parts())
			}
		}
	}
}

// run runs the clock up to a limit, or until something holds.
func (s *sim) run(limit time.Duration, until func() bool) {
	for n := 0; len(s.queue.list) > 0; n++ {
		next := s.queue.pop()
		if next.at > limit {
			return
		}
		s.now = next.at
		next.who.act()
		if n%64 == 0 && until() {
			return
		}
	}
}
