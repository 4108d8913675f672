package swarm

import (
	"net/netip"
	"slices"
	"time"
)

// Waiting is what is known of why nothing comes. It is all zero while something does, and when
// nothing is missing.
type Waiting struct {
	Missing int // parts

	Links   int // connected members
	Holders int // of them: have some of what is missing
	Choking int // of those: do not serve this member
	Busy    int // have been asked and serve others, or ask this one to wait
	Mute    int // stopped in the middle
	Deaf    int // do not answer at all

	Nowhere int            // missing parts that nobody connected has
	HadBy   netip.AddrPort // who had most of them and is gone; port 0: not known; not valid: nobody
	Had     int            // how many of them

	Full bool // there is no room on the disk
	Held int  // missing parts that the disk did not take, and that are tried again later

	Bad     int            // missing parts that were bad when they came
	BadFrom netip.AddrPort // from where the last of them came

	Known   int            // members
	Untried int            // of them: no dial has come to an end yet
	Silent  int            // of them: the dial failed
	Fault   Fault          // the one of the last dials that tells most
	Where   netip.AddrPort // that was
}

const (
	// waitingAfter is how long nothing comes until that is worth a word.
	waitingAfter = 2 * time.Second
	// aloneAfter is how long a member that knows others and is linked to none waits until it takes
	// that for a fault of the way there.
	aloneAfter = 8 * time.Second
	// hungryAfter is how long nothing comes until more is done about it than to wait.
	hungryAfter = 4 * time.Second
	// doubtEvery is how often those who should send are asked for a sign of life then.
	doubtEvery = 5 * time.Second
	// absentMost is how many of those that left with something that is missing here are remembered.
	absentMost = 8
)

// An absence is a peer that left and had something that is missing here.
type absence struct {
	addr netip.AddrPort // where it listened; port 0: that is not known
	all  bool
	has  bitmap
}

// lull is what is known of why nothing comes, when nothing does.
type lull struct {
	s      *Swarm
	cameAt time.Duration // when content came last
	doubts time.Duration // when those who should send are asked for a sign of life next
	absent []absence     // who left with something that is missing here, the last one last
}

// comes notes when content came last.
func (u *lull) comes(ev Event) {
	switch ev := ev.(type) {
	case Progress:
		if ev.Down > 0 {
			u.cameAt = u.s.now
		}
	case Received:
		u.cameAt = u.s.now
	}
}

// hungry reports whether nothing has come for a while that is to come.
func (u *lull) hungry() bool {
	return u.s.missing > 0 && u.s.now >= u.cameAt+hungryAfter
}

// doubt asks those for a sign of life who have what is missing, while nothing comes: a link may be
// dead and owe no acknowledgement, so that nobody would find out for long.
func (u *lull) doubt() {
	if !u.hungry() || u.s.now < u.doubts {
		return
	}
	u.doubts = u.s.now + doubtEvery
	for _, p := range u.s.links.list {
		if p.useful > 0 && !p.leaving && !p.origin {
			u.s.emit(Doubt{p.index})
		}
	}
}

// due is when nothing will have come for a while, or there is something to do about it.
func (u *lull) due() time.Duration {
	switch from := u.cameAt + hungryAfter; {
	case u.s.missing == 0:
		return never
	case u.s.now < from:
		return from
	case u.s.links.up == 0:
		return never
	}
	return max(u.doubts, u.s.now)
}

// misses remembers a peer that left, if it had something that is missing here.
func (u *lull) misses(p *peer) {
	if p.useful == 0 {
		return
	}
	a := absence{addr: p.place(), all: p.all, has: p.has}
	u.absent = slices.DeleteFunc(u.absent, func(b absence) bool { return b.addr == a.addr })
	if len(u.absent) == absentMost {
		u.absent = slices.Delete(u.absent, 0, 1)
	}
	u.absent = append(u.absent, a)
}

// placeOf is where the peer can be dialled, as far as is known; else its host and port 0.
func (p *peer) place() netip.AddrPort {
	if !p.dialled && p.port == 0 {
		return netip.AddrPortFrom(p.addr.Addr(), 0)
	}
	return p.sender().addr
}

// Waiting returns what is known at now of why nothing comes. It looks at every part if any is at
// nobody's, so it is for a few times a second.
func (s *Swarm) Waiting(now time.Duration) Waiting {
	if s.missing == 0 || now < s.lull.cameAt+waitingAfter && !s.setbacks.full {
		return Waiting{}
	}
	w := Waiting{Missing: s.missing, Links: s.links.up}
	s.setbacks.waits(&w)
	for _, p := range s.links.list {
		if p.useful == 0 || p.origin {
			continue
		}
		w.Holders++
		switch {
		case p.deaf:
			w.Deaf++
		case p.choked:
			w.Choking++
		case p.begun > 0:
			w.Mute++
		default:
			w.Busy++
		}
	}
	if w.Bad = len(s.trust.bad); w.Bad > 0 {
		w.BadFrom = s.trust.from
	}
	s.lull.nowhere(&w)
	s.book.reach(&w)
	return w
}

// reach tells who is known and not linked to, and why.
func (b *book) reach(w *Waiting) {
	w.Known = len(b.known)
	for _, m := range b.known {
		switch {
		case m.link || m.rests > 0:
		case m.fault == NoFault:
			w.Untried++
		default:
			if w.Silent++; m.fault > w.Fault {
				w.Fault, w.Where = m.fault, m.at
			}
		}
	}
}

// stranger takes in that somebody from where a member is known to be did not speak as members do.
func (b *book) stranger(ev Stranger) {
	for _, m := range b.known {
		if !m.link && m.isAt(ev.Addr.Addr()) {
			m.fault, m.at = max(m.fault, ev.Fault), m.addrs[0]
		}
	}
}

// Alone reports whether nobody was ever linked to, although members are known, and whether a
// firewall may be why: no host answers, or none that tells more.
func (s *Swarm) Alone(now time.Duration) bool {
	if s.links.ever || len(s.book.known) == 0 || now-s.book.foundAt < aloneAfter {
		return false
	}
	var w Waiting
	s.book.reach(&w)
	return w.Fault <= NoWay
}

// Complete counts the members that had everything when they were seen last.
func (s *Swarm) Complete() int {
	n := 0
	for _, m := range s.book.known {
		if m.all && !m.link {
			n++
		}
	}
	for _, p := range s.links.list {
		if p.all && !p.origin {
			n++
		}
	}
	return n
}

// Nowhere returns the missing parts that nobody connected has; none if they are more than most.
func (s *Swarm) Nowhere(most int) (parts []uint32) {
	if s.links.seeds > 0 {
		return nil
	}
	for part := range uint32(s.parts) {
		if !s.lacks(part) || s.rare.count[part] > 0 {
			continue
		}
		if len(parts) == most {
			return nil
		}
		parts = append(parts, part)
	}
	return parts
}

// nowhere counts the missing parts that nobody connected has, and finds who had them.
func (u *lull) nowhere(w *Waiting) {
	if u.s.links.seeds > 0 {
		return
	}
	had := make([]int, len(u.absent))
	for part := range uint32(u.s.parts) {
		if !u.s.lacks(part) || u.s.rare.count[part] > 0 {
			continue
		}
		w.Nowhere++
		for i, a := range u.absent {
			if a.all || a.has.has(part) {
				had[i]++
			}
		}
	}
	for i, n := range had {
		if n > 0 && n >= w.Had { // of two, who left last
			w.Had, w.HadBy = n, u.absent[i].addr
		}
	}
}
