package swarm

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// A book is what this member knows of the others: where they may be reached, who says so, and what
// came of trying. Who is gone is forgotten: a member that its conductors no longer list, or that
// none of them lists and that does not answer. One that is listed and does not answer is tried
// again less and less often, since somebody sees it; it does not count meanwhile. Members that the
// user named stay.
//
// The book decides whom to dial next and when; how many links there are to be is not its concern.
type book struct {
	self    proto.PeerID
	rng     *rand.Rand
	known   []*member
	silent  int // of them: those that do not answer
	pending int // of them: those to whom a dial is out
	table   timetable
	targets targets
	own     ownPlaces
	listed  int           // members in all, this one among them, as it was told; 0: it was not
	foundAt time.Duration // when it was told of the first member
	recount time.Duration // when those are dropped that no conductor has listed anew
	before  time.Duration // those that were unlisted before this time
	hurry   bool          // nobody linked to sends what is missing: all are tried again soon
}

// member is somebody whom this member was told of.
type member struct {
	id      proto.PeerID // zero where only an address is known
	addrs   []netip.AddrPort
	name    string // by which the user named it; empty: a conductor did
	by      uint64 // a bit for each conductor that lists it
	pending bool   // a dial is out
	dialled time.Duration
	link    bool // a link is up
	gone    bool // it left, and is dropped when the dial or the link has ended
	all     bool // had everything when it was seen last

	fails int
	vain  int            // links to it in a row of which nothing came
	rests time.Duration  // not to be dialled before, as long as this member lacks nothing
	fault Fault          // of the last dial, if it failed
	at    netip.AddrPort // where that was
	after time.Duration  // not to be dialled before, either
	cut   time.Duration  // nor before, whatever else is learned of it: it is cut off

	heard    time.Duration // when it was told of, or a link to it ended
	unlisted time.Duration // when the last conductor was lost that listed it
}

const (
	redialFirst = 2 * time.Second
	redialMost  = 2 * time.Minute
	redialLost  = 15 * time.Minute // for members that have not answered lostFails times
	// redialHurry is how long after a dial the next one is at the latest while nobody linked to
	// sends what is missing: the way to somebody who would may be free again at any time.
	redialHurry = 8 * time.Second
	// redialNamed is the same for those that the user named, whoever else there is.
	redialNamed = 8 * time.Second
	// knownMost bounds what is remembered of members; the conductor hands out few, so only a flood
	// comes near it.
	knownMost = 1000

	// Who has not answered silentFails times in a row does not count as a member, and one that no
	// conductor lists is forgotten after lostFails and lostAfter.
	silentFails = 3
	lostFails   = 6
	lostAfter   = 10 * time.Minute
	// listAgain is how long those that a conductor listed before it was lost have to come back to
	// it once it is back. It is some times as long as they wait to connect again.
	listAgain = 2 * time.Minute
)

func newBook(self proto.PeerID, rng *rand.Rand) book {
	return book{self: self, rng: rng, foundAt: never - fewAfter, recount: never}
}

// others is how many members are known that are not known to be silent.
func (b *book) others() int { return len(b.known) - b.silent }

// bit stands for a conductor; those from the 64th on share one.
func bit(conductor int) uint64 { return 1 << min(max(conductor, 0), 63) }

// found remembers a member. What was learned of one before stays. It returns the member if it was
// known under other addresses.
func (b *book) found(now time.Duration, ev Found, linked bool) (moved *member) {
	m := b.told(ev)
	if m == nil {
		if m = b.add(ev); m == nil {
			return nil
		}
		m.link = linked
		b.foundAt = min(b.foundAt, now)
	} else if !slices.Equal(m.addrs, ev.Addrs) {
		m.addrs, m.after = ev.Addrs, now
		m.wakes()
		b.failed(m, 0)
		moved = m
	}
	m.gone, m.heard = false, now
	b.changed()
	if m.id == (proto.PeerID{}) {
		m.id = ev.ID
	}
	if ev.Name != "" {
		m.name = ev.Name
	} else {
		m.by |= bit(ev.Conductor)
	}
	return moved
}

