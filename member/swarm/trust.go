package swarm

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/proto"
)

// What goes wrong costs whoever did it, and no more than that. A part that came bad from one peer
// is asked for elsewhere, and there again when the peer says that it has it anew, or after a while:
// disks have bad sectors, and every other part is as good as before. Where several sent a part,
// what failed is compared with what is good later on, so that it is known who was wrong.
//
// Who sends bad parts again and again, and few good ones, is cut off for a while, longer each time:
// by its peer id together with its host, and the host as a whole if it goes on under other ids,
// unless there are others behind that address who send what is right. Who owns up to a bad part, by
// withdrawing it, is not held to it. Everything fades.
const (
	// A peer may send so many different bad parts, and so many bytes of them: a sixteenth of the
	// content, but no less than what may be on its way when it hears of the first, and no more than
	// a liar may cost. All that is seen under one address may send suspectHosts times as much.
	badParts     = 4
	badShare     = 16
	badLeast     = 4 << 20
	badMost      = 16 << 20
	suspectHosts = 2
	badFor       = 10 * time.Minute // that a bad part counts

	// Who is cut off is tried again after cutFirst, then after twice as long each time.
	cutFirst = time.Minute
	cutMost  = time.Hour

	// A bad part is asked of the same peer again after againFirst, then after twice as long each
	// time. That it has it anew is believed at once so many times, from whoever is at its address.
	againFirst = 30 * time.Second
	againMost  = 5 * time.Minute
	believed   = 2

	// A part that several sent bad comes from one peer the next time, if that one sends it soon.
	aloneFor = 30 * time.Second

	// Who passed on so many bad parts that it had not verified is asked only for what it has, for a
	// while: it need not have known.
	hearsayFailures = 2
	hearsayFor      = time.Minute

	culpritsMost = 1000 // that are remembered
	suspectsMost = 64   // parts of which it is remembered who sent what
	recordMost   = 4096 // bad parts of one culprit
)

// trust is what is held against whom, and until when.
type trust struct {
	s       *Swarm
	records map[culprit]*record
	held    []held                   // what is not asked of peers for now
	alone   map[uint32]time.Duration // parts that come from one peer, until then
	suspect map[uint32][]suspect     // by part that several sent bad: its runs
	turns   map[uint32][]sender      // by such a part: who was asked for it alone since
	at      time.Duration            // when something of these ends; never: nothing does
	badAt   time.Duration            // when a part came bad last; 0: none did

	bad  map[uint32]bool // parts that are missing, and were bad when they came
	from netip.AddrPort  // from where the last of them came
}

// held is a part that a peer says to have, and that was bad.
type held struct {
	peer *peer
	part uint32
	at   time.Duration // until then
}

// suspect is a run of a part that was bad.
type suspect struct {
	sum     uint64
	from    sender
	mixed   bool
	mixers  []sender // who sent it then
	hearsay bool
	right   sender // who sent what is right; zero: several, or it is not here yet
}

func newTrust(s *Swarm) trust {
	return trust{
		s:       s,
		records: map[culprit]*record{},
		alone:   map[uint32]time.Duration{},
		suspect: map[uint32][]suspect{},
		turns:   map[uint32][]sender{},
		bad:     map[uint32]bool{},
		at:      never,
	}
}

// failed throws a part away that did not verify, and finds out whose fault that is.
func (t *trust) failed(ev Failed) {
	part := ev.Part
	w := t.s.requests.works[part]
	if w == nil || w.left > 0 { // it was another copy of it
		return
	}
	t.s.requests.end(w)
	t.s.stats.Failed += t.s.partLen(part)
	t.s.grants.breakOff(part)
	if ev.Disk {
		t.s.setbacks.free(part)
		t.s.requests.fillOthers(nil)
		return
	}
	t.bad[part] = true
	t.badAt = max(t.s.now, 1)
	switch from, one := w.sender(); {
	case one && w.hearsay():
		t.mislead(from)
	case one:
		t.blame(from, part)
	default:
		t.suspects(w, ev.Sums)
		t.comesAloneFor(part, aloneFor)
		t.takesTurns(w)
	}
	t.restrain()
	t.s.setbacks.free(part)
	t.s.requests.fillOthers(nil)
}

