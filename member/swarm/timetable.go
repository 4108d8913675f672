package swarm

import (
	"net/netip"
	"time"
)

// timetable is who may be dialled when. It is made anew when something of that has changed, or the
// next one may be dialled.
type timetable struct {
	made bool
	now  bool          // somebody may be dialled now
	next time.Duration // when the next one may
}

// schedule returns the timetable as it is now.
func (b *book) schedule(now time.Duration) timetable {
	if t := &b.table; !t.made || now >= t.next {
		*t = timetable{made: true, next: never}
		for _, m := range b.known {
			if !m.idle() {
				continue
			}
			if at := b.when(now, m); at > now {
				t.next = min(t.next, at)
			} else {
				t.now = true
			}
		}
	}
	return b.table
}

// changed has the timetable made anew.
func (b *book) changed() { b.table.made = false }

// pend notes whether a dial to a member is out.
func (b *book) pend(m *member, on bool) {
	switch {
	case on == m.pending:
		return
	case on:
		b.pending++
	default:
		b.pending--
	}
	m.pending = on
	b.changed()
}

// dials takes in that a member is being dialled, and returns at which addresses.
func (b *book) dials(now time.Duration, m *member) []netip.AddrPort {
	addrs, _ := b.open(now, m)
	b.targets.dialled(now, addrs)
	b.pend(m, true)
	m.dialled = now
	return addrs
}

// next chooses by chance among the members that may be dialled now.
func (b *book) next(now time.Duration) *member {
	if !b.schedule(now).now {
		return nil
	}
	var chosen *member
	n := 0
	for _, m := range b.known {
		if m.idle() && b.when(now, m) <= now {
			if n++; b.rng.IntN(n) == 0 {
				chosen = m
			}
		}
	}
	return chosen
}

// nextDial is when there is somebody to dial, or to drop. Who could be dialled now is to be at
// mayAt: enough links are open until then.
func (b *book) nextDial(now, mayAt time.Duration) time.Duration {
	t := b.schedule(now)
	at := min(b.recount, t.next)
	if t.now && mayAt > now {
		at = min(at, mayAt)
	}
	return at
}
