package swarm

import (
	"net/netip"
	"time"
)

// backoff puts off what a peer let this member wait for in vain: longer each time, and never for
// good.
type backoff struct {
	fails  int
	failed time.Duration // when the last one did
	until  time.Duration
}

// fail puts the next attempt off. What fails while it is put off already is of the same attempt.
func (b *backoff) fail(now, first, most time.Duration) {
	if now < b.until {
		return
	}
	b.fails++
	b.failed = now
	b.until = now + min(first<<min(b.fails-1, 10), most)
}

func (b *backoff) over(now time.Duration) bool { return now >= b.until }

// onTrial reports whether the last attempt failed.
func (b *backoff) onTrial() bool { return b.fails > 0 }

// restless is what is remembered of an address from which somebody made this member wait.
type restless struct {
	takes, sends backoff
	idle         bool // a link from there was idle, and had to make room
	seen         time.Duration
}

// memory remembers peers by address, so that who comes back over a new link, under a new name,
// begins where the last one ended. Who shares the address with somebody like that is on trial as
// well, until it took or sent something. What is old is forgotten.
type memory map[netip.Addr]restless

const (
	memoryAge  = 10 * time.Minute
	memoryMost = 1000
)

// note remembers how a peer does, or forgets it if it does well.
func (m memory) note(now time.Duration, p *peer) {
	m.keep(restless{p.takes, p.sends, m[hostOf(p.addr.Addr())].idle, now}, p)
}

// noteIdle remembers that a peer had to make room for another one.
func (m memory) noteIdle(now time.Duration, p *peer) {
	m.keep(restless{p.takes, p.sends, true, now}, p)
}

// wasIdle reports whether somebody at the address of a peer had to make room.
func (m memory) wasIdle(now time.Duration, p *peer) bool {
	r := m[hostOf(p.addr.Addr())]
	return r.idle && now-r.seen <= memoryAge
}

func (m memory) keep(r restless, p *peer) {
	host := hostOf(p.addr.Addr())
	if !r.takes.onTrial() && !r.sends.onTrial() && !r.idle {
		delete(m, host)
		return
	}
	if _, ok := m[host]; !ok && len(m) >= memoryMost {
		m.makeRoom(r.seen)
	}
	m[host] = r
}

// recall gives a new peer what is remembered of its address.
func (m memory) recall(now time.Duration, p *peer) {
	host := hostOf(p.addr.Addr())
	r, ok := m[host]
	if ok && now-r.seen > memoryAge {
		delete(m, host)
		return
	}
	p.takes, p.sends = r.takes, r.sends
}

// makeRoom forgets what is old, and the oldest one at least.
func (m memory) makeRoom(now time.Duration) {
	var oldest netip.Addr
	for host, r := range m {
		if now-r.seen > memoryAge {
			delete(m, host)
		} else if !oldest.IsValid() || r.seen < m[oldest].seen ||
			(r.seen == m[oldest].seen && host.Less(oldest)) {
			oldest = host
		}
	}
	if len(m) >= memoryMost {
		delete(m, oldest)
	}
}