// suspects remembers who sent what of a part, to be compared with what is right.
func (t *trust) suspects(w *work, sums []uint64) {
	if len(w.runs) == 1 {
		sums = []uint64{0} // it was the one that was bad
	}
	if len(sums) != len(w.runs) || len(t.suspect) >= suspectsMost {
		return
	}
	list := make([]suspect, len(sums))
	for n, r := range w.runs {
		list[n] = suspect{
			sum: sums[n], from: r.from, mixed: r.mixed, mixers: r.mixers, hearsay: r.hearsay,
		}
	}
	t.suspect[w.part] = list
}

// settle ends what was held against a part when it is here.
func (t *trust) settle(part uint32) {
	delete(t.bad, part)
	delete(t.alone, part)
	delete(t.turns, part)
	switch runs := t.suspect[part]; {
	case len(runs) == 1:
		delete(t.suspect, part)
		t.implicate(runs[0], part, 0)
	case runs != nil:
		t.s.emit(Compare{part})
	}
}

// compared blames those whose runs of a part were other than those that are right.
func (t *trust) compared(ev Compared) {
	runs := t.suspect[ev.Part]
	delete(t.suspect, ev.Part)
	if len(runs) != len(ev.Sums) {
		return
	}
	var blamed []sender
	for n, r := range runs {
		switch {
		case r.sum == ev.Sums[n] || slices.ContainsFunc(blamed, r.from.same):
		case r.mixed:
			t.implicate(r, ev.Part, n)
		case r.hearsay:
			t.mislead(r.from)
		default:
			blamed = append(blamed, r.from)
			t.blame(r.from, ev.Part)
		}
	}
}

// blame holds a bad part against who sent it.
func (t *trust) blame(from sender, part uint32) {
	c := from.culprit()
	t.from = from.addr
	wait := t.accuse(t.s.now, c, part, t.s.partLen(part))
	t.accuse(t.s.now, c.whole(), part, t.s.partLen(part))
	link := -1
	for _, p := range t.s.links.list {
		if !c.is(p) {
			continue
		}
		link = p.index
		if !t.s.Has(part) {
			t.hold(p, part, wait)
		}
	}
	t.s.emit(Complain{link, from.id, from.addr, part})
	t.charge(c)
	t.charge(c.whole())
	most := min(max(t.s.size/badShare, badLeast), badMost)
	switch {
	case t.over(c.whole(), suspectHosts, most):
		t.cutOff(c.whole(), from)
	case t.over(c, 1, most):
		t.cutOff(c, from)
	}
}

// over reports whether a culprit has sent too much that was bad, and more of it than was good.
func (t *trust) over(c culprit, times int, most int64) bool {
	r := t.records[c]
	if r == nil || r.n <= badParts*times || r.bytes <= most*int64(times) {
		return false
	}
	return r.bytes > r.good
}

// cutOff ends the links to a culprit, and has none to it for a while.
func (t *trust) cutOff(c culprit, from sender) {
	r := t.records[c]
	if own := t.records[from.culprit()]; own != nil {
		r.times = max(r.times, own.times)
	}
	wait := min(cutFirst<<min(r.times, 10), cutMost)
	r.times++
	r.until = t.s.now + wait
	t.s.emit(CutOff{Addr: from.addr, Host: c.id == proto.PeerID{}, Parts: r.n, For: wait})
	r.bad, r.n, r.bytes = nil, 0, 0
	for _, p := range t.s.links.list {
		if c.is(p) {
			t.s.links.drop(p, "sent bad data again and again")
			t.s.requests.cutOff(p)
		}
	}
	t.s.book.cutOff(c.id, c.host, r.until)
}

// cut reports whether a peer is cut off now.
func (t *trust) cut(p *peer) bool {
	c := sender{p.id, p.addr}.culprit()
	for _, c := range []culprit{c, c.whole()} {
		if r := t.records[c]; r != nil && t.s.now < r.until {
			return true
		}
	}
	return false
}

// hold has a peer not asked for a part for a while, unless it says that it has it anew.
func (t *trust) hold(p *peer, part uint32, wait time.Duration) {
	if !p.hasPart(part) {
		return
	}
	t.s.links.peerLoses(p, part)

	t.release(p, part)
	t.held = append(t.held, held{p, part, t.s.now + wait})
	t.at = min(t.at, t.s.now+wait)
}

