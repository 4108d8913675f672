package conduct

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// A failed dial back is tried again after firstRecheck, then after twice as
// long each time, lastRecheck at most. It is looked at when the member pings;
// those of guests are timed, see retries.go.
const (
	firstRecheck = 30 * time.Second
	lastRecheck  = time.Hour
)

type claimState uint8

const (
	claimUnchecked claimState = iota
	claimGood                 // the member answered there
	claimBad                  // it did not, last time
)

// A claim is an address at which a member says it can be reached.
type claim struct {
	state  claimState
	host   string         // HOST:PORT to dial; "" claims nothing
	addr   netip.AddrPort // where it answered; of use while good
	queued bool           // a dial back waits or runs
	fails  int            // failed dial backs in a row
	again  time.Time      // a claim that is not good is not dialled before
}

// A waiting dial back. The claim is one of the entry's two; it is stale if
// the entry is gone or claims something else by now.
type waiting struct {
	e     *entry
	which *claim
	host  string
	guest bool // the entry was one
}

func (w waiting) stale() bool { return w.e.gone || w.which.host != w.host }

// A finding is what a dial back found at an address.
type finding uint8

const (
	foundNobody finding = iota // no connection could be made
	foundOther                 // somebody who is not that member
	foundMember
)

// claimAt sets what a claim claims and asks for a dial back if that is new.
func (r *registry) claimAt(now time.Time, e *entry, c *claim, host string, out []effect) []effect {
	if c.host == host {
		return out
	}
	*c = claim{host: host}
	return r.queueCheck(now, e, c, out)
}

// queueCheck puts a claim in the line for a dial back. The line is swept of
// stale claims when it is longer than all entries can fill it, so that members
// that come and go at once do not make it grow.
func (r *registry) queueCheck(now time.Time, e *entry, c *claim, out []effect) []effect {
	if c.host == "" || c.queued {
		return out
	}
	c.queued = true
	r.timeRetry(e)
	line := &r.line
	if e.guest {
		line = &r.guestLine
	}
	if len(*line) > 64+4*len(r.expiry) {
		*line = slices.DeleteFunc(*line, waiting.stale)
	}
	*line = append(*line, waiting{e, c, c.host, e.guest})
	return r.startChecks(now, out)
}

// startChecks starts dial backs while there is room for more: first those of
// members, and at most guestDials of guests, so that those who list many guests
// do not make members wait. Guests that were dialled in vain come last.
func (r *registry) startChecks(now time.Time, out []effect) []effect {
	for len(r.running) < r.lim.dials {
		w, ok := takeFirst(&r.line)
		if !ok && r.guestDials < r.lim.guestDials() {
			if w, ok = takeFirst(&r.guestLine); !ok {
				w, ok = r.takeRetry(now)
			}
		}
		if !ok {
			break
		}
		if !w.stale() {
			out = r.tryDial(now, w, out)
		}
	}
	return out
}

// takeFirst takes the first dial back of a line, if there is one.
func takeFirst(line *[]waiting) (w waiting, ok bool) {
	if len(*line) == 0 {
		return waiting{}, false
	}
	w, (*line)[0] = (*line)[0], waiting{}
	*line = (*line)[1:]
	return w, true
}

// checked takes the outcome of a dial back: what it found, and the address at
// which the member answered. The member is told, and so are those who know it if
// it can now be found where it could not before.
func (r *registry) checked(now time.Time, ticket uint64, addr netip.AddrPort, found finding, out []effect) []effect {
	w, known := r.running[ticket]
	if !known {
		return out
	}
	delete(r.running, ticket)
	if w.guest {
		r.guestDials--
	}
	if !w.stale() {
		out = r.settle(now, w.e, w.which, addr, found == foundMember, out)
	}
	return r.startChecks(now, r.learn(now, w, found, out))
}

func (r *registry) settle(now time.Time, e *entry, c *claim, addr netip.AddrPort, ok bool, out []effect) []effect {
	c.queued = false
	before := c.state
	if !ok {
		c.state = claimBad
		c.again = now.Add(min(firstRecheck<<min(c.fails, 10), lastRecheck))
		c.fails++
		r.timeRetry(e)
		if before != claimBad {
			out = r.tell(e, proto.Reachable{OK: false, Addr: c.dialled()}, out)
		}
		return out
	}
	c.state, c.addr, c.fails = claimGood, addr, 0
	if e.guest && e.lookedFor {
		r.guestLives(now, e)
	}
	if before == claimGood {
		return out
	}
	out = r.tell(e, proto.Reachable{OK: true, Addr: addr}, out)
	if c == &e.main && before == claimUnchecked {
		return out // it went out at once
	}
	return r.introduce(now, e, true, out)
}

// dialled returns the claimed address; none for a name that led nowhere.
func (c *claim) dialled() netip.AddrPort {
	a, err := netip.ParseAddrPort(c.host)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().WithZone(""), a.Port())
}

// recheck asks anew for claims that failed, or were put off, a while ago.
func (r *registry) recheck(now time.Time, e *entry, out []effect) []effect {
	for _, c := range []*claim{&e.main, &e.advertised} {
		if c.state != claimGood && !now.Before(c.again) {
			out = r.queueCheck(now, e, c, out)
		}
	}
	r.timeRetry(e)
	return out
}
