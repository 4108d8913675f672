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

// To BitTorrent clients the conductor is a tracker, over HTTP (BEP 3, http.go) and over UDP (BEP
// 15, udp.go). What both have in common is here.

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

// visited brings a guest's announcement to the loop; the answer goes into reply, which has room for
// it.
type visited struct {
	guest webGuest
	reply chan<- answer
}

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

// findFor returns a member as a guest at a seat is told of it, and false if it is not, see
// memberFor.
func (e *entry) findFor(to seat) (f found, ok bool) {
	if e.isShunned() {
		return f, false
	}
	var room [proto.MaxAddrs]netip.AddrPort
	f.peer = e.peer
	for _, a := range e.addrsFor(to, room[:0]) {
		switch {
		case a.Addr().Is4() && !f.four.IsValid():
			f.four = a
		case a.Addr().Is6() && !f.six.IsValid():
			f.six = a
		}
	}
	return f, f.four.IsValid() || f.six.IsValid()
}

func (visited) event() {}

// visit announces a guest, and waits for the answer. There is none if the conductor ends.
func (c *Conductor) visit(ctx context.Context, v webGuest) (answer, bool) {
	if !c.allows(c.open, v.id) {
		c.notTaken.Add(1)
		c.news.refused(v.seat.from, v.id, refusedComposition)
		return answer{refused: refusedComposition}, true
	}
	reply := make(chan answer, 1)
	c.post(ctx, visited{v, reply})
	select {
	case a := <-reply:
		return a, true
	case <-ctx.Done():
		return answer{}, false
	}
}

// guestKey is what alone may replace the entry of a guest: a code of the key that it tells, or,
// where that is empty or zeros, of the address that it comes from.
func guestKey(told []byte, s seat) [16]byte {
	sum := sha1.Sum(append([]byte("key "), told...))
	if len(bytes.Trim(told, "\x00")) == 0 {
		sum = sha1.Sum([]byte("from " + source(s.from.Addr()).String()))
	}
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

// compact gives the addresses alone (BEP 23, BEP 7).
func (a *answer) compact() (peers, peers6 []byte) {
	peers = make([]byte, 0, 6*len(a.found))
	for _, f := range a.found {
		if f.four.IsValid() {
			peers = appendCompact(peers, f.four)
		}
		if f.six.IsValid() {
			peers6 = appendCompact(peers6, f.six)
		}
	}
	return peers, peers6
}

func appendCompact(b []byte, a netip.AddrPort) []byte {
	if a.Addr().Is4() {
		ip := a.Addr().As4()
		b = append(b, ip[:]...)
	} else {
		ip := a.Addr().As16()
		b = append(b, ip[:]...)
	}
	return append(b, byte(a.Port()>>8), byte(a.Port()))
}