// told is the member that one is told of, if it is known.
func (b *book) told(ev Found) *member {
	for _, m := range b.known {
		switch {
		case ev.ID != proto.PeerID{} && m.id == ev.ID, ev.Name != "" && m.name == ev.Name:
			return m
		}
	}
	for _, m := range b.known { // one of the two is known by its address alone
		if (ev.ID == proto.PeerID{} || m.id == proto.PeerID{}) &&
			slices.Contains(m.addrs, ev.Addrs[0]) {
			return m
		}
	}
	return nil
}

// add takes a member in. Where there are too many, the one goes that answers least.
func (b *book) add(ev Found) *member {
	if len(b.known) >= knownMost {
		var worst *member
		for _, m := range b.known {
			if m.fails > 0 && m.idle() && m.name == "" && (worst == nil || m.fails > worst.fails) {
				worst = m
			}
		}
		if worst == nil {
			return nil
		}
		b.drop(worst)
	}
	m := &member{id: ev.ID, addrs: ev.Addrs, name: ev.Name}
	b.known = append(b.known, m)
	return m
}

func (b *book) drop(m *member) {
	if i := slices.Index(b.known, m); i >= 0 {
		b.failed(m, 0)
		b.pend(m, false)
		b.known = slices.Delete(b.known, i, i+1)
	}
}

// idle reports whether no dial and no link will tell more of the member.
func (m *member) idle() bool { return !m.pending && !m.link }

// when is the time from which on a member may be dialled, at one of its addresses.
func (b *book) when(now time.Duration, m *member) time.Duration {
	_, at := b.open(now, m)
	after := m.after
	if b.hurry {
		after = min(after, m.dialled+redialHurry)
	}
	return max(after, m.cut, m.rests, at)
}

// hurries notes whether members are to be tried again soon.
func (b *book) hurries(on bool) {
	if on != b.hurry {
		b.hurry = on
		b.changed()
	}
}

// failed sets how often in a row the member did not answer.
func (b *book) failed(m *member, fails int) {
	b.changed()
	if m.fails >= silentFails {
		b.silent--
	}
	if m.fails = fails; m.fails >= silentFails {
		b.silent++
	}
}

// of returns the member with an id, or else one with one of the addresses; nil: none.
func (b *book) of(id proto.PeerID, addrs []netip.AddrPort) *member {
	for _, m := range b.known {
		if id != (proto.PeerID{}) && m.id == id {
			return m
		}
	}
	for _, m := range b.known {
		for _, a := range addrs {
			if slices.Contains(m.addrs, a) {
				return m
			}
		}
	}
	return nil
}

// gone takes in that a conductor no longer lists a member. It is dropped if no other one does: at
// once, or when the dial or the link has ended, which knows better.
func (b *book) gone(ev Gone) {
	for _, m := range slices.Clone(b.known) {
		if m.id != ev.ID {
			continue
		}
		if m.by &^= bit(ev.Conductor); m.by != 0 || m.name != "" {
			continue
		}
		if m.gone = true; m.idle() {
			b.drop(m)
		}
	}
}

// conducted takes in that a conductor is connected, or no longer. What it listed is not its word
// any more when it is lost; when it is back it lists those that are there, and the others have
// until then to come back.
func (b *book) conducted(now time.Duration, ev Conducted) {
	if ev.On {
		b.recount, b.before = now+listAgain, now
		for _, m := range b.known { // the network may be back
			m.after = min(m.after, max(now, m.dialled+redialHurry))
		}
		b.targets.ease(now)
		b.changed()
		return
	}
	for _, m := range b.known {
		if m.by&bit(ev.Conductor) != 0 {
			if m.by &^= bit(ev.Conductor); m.by == 0 {
				m.unlisted = now
			}
		}
	}
}

