package swarm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A scenario is a swarm and what befalls it, all drawn from one seed.
type scenario struct {
	seed       uint64
	size, part int64
	rtt, far   time.Duration
	sites      int
	loss       float64
	cast       []role
	faults     []fault
	copy       time.Duration // how long one line takes for a plain copy
	inOrder    bool          // the members want the parts in order
}

// role is one member of a scenario.
type role struct {
	at       time.Duration // when it comes
	up, down float64
	shares   bool
	hidden   bool
	ill      illness
	rogue    bool
	lies     bool
}

// A trouble is a kind of fault.
type trouble int

const (
	stalls   trouble = iota // nothing gets to it, from it, or both
	splits                  // some members cannot reach the others
	loses                   // packets are lost on its paths
	lags                    // its paths are longer
	slows                   // its lines are slower
	resets                  // connections are reset
	crashes                 // its process ends and is started again
	darkens                 // its host loses power, and comes back
	freezes                 // its process is suspended
	drags                   // its disk is slow
	hangs                   // its disk does nothing
	rots                    // parts go bad on its disk
	deletes                 // parts vanish from its disk
	parts                   // it, or some, do not reach the conductor
	restarts                // the conductor begins anew
	leaves                  // it goes for good
	troubles                // how many kinds there are
)

func (t trouble) String() string {
	return [...]string{
		"stalls", "splits", "loses", "lags", "slows", "resets", "crashes", "darkens", "freezes",
		"drags", "hangs", "rots", "deletes", "parts", "restarts", "leaves",
	}[t]
}

// fault is one thing that goes wrong.
type fault struct {
	trouble
	at, lasts time.Duration
	who       group
	in, out   bool    // in which direction
	much      float64 // how much of it
}

func (f fault) String() string {
	return fmt.Sprintf("%v at %v for %v: members %b, in %v, out %v, %.2f", f.trouble,
		f.at.Round(time.Millisecond), f.lasts.Round(time.Millisecond), f.who, f.in, f.out, f.much)
}

// draw makes a scenario of a seed.
func draw(seed uint64) scenario {
	rng := rand.New(rand.NewPCG(seed, 0x6661756c74))
	chance := func(p float64) bool { return rng.Float64() < p }
	between := func(a, b float64) float64 { return a * math.Pow(b/a, rng.Float64()) }
	c := scenario{seed: seed, part: int64(16<<10) << rng.IntN(6), rtt: 2 * time.Millisecond}
	n := int(between(2, 25))
	c.size = min(int64(between(2<<20, 8<<20)), 200*c.part, max(2<<20, (64<<20)/int64(n)))
	c.copy = seconds(between(1, 6))
	if chance(0.2) { // large parts: those who wait for their turn wait long
		n = min(n, 8)
		c.part = 2<<20 + int64(rng.IntN(2))<<19
		c.size = int64(between(9<<20, 20<<20))
		c.copy = min(c.copy, seconds(float64(c.size/c.part)/2))
	}
	switch {
	case chance(0.2):
		c.rtt = seconds(between(0.02, 0.25))
	case chance(0.2):
		c.far, c.sites = seconds(between(0.02, 0.15)), 2+rng.IntN(2)
	}
	if chance(0.2) {
		c.loss = between(0.0005, 0.01)
	}
	rate := float64(c.size) / c.copy.Seconds()
	lines, come := rng.IntN(4), rng.IntN(4)
	sources := 1 + rng.IntN(max(1, min(3, n-1)))
	for i := range n {
		r := role{up: rate, down: rate, shares: i < sources, at: time.Second}
		switch lines {
		case 1:
			r.up *= between(0.3, 1)
		case 2:
			r.down *= 4
		case 3:
			r.up, r.down = r.up*between(0.5, 2), r.down*between(0.5, 4)
		}
		switch {
		case r.shares:
			r.at = 0
		case come == 1:
			r.at += seconds(c.copy.Seconds() * rng.Float64())
		case come == 2 && i%2 == 0:
			r.at += seconds(c.copy.Seconds() * 1.2)
		case come == 3:
			r.at += seconds(c.copy.Seconds() * float64(i) / 4)
		default:
			r.at += time.Duration(rng.Int64N(int64(100 * time.Millisecond)))
		}
		r.hidden = i >= sources && chance(0.1)
		c.cast = append(c.cast, r)
	}
	if chance(0.4) {
		for range 1 + rng.IntN(max(1, n/4)) {
			r := role{at: seconds(rng.Float64() * 3), up: rate, down: rate, shares: true}
			switch kind := rng.IntN(6); kind {
			case 0:
				r.rogue = true
			case 1:
				r.lies, r.shares = true, false
			case 2:
				r.ill, r.shares = deaf, false
			default:
				r.ill = illness(kind - 1)
			}
			c.cast = append(c.cast, r)
		}
	}
	for range 1 + rng.IntN(6) {
		f := fault{
			trouble: trouble(rng.IntN(int(troubles))),
			at:      seconds(0.2 + rng.Float64()*(1+1.5*c.copy.Seconds())),
			lasts:   seconds(between(0.2, 60)),
			in:      chance(0.7), out: chance(0.7),
			much: rng.Float64(),
		}
		f.out = f.out || !f.in
		switch f.trouble {
		case splits, parts:
			for i := range c.cast {
				if chance(0.5) {
					f.who |= groupOf(i)
				}
			}
		case rots, deletes, leaves:
			f.who = groupOf(min(sources+rng.IntN(max(1, n-sources)), n-1))
		default:
			f.who = groupOf(rng.IntN(n))
		}
		if f.trouble == freezes && chance(0.3) {
			f.lasts = seconds(between(60, 4*3600))
		}
		c.faults = append(c.faults, f)
	}
	c.inOrder = chance(0.15)
	slices.SortStableFunc(c.faults, func(a, b fault) int { return int(a.at - b.at) })
	return c
}

