package swarm

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// Peers tell of others (BEP 11). That is hearsay of hearsay: whoever has a link may name any
// addresses. So those are no members of the book, and never count as any. They are dialled while
// something is missing here, few links are up, and nobody that is known can be dialled; one at a
// time and not often; and each says what becomes of it for a while. What one host says is bounded,
// and so is what is said of one host.

// hint is an address at which somebody is said to be.
type hint struct {
	addr    netip.AddrPort
	by      netip.Addr    // the host of who said so
	told    time.Duration // when
	after   time.Duration // not to be dialled before
	seed    bool          // it is said to have everything, and dialled before others
	fails   int
	pending bool // a dial is out
}

const (
	hintsMost    = 200
	hintsOfOne   = 25 // of one host that tells
	hintsAtOne   = 3  // of one host that is told of
	hintAge      = 10 * time.Minute
	hintFails    = 3
	hintAgain    = time.Minute // after a dial, longer each time
	hintEvery    = time.Second // between two dials
	hintsPending = 2
	// hintTellEvery is how far apart what one peer tells has to be.
	hintTellEvery = 30 * time.Second
)

// hints is what is remembered of what peers tell.
type hints struct {
	list    []hint
	pending int
	next    time.Duration // the next dial
}

// MayTell reports whether who is at one address may speak of another one: that of a machine itself,
// or of a private network, means something to who is there as well alone.
func MayTell(to, of netip.Addr) bool {
	to, of = to.Unmap(), of.Unmap()
	switch {
	case of.IsLoopback():
		return to.IsLoopback()
	case of.IsPrivate():
		return to.IsPrivate() || to.IsLoopback()
	}
	return of.IsGlobalUnicast()
}

// leastPort is the least port that is dialled on hearsay: below it are services of other kinds.
const leastPort = 1024

// hinted takes in what a peer says of others.
func (l *links) hinted(ev Hinted) {
	p := l.peer(ev.Peer)
	if p == nil || p.leaving || p.hintedAt != 0 && l.s.now < p.hintedAt+hintTellEvery {
		return
	}
	p.hintedAt = max(l.s.now, 1)
	h := &l.hints
	h.expire(l.s.now)
	by := hostOf(p.addr.Addr())
	for i, addr := range ev.Addrs {
		if addr.Port() < leastPort || !MayTell(p.addr.Addr(), addr.Addr()) || l.isKnown(addr) {
			continue
		}
		h.add(hint{
			addr: addr, by: by, told: l.s.now, after: l.s.now,
			seed: i < len(ev.Seeds) && ev.Seeds[i],
		})
	}
}

// isKnown reports whether an address is this member's own, or that of a peer or of a member of the
// book.
func (l *links) isKnown(addr netip.AddrPort) bool {
	if l.s.book.own.has(addr) || l.s.book.of(l.s.cfg.ID, []netip.AddrPort{addr}) != nil {
		return true
	}
	return slices.ContainsFunc(l.list, func(p *peer) bool { return p.place() == addr })
}

func (h *hints) add(newer hint) {
	of, at := 0, 0
	for i := range h.list {
		t := &h.list[i]
		if t.addr == newer.addr {
			t.told, t.seed = newer.told, t.seed || newer.seed
			return
		}
		if t.by == newer.by {
			of++
		}
		if hostOf(t.addr.Addr()) == hostOf(newer.addr.Addr()) {
			at++
		}
	}
	if of < hintsOfOne && at < hintsAtOne && len(h.list) < hintsMost {
		h.list = append(h.list, newer)
	}
}

// expire forgets what was told long ago.
func (h *hints) expire(now time.Duration) {
	h.list = slices.DeleteFunc(h.list, func(t hint) bool {
		return !t.pending && now-t.told >= hintAge
	})
}

func (h *hints) of(addr netip.AddrPort) *hint {
	i := slices.IndexFunc(h.list, func(t hint) bool { return t.addr == addr })
	if i < 0 {
		return nil
	}
	return &h.list[i]
}

// ended takes in that the dial to an address came to an end, and returns the hint; nil: it was
// none.
func (h *hints) ended(addr netip.AddrPort) *hint {
	t := h.of(addr)
	if t == nil || !t.pending {
		return nil
	}
	t.pending = false
	h.pending--
	return t
}

// unreached takes in that nobody was found at an address. It stays while it is remembered, so that
// saying it again does not have it dialled again.
func (h *hints) unreached(now time.Duration, addr netip.AddrPort) {
	if t := h.ended(addr); t != nil {
		t.fails++
		t.after = now + hintAgain<<t.fails
	}
}

// dialHint dials where somebody is said to be, if that is due: few links are up, and nobody of the
// book may be dialled.
func (l *links) dialHint() {
	h := &l.hints
	if l.s.now < l.hintDue() || h.pending >= hintsPending {
		return
	}
	var next *hint
	for i := range h.list {
		t := &h.list[i]
		if t.isDue(l.s.now) && l.hintWhen(t) <= l.s.now && (next == nil || t.seed && !next.seed) &&
			!l.isKnown(t.addr) {
			next = t
		}
	}
	if next == nil {
		return
	}
	l.s.book.targets.dialled(l.s.now, []netip.AddrPort{next.addr})
	next.pending = true
	next.after = l.s.now + hintAgain
	h.pending++
	h.next = l.s.now + hintEvery
	l.s.emit(Dial{Addrs: []netip.AddrPort{next.addr}})
}

func (t *hint) isDue(now time.Duration) bool {
	return !t.pending && t.fails < hintFails && now >= t.after && now-t.told < hintAge
}

// hintWhen is the time from which on a hint may be dialled: others may have been dialled in vain
// there.
func (l *links) hintWhen(t *hint) time.Duration {
	return max(t.after, l.s.book.targets.when(t.addr, proto.PeerID{}, false))
}

// hintDue is when the next hint may be dialled, if nothing changes; never: there is none, or no
// need.
func (l *links) hintDue() time.Duration {
	h := &l.hints
	few := min(fewLinks, l.s.plan.mostLinks())
	if len(h.list) == 0 || l.s.missing == 0 || h.pending >= hintsPending ||
		l.up+l.s.book.pending+h.pending >= few {
		return never
	}
	at := never
	for i := range h.list {
		if t := &h.list[i]; !t.pending && t.fails < hintFails && !l.isKnown(t.addr) {
			if due := max(l.hintWhen(t), h.next); due-t.told < hintAge {
				at = min(at, due)
			}
		}
	}
	return at
}
