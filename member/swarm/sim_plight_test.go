package swarm_test

import (
	"slices"
	"time"

	. "orchestra/member/swarm"
)

// What befalls a simulated member: its process is suspended or ends, its host loses power, its disk
// is slow, hangs, or loses something.

// plight is what befell a member.
type plight struct {
	seed   uint64
	life   int      // how often it was started
	fallen bool     // it ended, and will be started again
	dark   bool     // its host is off
	frozen bool     // its process is suspended
	later  []func() // what it does when it is no longer
	hidden bool     // nobody can open a connection to it
	mends  bool     // it fetches again what it lost

	left   bool // it went for good
	slowed int  // what makes its lines slow

	slow  int      // its disk takes so many times as long
	stuck bool     // its disk hangs
	jobs  []func() // what waits for it

	mail
	sight
}

// after has a member do something after a while, unless it ended meanwhile.
func (p *player) after(wait time.Duration, do func()) {
	life := p.life
	p.sim.after(wait, func() {
		if p.life == life {
			p.does(do)
		}
	})
}

// does has a member do something now, or when it is no longer suspended.
func (p *player) does(do func()) {
	if p.frozen {
		p.later = append(p.later, do)
		return
	}
	do()
}

// freeze suspends a member. Its system goes on: what is in its sockets is sent, and what comes is
// acknowledged.
func (p *player) freeze() { p.frozen = p.runs() }

// thaw lets it go on. For its core much time passed at once.
func (p *player) thaw() {
	if !p.frozen {
		return
	}
	p.frozen = false
	list := p.later
	p.later = nil
	for _, do := range list {
		p.after(0, do)
	}
	p.after(0, p.rouse)
}

// rouse has a member write whatever it has to.
func (p *player) rouse() {
	for _, e := range p.ends {
		if e != nil {
			e.rouse()
		}
	}
}

// crash ends a member: its process, or its host.
func (p *player) crash(host bool) {
	if !p.runs() {
		return
	}
	s, ends := p.sim, p.ends
	p.life++
	p.away, p.frozen, p.dark, p.fallen = true, false, host, true
	p.later, p.jobs = nil, nil
	p.core = nil
	p.begin()
	for _, e := range ends {
		if e == nil || !e.open {
			continue
		}
		e.shutdown()
		if !host {
			e.farewell(retransmitFirst)
		}
	}
	wait := time.Duration(0)
	if host || p.apart > 0 {
		wait = conductorTimeout
	}
	s.forgets(p, wait)
	p.listens, p.queue = false, nil
	p.session++
}

// revive starts a member that crashed, with what is on its disk. Some parts are not.
func (p *player) revive(without func(part uint32) bool) {
	if !p.fallen {
		return
	}
	p.fallen = false
	s := p.sim
	if p.dark {
		p.dark = false
		for _, q := range s.players {
			for _, e := range q.ends {
				if e != nil && e.open && e.far.me == p {
					q.after(retransmitFirst, e.close) // the host knows nothing of it
				}
			}
		}
	}
	p.away = false
	p.entered, p.complete, p.prefix, p.half = s.now, 0, 0, 0
	p.draw()
	p.start(true)
	p.step(Tick{})
	for part := range uint32(p.core.Parts()) {
		if without(part) || p.rotten[part] {
			p.loses(part)
			delete(p.rotten, part)
		}
		p.checks(part, p.stored[part] > 0)
	}
	if p.apart == 0 {
		s.announce(p)
	}
}

// checks tells what the check of a part found.
func (p *player) checks(part uint32, good bool) {
	if good {
		p.keeps(part)
	}
	p.step(Checked{Part: part, Good: good})
}

// works has a member's disk do something that takes so long.
func (p *player) works(wait time.Duration, do func()) {
	p.after(wait*time.Duration(max(p.slow, 1)), func() {
		if p.stuck {
			p.jobs = append(p.jobs, do)
			return
		}
		do()
	})
}

// unstick lets a disk go on that hung.
func (p *player) unstick() {
	p.stuck = false
	list := p.jobs
	p.jobs = nil
	for _, do := range list {
		p.after(0, do)
	}
	p.after(0, p.rouse)
}

// deletes takes a part off a member's disk, which the member notices.
func (p *player) deletes(part uint32) {
	p.does(func() {
		if p.runs() && p.core.Has(part) {
			p.loses(part)
			delete(p.rotten, part)
			p.step(Lost{Part: part})
		}
	})
}

// resets ends all connections of a member, or one.
func (p *player) resets(all bool) {
	var list []*end
	for _, e := range p.ends {
		if e != nil && e.open {
			list = append(list, e)
		}
	}
	if !all && len(list) > 0 {
		i := p.sim.rng.IntN(len(list))
		list = slices.Clone(list[i : i+1])
	}
	for _, e := range list {
		p.does(e.close)
	}
}