// doubt holds what a peer says to have and sent bad before, or somebody else at its address, if
// that happened again and again.
func (t *trust) doubt(p *peer) {
	if len(t.records) == 0 {
		return
	}
	r := t.records[sender{p.id, p.addr}.culprit().whole()]
	if r == nil {
		return
	}
	for _, b := range r.bad {
		if left := b.at + b.wait() - t.s.now; b.times > believed && left > 0 {
			t.hold(p, b.part, left)
		}
	}
}

// release forgets that a part is not to be asked of a peer, and reports whether it was so.
func (t *trust) release(p *peer, part uint32) bool {
	n := len(t.held)
	t.held = slices.DeleteFunc(t.held, func(h held) bool { return h.peer == p && h.part == part })
	return len(t.held) < n
}

// ownsUp takes it to a peer's credit that it withdraws a part that was bad.
func (t *trust) ownsUp(p *peer, part uint32) {
	t.release(p, part)
	c := sender{p.id, p.addr}.culprit()
	for _, c := range []culprit{c, c.whole()} {
		if r := t.records[c]; r != nil {
			r.own(part)
		}
	}
}

// forgetPeer forgets what a peer is not to be asked for: its next link begins anew.
func (t *trust) forgetPeer(p *peer) {
	t.held = slices.DeleteFunc(t.held, func(h held) bool { return h.peer == p })
}

// comesAloneFor has a part come from one peer for so long.
func (t *trust) comesAloneFor(part uint32, span time.Duration) {
	t.alone[part] = t.s.now + span
	t.at = min(t.at, t.s.now+span)
}

// comesAlone reports whether a part is to come from one peer.
func (t *trust) comesAlone(part uint32) bool {
	until, ok := t.alone[part]
	return ok && t.s.now < until
}

// tend ends what was held long enough.
func (t *trust) tend() {
	if t.s.now < t.at {
		return
	}
	var due []held
	t.at = never
	t.held = slices.DeleteFunc(t.held, func(h held) bool {
		if t.s.now < h.at {
			t.at = min(t.at, h.at)
			return false
		}
		due = append(due, h)
		return true
	})
	for part, until := range t.alone {
		if t.s.now < until {
			t.at = min(t.at, until)
		} else {
			delete(t.alone, part)
		}
	}
	for _, r := range t.records {
		if t.s.now < r.askAt {
			t.at = min(t.at, r.askAt)
		}
	}
	for _, h := range due {
		t.s.links.peerGains(h.peer, h.part)
		t.s.links.showInterest(h.peer)
	}
	t.s.requests.fillOthers(nil)
}

// due is when tend has something to do.
func (t *trust) due() time.Duration { return t.at }

// credit counts good content for who sent it.
func (t *trust) credit(w *work) {
	runs := t.suspect[w.part]
	for n, r := range w.runs {
		if len(runs) == len(w.runs) && !r.mixed {
			runs[n].right = r.from
		}
		if p := t.s.links.peer(r.by); r.here && p != nil && p.id == r.from.id {
			good := int64(t.s.runOf(w, n).Length)
			p.good += good
			c := sender{p.id, p.addr}.culprit()
			for _, c := range []culprit{c, c.whole()} {
				if r := t.records[c]; r != nil {
					r.good += good
				}
			}
		}
	}
}

// mislead counts a bad part that a peer passed on before it knew.
func (t *trust) mislead(from sender) {
	c := from.culprit()
	r := t.record(t.s.now, c)
	if t.s.now-r.misledAt > hearsayFor {
		r.misled = 0
	}
	r.misled++
	r.misledAt, r.heard = t.s.now, t.s.now
	for _, p := range t.s.links.list {
		if c.is(p) && t.misleads(p) {
			t.s.plan.relaysNothing(p)
		}
	}
}

// misleads reports whether what a peer passes on before it verified is not to be asked for now.
func (t *trust) misleads(p *peer) bool {
	r := t.records[sender{p.id, p.addr}.culprit()]
	return r != nil && r.misled >= hearsayFailures && t.s.now-r.misledAt <= hearsayFor
}
