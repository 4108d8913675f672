package conduct

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// What members claim may be somebody else's address, and the conductor's dial
// backs are what the victim gets. So they are bounded by whom they go to, however
// many claim it: see target for one HOST:PORT, and hostKey for all ports of one
// host. Where a member answers, nothing of that is used up.
const (
	dialsOfTarget = 4 // at a time
	missesBurst   = 4 // dial backs to one target that found no member
	missesEvery   = 15 * time.Second

	maxTargets = 64 << 10 // that are remembered
)

// A target is a HOST:PORT that members claim. Where nobody answers, nobody is
// believed to be there until it is dialled again, which is ever less often.
type target struct {
	dialling int       // dial backs under way
	waiting  []waiting // for those to end
	misses   allowance
	fails    int       // in a row: nobody was there
	again    time.Time // it is not dialled before
}

// A hostKey is what dial backs are bounded by beside their target: the host
// (IPv6: the /64), or where it is a name, which may lead anywhere, the source of
// the member that claims it. Its own host a member may have dialled more often,
// since behind a NAT there may be many that nobody reaches.
type hostKey struct {
	addr netip.Addr
	kind hostKind
}

type hostKind uint8

const (
	ownHost hostKind = iota
	otherHost
	namedHost
)

// bound is how many dial backs there may be that find no member: so many at
// once, then one each so often.
func (k hostKind) bound() (burst int, every time.Duration) {
	switch k {
	case ownHost:
		return 256, time.Second / 4
	case namedHost:
		return 4, 30 * time.Second
	}
	return 16, 5 * time.Second
}

func (k hostKey) draw(a *allowance, now time.Time) bool {
	burst, every := k.kind.bound()
	return a.draw(now, burst, every)
}

// targetOf is what a HOST:PORT is remembered under, however it is spelt.
func targetOf(host string) string {
	a, err := netip.ParseAddrPort(host)
	if err != nil {
		return strings.ToLower(host)
	}
	to := a.Addr().Unmap()
	if !to.IsLinkLocalUnicast() {
		to = to.WithZone("")
	}
	return netip.AddrPortFrom(to, a.Port()).String()
}

func hostOf(w waiting) hostKey {
	from := w.e.seat.from.Addr()
	a, err := netip.ParseAddrPort(w.host)
	switch to := a.Addr().Unmap(); {
	case err != nil:
		return hostKey{source(from), namedHost}
	case to == from, to.IsLoopback() && from.IsLoopback():
		return hostKey{source(to), ownHost}
	default:
		return hostKey{source(to), otherHost}
	}
}

// targets are what is remembered of those.
type targets struct {
	by    map[string]*target
	hosts map[hostKey]*allowance
	sweep int // beyond so many, those are forgotten of which nothing is to be remembered
}

func newTargets() targets {
	return targets{by: make(map[string]*target), hosts: make(map[hostKey]*allowance)}
}

// get returns the target of a dial back, and what its host may still be dialled.
func (ts *targets) get(now time.Time, w waiting) (*target, *allowance) {
	if len(ts.by)+len(ts.hosts) > ts.sweep {
		ts.forget(now)
	}
	name, key := targetOf(w.host), hostOf(w)
	t := ts.by[name]
	if t == nil {
		t = new(target)
		ts.by[name] = t
	}
	h := ts.hosts[key]
	if h == nil {
		h = new(allowance)
		ts.hosts[key] = h
	}
	return t, h
}

// forget forgets what is of no use any more, and if there is too much else, some
// of that.
func (ts *targets) forget(now time.Time) {
	for host, t := range ts.by {
		busy := t.dialling > 0 || len(t.waiting) > 0
		if !busy && (len(ts.by) > maxTargets || !now.Before(t.again) && t.misses.restored(now, missesEvery)) {
			delete(ts.by, host)
		}
	}
	for key, a := range ts.hosts {
		if _, every := key.kind.bound(); len(ts.hosts) > maxTargets || a.restored(now, every) {
			delete(ts.hosts, key)
		}
	}
	ts.sweep = 1024 + 2*(len(ts.by)+len(ts.hosts))
}

