package conduct

import (
	"bytes"
	"context"
	"crypto/sha1"
	"math/rand/v2"
	"net/netip"
	"time"

	"orchestra/proto"
)

// To BitTorrent clients the conductor is a tracker, over HTTP (BEP 3: plainhttp.go, http.go) and
// over UDP (BEP 15: udp.go). What all have in common is here.

const (
	// visitEvery is how often a guest is asked to announce itself, at least. It stays listed for
	// two intervals, if its place is not taken. The interval that it is told is up to visitJitter
	// longer, so that those who came together do not go on coming together.
	visitEvery  = time.Minute
	visitJitter = 10 * time.Second
	visitLeast  = 10 * time.Second // between two announcements

	visitSilence = 2 * (visitEvery + visitJitter)

	mostScraped = 64          // compositions that one scrape asks for
	scrapeEvery = time.Second // that one composition is counted anew, at most
)

// interval is what a guest is told.
func interval() time.Duration { return visitEvery + rand.N(visitJitter) }

// A visited is a guest's announcement on its way to the loop, and the answer on its way back. The
// loop has it until it is done. Then it can be used for another one.
type visited struct {
	guest  webGuest
	answer answer
	done   chan struct{} // has room
}

func newVisited() *visited { return &visited{done: make(chan struct{}, 1)} }

type answer struct {
	found   []found
	refused string
	census  census // of the composition
}

// A found is whom a guest is told of: at the first of its addresses of either kind. One that is not
// there is not valid.
type found struct {
	peer      proto.PeerID
	four, six netip.AddrPort
}

// findFor fills in how a guest at a seat is told of a member, and reports whether it is: see
// memberFor.
func (e *entry) findFor(to *seat, f *found) bool {
	if e.shunned || e.port == 0 {
		return false
	}
	f.peer, f.four, f.six = e.peer, netip.AddrPort{}, netip.AddrPort{}
	if e.hasOneAddr() {
		if a, ok := e.observedFor(to); ok {
			f.add(a)
		}
	} else {
		var room [proto.MaxAddrs]netip.AddrPort
		for _, a := range e.addrsFor(*to, room[:0]) {
			f.add(a)
		}
	}
	return f.four.IsValid() || f.six.IsValid()
}

// add takes note of an address, if it is the first of its kind.
func (f *found) add(a netip.AddrPort) {
	switch {
	case a.Addr().Is4():
		if !f.four.IsValid() {
			f.four = a
		}
	case !f.six.IsValid():
		f.six = a
	}
}

func (*visited) event() {}

// visit announces a guest, and waits for the answer. There is none if the conductor ends; then the
// visit is of no use any more.
func (c *Conductor) visit(ctx context.Context, v *visited) bool {
	if !c.allows(c.open, v.guest.id) {
		c.notTaken.Add(1)
		c.news.refused(v.guest.seat.from, v.guest.id, refusedComposition)
		v.answer = answer{refused: refusedComposition, found: v.answer.found[:0]}
		return true
	}
	c.post(ctx, v)
	select {
	case <-v.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// guestKey is what alone may replace the entry of a guest: a code of the key that it tells, or,
// where that is empty or zeros, of the address that it comes from.
func guestKey(told []byte, s seat) [16]byte {
	var room [128]byte
	text := append(append(room[:0], "key "...), told...)
	if len(bytes.Trim(told, "\x00")) == 0 {
		text = source(s.from.Addr()).AppendTo(append(room[:0], "from "...))
	}
	sum := sha1.Sum(text)
	return [16]byte(sum[:16])
}

// scraped brings a scrape to the loop; the answer goes into reply, which has room for it.
type scraped struct {
	ids   [][20]byte
	reply chan<- []census
}

func (scraped) event() {}

// scrape asks how many share some compositions. There is no answer if the conductor ends.
func (c *Conductor) scrape(ctx context.Context, ids [][20]byte) ([]census, bool) {
	reply := make(chan []census, 1)
	c.post(ctx, scraped{ids, reply})
	select {
	case all := <-reply:
		return all, true
	case <-ctx.Done():
		return nil, false
	}
}

// A census is how many share a composition (BEP 48).
type census struct {
	known      bool
	complete   int // members and guests that have all of it
	incomplete int // the others
	downloads  int // copies that became complete, as far as is known
}

// scrape counts who shares some compositions.
func (r *registry) scrape(now time.Time, ids [][20]byte) []census {
	all := make([]census, 0, len(ids))
	for _, id := range ids {
		all = append(all, r.censusOf(now, r.comps[id]))
	}
	return all
}

// censusOf counts who shares a composition, or gives what was counted a moment ago.
func (r *registry) censusOf(now time.Time, c *composition) census {
	if c == nil {
		return census{}
	}
	if c.counted.known && now.Before(c.countedAt.Add(scrapeEvery)) {
		return c.counted
	}
	n := census{known: true, downloads: len(c.copies) + c.downloads}
	for _, e := range c.entries {
		if e.complete() {
			n.complete++
		} else {
			n.incomplete++
		}
	}
	c.counted, c.countedAt = n, now
	return n
}
