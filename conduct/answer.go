package conduct

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"strconv"

	"orchestra/proto/bencode"
)

// What a client asks by HTTP and what it is answered, apart from how the one is read and the other
// is sent: net/http does both for any client (http.go), and plainhttp.go for most of them.

// A question is what a client asks.
type question uint8

const (
	announcing question = iota // BEP 3
	scraping                   // BEP 48
)

// A desk is the memory that it takes to answer a client. It is used again for others.
type desk struct {
	visit *visited
	ids   [][20]byte
	room  []byte // for the parameters of a query
	body  []byte
	out   []byte
}

// What most questions and answers take. Larger memory is not kept.
const (
	deskRoom  = 1 << 10
	deskKeeps = 4 << 10
)

// takeDesk returns a desk, which is nobody else's until it is put back.
func (c *Conductor) takeDesk() *desk {
	if d, ok := c.desks.Get().(*desk); ok {
		return d
	}
	return &desk{visit: newVisited(), room: make([]byte, 0, deskRoom)}
}

func (c *Conductor) putDesk(d *desk) {
	if cap(d.body) > deskKeeps {
		d.body = nil
	}
	if cap(d.out) > 2*deskKeeps {
		d.out = nil
	}
	c.desks.Put(d)
}

// answer appends to out what a client at a seat is answered, bencoded, and says whether its
// connection is kept for another question: clients have many. Who is refused has none. There is no
// answer if the conductor ends; then the desk may not be put back.
func (c *Conductor) answer(
	ctx context.Context, d *desk, q question, query []byte, s seat, out []byte,
) (body []byte, keep, ok bool) {
	if q == scraping {
		return c.answerScrape(ctx, d, query, out)
	}
	v, compact, err := parseVisit(query, d.room, s)
	if err != nil {
		return appendFailure(out, err.Error()), false, true
	}
	d.visit.guest = v
	if !c.visit(ctx, d.visit) {
		return out, false, false
	}
	if why := d.visit.answer.refused; why != "" {
		return appendFailure(out, why), false, true
	}
	return d.visit.answer.append(out, compact), true, true
}

// answerScrape tells of up to mostScraped compositions. A scrape of all that are here is refused:
// they are nobody's business.
func (c *Conductor) answerScrape(
	ctx context.Context, d *desk, query, out []byte,
) (body []byte, keep, ok bool) {
	ids, err := parseScrape(d.ids[:0], query, d.room)
	if err != nil {
		return appendFailure(out, err.Error()), false, true
	}
	d.ids = ids
	slices.SortFunc(ids, func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	ids = slices.Compact(ids)
	all, ok := c.scrape(ctx, ids)
	if !ok {
		return out, false, false
	}
	return appendScraped(out, ids, all), true, true
}

// append appends the answer to an announce, as BEP 23 and BEP 7 have it or, if not compact, BEP 3.
func (a *answer) append(b []byte, compact bool) []byte {
	b = append(b, 'd')
	b = appendNumber(b, "complete", int64(a.census.complete))
	b = appendNumber(b, "downloaded", int64(a.census.downloads))
	b = appendNumber(b, "incomplete", int64(a.census.incomplete))
	b = appendNumber(b, "interval", seconds(interval()))
	b = appendNumber(b, "min interval", seconds(visitLeast))
	b = bencode.AppendText(b, "peers")
	if compact {
		b = a.appendCompact(b)
	} else {
		b = a.appendList(b)
	}
	return append(b, 'e')
}

// appendCompact appends the addresses alone, those of IPv6 under a key of their own.
func (a *answer) appendCompact(b []byte) []byte {
	four, six := 0, 0
	for i := range a.found {
		if a.found[i].four.IsValid() {
			four++
		}
		if a.found[i].six.IsValid() {
			six++
		}
	}
	b = append(strconv.AppendInt(b, int64(6*four), 10), ':')
	b = bencode.AppendText(a.four(b), "peers6")
	b = append(strconv.AppendInt(b, int64(18*six), 10), ':')
	return a.six(b)
}

func (a *answer) appendList(b []byte) []byte {
	b = append(b, 'l')
	for i := range a.found {
		f := &a.found[i]
		for _, at := range [...]netip.AddrPort{f.four, f.six} {
			if !at.IsValid() {
				continue
			}
			var room [64]byte
			b = append(b, 'd')
			b = bencode.AppendText(b, "ip")
			b = bencode.AppendText(b, at.Addr().AppendTo(room[:0]))
			b = bencode.AppendText(b, "peer id")
			b = bencode.AppendText(b, f.peer[:])
			b = appendNumber(b, "port", int64(at.Port()))
			b = append(b, 'e')
		}
	}
	return append(b, 'e')
}

// four appends the IPv4 addresses (BEP 23).
func (a *answer) four(b []byte) []byte {
	for i := range a.found {
		if at := a.found[i].four; at.IsValid() {
			ip := at.Addr().As4()
			b = append(b, ip[0], ip[1], ip[2], ip[3], byte(at.Port()>>8), byte(at.Port()))
		}
	}
	return b
}

// six appends the IPv6 addresses (BEP 7).
func (a *answer) six(b []byte) []byte {
	for i := range a.found {
		if at := a.found[i].six; at.IsValid() {
			ip := at.Addr().As16()
			b = append(append(b, ip[:]...), byte(at.Port()>>8), byte(at.Port()))
		}
	}
	return b
}

// appendScraped appends the answer to a scrape of compositions, which are in order.
func appendScraped(b []byte, ids [][20]byte, all []census) []byte {
	b = append(b, "d5:filesd"...)
	for i, n := range all {
		if !n.known {
			continue
		}
		b = bencode.AppendText(b, ids[i][:])
		b = append(b, 'd')
		b = appendNumber(b, "complete", int64(n.complete))
		b = appendNumber(b, "downloaded", int64(n.downloads))
		b = appendNumber(b, "incomplete", int64(n.incomplete))
		b = append(b, 'e')
	}
	b = append(b, "e5:flagsd"...)
	b = appendNumber(b, "min_request_interval", seconds(visitEvery))
	return append(b, "ee"...)
}

func appendFailure(b []byte, reason string) []byte {
	b = bencode.AppendText(append(b, 'd'), "failure reason")
	return append(bencode.AppendText(b, reason), 'e')
}

// appendNumber appends an entry of a dictionary.
func appendNumber(b []byte, key string, n int64) []byte {
	return bencode.AppendInteger(bencode.AppendText(b, key), n)
}