// tryDial starts a dial back, or does without one: it waits for others to the
// same target, or is put off, or settled by what is known of that.
func (r *registry) tryDial(now time.Time, w waiting, out []effect) []effect {
	t, host := r.targets.get(now, w)
	key := hostOf(w)
	switch {
	case now.Before(t.again):
		return r.takeForBad(now, w, t.again, out)
	case t.dialling >= dialsOfTarget:
		if len(t.waiting) > 64+4*len(r.expiry) {
			t.waiting = slices.DeleteFunc(t.waiting, waiting.stale)
		}
		t.waiting = append(t.waiting, w)
		return out
	case !t.misses.draw(now, missesBurst, missesEvery):
		return r.putOff(now, w, out)
	case !key.draw(host, now):
		t.misses.giveBack()
		return r.putOff(now, w, out)
	}
	t.dialling++
	if w.guest {
		r.guestDials++
	}
	r.ticket++
	r.running[r.ticket] = w
	return append(out, dialBack{
		ticket: r.ticket, id: w.e.comp.id, peer: w.e.peer, host: w.host,
		from: w.e.seat.from.Addr(), guest: w.guest,
	})
}

// putOff leaves a claim as it is for a while.
func (r *registry) putOff(now time.Time, w waiting, out []effect) []effect {
	w.which.queued, w.which.again = false, now.Add(missesEvery)
	r.timeRetry(w.e)
	return out
}

// takeForBad settles a claim by what others to the same target found.
func (r *registry) takeForBad(now time.Time, w waiting, again time.Time, out []effect) []effect {
	fails := w.which.fails
	out = r.settle(now, w.e, w.which, netip.AddrPort{}, false, out)
	w.which.fails, w.which.again = fails, again
	r.timeRetry(w.e)
	return out
}

// learn takes in what a dial back found at its target, and goes on with those
// that waited for that.
func (r *registry) learn(now time.Time, w waiting, found finding, out []effect) []effect {
	t, host := r.targets.get(now, w)
	t.dialling--
	switch found {
	case foundMember:
		t.misses.giveBack()
		host.giveBack()
		t.fails, t.again = 0, time.Time{}
	case foundNobody:
		wait := firstRecheck
		if hostOf(w).kind != ownHost {
			wait = min(firstRecheck<<min(t.fails, 10), lastRecheck)
		}
		t.fails++
		t.again = now.Add(wait)
	}
	for len(t.waiting) > 0 && t.dialling < dialsOfTarget && len(r.running) < r.lim.dials {
		next := t.waiting[0]
		t.waiting = t.waiting[1:]
		switch {
		case next.stale():
		case next.guest && r.guestDials >= r.lim.guestDials():
			r.guestLine = append(r.guestLine, next)
		default:
			out = r.tryDial(now, next, out)
		}
	}
	if len(t.waiting) == 0 {
		t.waiting = nil
	}
	return out
}

// own are the addresses that members of a composition named themselves, by how
// many from one source name each. Members that are handed out under one address
// make all others dial it, so only so many are: a second one may be the same
// member that came again.
const namedBy = 2

type namedAddr struct {
	src  netip.Addr
	addr netip.AddrPort
}

// nameOwn sets the addresses that a member named itself.
func (e *entry) nameOwn(named []netip.AddrPort) {
	e.unnameOwn()
	src := source(e.seat.from.Addr())
	for _, a := range ownAddrs(named) {
		key := namedAddr{src, a}
		if e.comp.named[key] < namedBy {
			e.comp.named[key]++
			e.own = append(e.own, a)
		}
	}
}

func (e *entry) unnameOwn() {
	src := source(e.seat.from.Addr())
	for _, a := range e.own {
		lessen(e.comp.named, namedAddr{src, a})
	}
	e.own = nil
}