func (c scenario) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d bytes in parts of %d, a copy takes %v, round trip %v, far %v, loss %.4f, in order %v\n",
		c.size, c.part, c.copy.Round(time.Millisecond), c.rtt, c.far, c.loss, c.inOrder)
	for i, r := range c.cast {
		fmt.Fprintf(&b, "member %d at %v: up %.0f kB/s down %.0f kB/s shares %v hidden %v %v rogue %v lies %v\n",
			i, r.at.Round(time.Millisecond), r.up/1e3, r.down/1e3, r.shares, r.hidden, r.ill, r.rogue, r.lies)
	}
	for i, f := range c.faults {
		fmt.Fprintf(&b, "fault %d: %v\n", i, f)
	}
	return b.String()
}

// set makes the swarm of a scenario, and has happen to it what is to.
func (c scenario) set(t testing.TB) *sim {
	s := newSim(t, c.size, c.part, c.seed)
	s.wires.rtt, s.wires.far, s.wires.sites, s.wires.loss = c.rtt, c.far, c.sites, c.loss
	s.inOrder = c.inOrder
	s.watch = &watch{s: s}
	for _, r := range c.cast {
		p := s.enter(r.at, r.up, r.down, r.shares)
		p.hidden, p.mends = r.hidden, !r.shares
		p.ill, p.rogue, p.lies = r.ill, r.rogue, r.lies
	}
	for i, f := range c.faults {
		s.at(f.at, later(func() {
			if s.trace != nil {
				s.trace(fmt.Sprintf("%9.3fms fault %d: %v", float64(s.now)/1e6, i, f))
			}
			end := s.befalls(f)
			s.after(f.lasts, func() {
				if s.trace != nil {
					s.trace(fmt.Sprintf("%9.3fms fault %d ends", float64(s.now)/1e6, i))
				}
				end()
			})
		}))
	}
	return s
}

// ends is when the last fault is over, and the last member has come.
func (c scenario) ends() (at time.Duration) {
	for _, f := range c.faults {
		at = max(at, f.at+f.lasts)
	}
	for _, r := range c.cast {
		at = max(at, r.at)
	}
	return at
}

// befalls has a fault begin, and returns what ends it.
func (s *sim) befalls(f fault) (end func()) {
	var who []*player
	for _, p := range s.players {
		if f.who.has(p) {
			who = append(who, p)
		}
	}
	all := groupOf()
	for i := range s.players {
		all |= groupOf(i)
	}
	each := func(do func(p *player)) func() {
		return func() {
			for _, p := range who {
				do(p)
			}
		}
	}
	path := func(h hurdle) func() {
		var list []*hurdle
		if f.in {
			list = append(list, &hurdle{all &^ f.who, f.who, h.cut, h.delay, h.loss})
		}
		if f.out {
			list = append(list, &hurdle{f.who, all &^ f.who, h.cut, h.delay, h.loss})
		}
		for _, h := range list {
			s.put(h)
		}
		return func() {
			for _, h := range list {
				s.take(h)
			}
		}
	}
	some := func(salt uint32) func(part uint32) bool { // a share of the parts
		return func(part uint32) bool { return float64((part*2654435761+salt)%1000) < 300*f.much }
	}
	nothing := func() {}
	switch f.trouble {
	case stalls, splits:
		return path(hurdle{cut: true})
	case loses:
		return path(hurdle{loss: 0.1 * f.much})
	case lags:
		return path(hurdle{delay: seconds(2 * f.much)})
	case slows:
		factor := 0.05 + 0.5*f.much
		each(func(p *player) { p.up.rate, p.down.rate = p.up.rate*factor, p.down.rate*factor; p.slowed++ })()
		return each(func(p *player) { p.up.rate, p.down.rate = p.up.rate/factor, p.down.rate/factor; p.slowed-- })
	case resets:
		each(func(p *player) { p.resets(f.in) })()
		return nothing
	case crashes, darkens:
		each(func(p *player) { p.crash(f.trouble == darkens) })()
		return each(func(p *player) {
			p.revive(func(part uint32) bool { return p.mends && f.in && some(uint32(f.at))(part) })
		})
	case freezes:
		each((*player).freeze)()
		return each((*player).thaw)
	case drags:
		each(func(p *player) { p.slow = 1 + int(200*f.much) })()
		return each(func(p *player) { p.slow = 1 })
	case hangs:
		each(func(p *player) { p.stuck = true })()
		return each((*player).unstick)
	case rots, deletes:
		each(func(p *player) {
			if !p.mends || !p.runs() {
				return
			}
			for part := range uint32(p.core.Parts()) {
				switch {
				case !some(uint32(f.at))(part) || !p.core.Has(part):
				case f.trouble == rots:
					p.rotten[part], p.suspect = true, true
				default:
					p.deletes(part)
				}
			}
		})()
		return nothing
	case parts:
		each((*player).partFromConductor)()
		return each((*player).joinConductor)
	case restarts:
		s.restartConductor(seconds(1 + 9*f.much))
		return nothing
	case leaves:
		each(func(p *player) {
			if p.mends && p.runs() {
				s.leave(p)
				p.left = true
			}
		})()
		return nothing
	}
	panic("no such fault: " + f.trouble.String())
}