// expire drops those that were not listed anew.
func (b *book) expire(now time.Duration) {
	if now < b.recount {
		return
	}
	b.recount = never
	for _, m := range slices.Clone(b.known) {
		if m.by == 0 && m.name == "" && m.unlisted <= b.before {
			if m.gone = true; m.idle() {
				b.drop(m)
			}
		}
	}
}

// moved lets all be dialled now: this machine has other addresses than before.
func (b *book) moved(now time.Duration) {
	for _, m := range b.known {
		m.after = min(m.after, now)
	}
	b.targets, b.own = targets{}, ownPlaces{}
	b.changed()
}

// unreached takes in that a dial failed.
func (b *book) unreached(now time.Duration, ev DialFailed) {
	switch ev.Fault {
	case OwnLimits:
		b.targets.excuse(now, ev.Dial.Addrs)
	case Another:
		b.targets.answers(ev.Addr, ev.Is)
		if ev.Is == b.self {
			b.own.add(ev.Addr)
		} else {
			b.own.forget(ev.Addr)
		}
	}
	b.changed()
	m := b.of(ev.Dial.ID, ev.Dial.Addrs)
	if m == nil {
		return
	}
	b.pend(m, false)
	if ev.Fault != OwnLimits {
		m.fault, m.at = ev.Fault, ev.Addr
		if !m.at.IsValid() && len(m.addrs) > 0 {
			m.at = m.addrs[0]
		}
	}
	b.later(now, m)
	lost := m.by == 0 && m.name == "" && m.fails >= lostFails && now-m.heard >= lostAfter
	if ev.Fault == OwnLimits {
		b.failed(m, m.fails-1) // it says nothing of the member
	}
	if m.gone || lost {
		b.drop(m)
	}
}

// linked takes in that a link is up, to somebody of this id; dialled: that this member opened to an
// address. It returns the member; nil if it is not known.
func (b *book) linked(
	now time.Duration, id proto.PeerID, addr netip.AddrPort, dialled bool,
) *member {
	m := b.of(id, nil)
	if dialled {
		b.targets.reached(now, addr, id)
		b.own.forget(addr)
		b.changed()
		at := b.of(proto.PeerID{}, []netip.AddrPort{addr})
		switch {
		case at == nil:
		case m == nil:
			m = at
		case m != at && at.id == proto.PeerID{}: // it turns out to be the same
			m.name, m.by = cmp.Or(m.name, at.name), m.by|at.by
			b.drop(at)
		default:
			b.pend(at, false)
		}
	}
	if m == nil {
		return nil
	}
	m.id, m.link, m.fault = id, true, NoFault
	if dialled {
		b.pend(m, false)
	}
	b.failed(m, 0)
	return m
}

// unlinked takes in that no link to the member is up any more.
func (b *book) unlinked(now time.Duration, m *member, last parting) {
	m.all = last.all
	m.link, m.heard = false, now
	b.parted(now, m, last)
	b.later(now, m)
	if m.gone && !m.pending {
		b.drop(m)
	}
}

// cutOff has nobody of an id dialled until then who is at a host; the zero id: nobody there.
func (b *book) cutOff(id proto.PeerID, host netip.Addr, until time.Duration) {
	there := func(a netip.AddrPort) bool { return hostOf(a.Addr()) == host }
	for _, m := range b.known {
		if (id == proto.PeerID{} || m.id == id) && slices.ContainsFunc(m.addrs, there) {
			m.cut = max(m.cut, until)
		}
	}
	b.changed()
}

// later puts off the next dial of a member, longer each time.
func (b *book) later(now time.Duration, m *member) {
	most := redialMost
	switch {
	case m.name != "":
		most = redialNamed
	case m.fails >= 2*lostFails:
		most = redialLost
	}
	wait := min(redialFirst<<min(max(m.fails, m.vain), 10), most)
	b.failed(m, m.fails+1)
	m.after = now + wait/2 + time.Duration(b.rng.Int64N(int64(wait)))
}
