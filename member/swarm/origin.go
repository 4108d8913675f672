package swarm

import (
	"hash/fnv"
	"slices"
	"time"

	"orchestra/proto"
)

// An origin is a web server that has the content and takes no part in the swarm. To the requests it
// is a peer like others: what it is asked for begins, comes, stalls and is blamed as with them. But
// it counts neither as a member nor as a copy, wants nothing and is told nothing.
//
// It is asked for what nobody connected has, and by as few members as can be: in a chain by one,
// which passes on what comes, in a mesh by originPullers, each at another place.
// Nobody says who that is. All order themselves and those that they are connected to by a number
// that each can compute, and the first ones ask. Where the first do not, the next ones take over,
// one after the other, until somebody gains what nobody had. Who asks goes on with it, whoever
// comes, until somebody before it in that order gains so much that it does so too.
type origins struct {
	s    *Swarm
	list []*peer
	news time.Duration // when somebody gained last what nobody connected had
	lost time.Duration // when somebody left last who may have been the one that asks
	sent time.Duration // when a member sent something last

	span  time.Duration // since when bytes are counted
	bytes int64         // that came from members since
	best  float64       // bytes a second that came from them in a span of late, at best
}

// pull is what an origin is to this member; it is that of the origins.
type pull struct {
	origin  bool
	on      bool          // this member asks it
	at      int           // the part that follows what it was asked for last
	starved time.Duration // since when it is asked for what others have too; 0: it is not

	rival  int64   // bytes that somebody gained who should ask it rather than this member
	tries  backoff // of trying how fast it sends
	trying bool
}

const (
	// originPullers ask an origin in a mesh.
	originPullers = 4
	// originGrace is how long a member that has just come leaves an origin alone: until it is
	// connected to those who may ask it already, or come before it.
	originGrace = 300 * time.Millisecond
	// originNews is how long somebody who asks an origin may gain nothing until another one asks,
	// and originNext how much later each of those does that come after.
	originNews = 1500 * time.Millisecond
	originNext = 2 * time.Second
	// originStarved is how long nobody may send anything until an origin is asked for what others
	// have too: they do not serve this member.
	originStarved = 8 * time.Second
	// originMenu is how many bytes are asked of an origin in a mesh: others may ask for the same.
	originMenu = 512 << 10
)

// joined begins with an origin. It has everything, and may be asked.
func (o *origins) joined(ev Joined) {
	p := &peer{
		index: ev.Peer, id: ev.ID, addr: ev.Addr, dialled: true, maxRun: ev.MaxRun,
		roundTrip: ev.RoundTrip, heard: o.s.now, since: o.s.now, usedAt: o.s.now,
		all: true, hasN: o.s.parts, useful: o.s.missing, service: service{choking: true},
		pull: pull{origin: true},
	}
	o.s.links.seat(p)
	o.list = append(o.list, p)
	o.s.requests.linked(p)
	if o.s.trust.cut(p) {
		p.leaving = true
		o.s.emit(Drop{Peer: p.index, Why: "sent bad data again and again"})
		return
	}
	o.s.trust.doubt(p)
}

// left forgets an origin.
func (o *origins) left(p *peer) {
	o.list = slices.DeleteFunc(o.list, func(q *peer) bool { return q == p })
}

// memberLeft takes in that a member left. If it comes before this one it may be the one that asks.
func (o *origins) memberLeft(p *peer) {
	for _, q := range o.list {
		if o.before(q, p) {
			o.lost = o.s.now
		}
	}
}

// gains takes in that a peer gains a part, before that is counted.
func (o *origins) gains(p *peer, part uint32) {
	if len(o.list) == 0 || p.origin || !o.alone(part) || !o.s.lacks(part) {
		return
	}
	before := o.news
	o.news = o.s.now
	for _, q := range o.list {
		if !q.on || !o.before(q, p) || o.place(q) < o.pullers() {
			continue
		}
		if o.s.now > before+originNews {
			q.rival = 0
		}
		if q.rival += o.s.partLen(part); q.rival > 2*max(o.trialBytes(), o.s.partSize) {
			o.leave(q)
		}
	}
}

// came takes in that a peer sent something.
func (o *origins) came(p *peer, bytes int64) {
	if p.origin {
		return
	}
	o.sent = o.s.now
	if span := o.s.now - o.span; span >= originSpan {
		o.best = max(float64(o.bytes)/span.Seconds(), o.best*originFades)
		o.span, o.bytes = o.s.now, 0
	}
	o.bytes += bytes
	for _, q := range o.list {
		q.starved = 0
	}
}

// alone reports whether nobody connected has a part.
func (o *origins) alone(part uint32) bool {
	return o.s.links.seeds == 0 && o.s.rare.count[part] == 0
}

// pullers is how many members ask an origin.
func (o *origins) pullers() int {
	if o.s.plan.chained() {
		return 1
	}
	return max(originPullers*o.s.links.up/o.s.plan.others(), 1)
}

// before reports whether a peer comes before this member in the order of those that ask an origin.
func (o *origins) before(origin, p *peer) bool {
	return lotOf(origin.id, p.id) < lotOf(origin.id, o.s.cfg.ID)
}

// lotOf is the number by which members are ordered.
func lotOf(origin, member proto.PeerID) uint64 {
	h := fnv.New64a()
	h.Write(origin[:])
	h.Write(member[:])
	n := h.Sum64() // FNV alone keeps what begins alike together
	n ^= n >> 32
	n *= 0xd6e8feb86659fd93
	return n ^ n>>32
}

// place is how many of those connected come before this member, who could ask as well. A guest is
// not one of them: whether it asks the origin is not known.
func (o *origins) place(origin *peer) (n int) {
	for _, p := range o.s.links.list {
		if !p.origin && !p.foreign() && !p.leaving && o.before(origin, p) {
			n++
		}
	}
	return n
}

// startsAt is when this member begins to ask an origin, if nothing happens.
func (o *origins) startsAt(p *peer) time.Duration {
	at := p.since + originGrace
	place, most := o.place(p), o.pullers()
	if place >= most {
		return max(at, o.lastSign()+originNews+time.Duration(place-most+1)*originNext)
	}
	switch {
	case !o.s.plan.chained() || o.news == 0:
		return at
	case o.lost > 0 && o.news <= o.lost+originGrace:
		return max(at, o.lost+originGrace)
	}
	return max(at, o.lastSign()+originNews) // somebody asks, and goes on with it
}

// lastSign is when it showed last that somebody asks an origin.
func (o *origins) lastSign() time.Duration { return max(o.news, o.sent) }

// starvesAt is when an origin is asked for what others have as well, if nothing happens.
func (o *origins) starvesAt(p *peer) time.Duration {
	return max(o.sent, p.since) + originStarved + time.Duration(o.place(p))*originNext
}

// open reports whether there is something that an origin could be asked for.
func (o *origins) open(p *peer) bool {
	return !p.choked && !p.leaving && p.useful > 0
}

// tend begins to ask origins.
func (o *origins) tend() {
	for _, p := range o.list {
		if !o.open(p) {
			continue
		}
		if !p.on && o.s.now >= o.startsAt(p) {
			o.begin(p)
		}
		if p.starved == 0 && o.s.now >= o.starvesAt(p) {
			p.on, p.starved = true, max(o.s.now, 1)
			o.s.requests.fill(p)
		}
		if o.judge(p); o.s.now >= o.trialAt(p) && len(p.fetches) == 0 {
			o.try(p)
		}
	}
}

func (o *origins) begin(p *peer) {
	p.on, p.at = true, o.s.parts
	o.s.requests.fill(p)
}

// leave asks an origin for nothing more: another member does.
func (o *origins) leave(p *peer) {
	p.on, p.rival = false, 0
	o.s.requests.recallAll(p)
}

// due is when tend has something to do.
func (o *origins) due() time.Duration {
	at := never
	for _, p := range o.list {
		if !o.open(p) {
			continue
		}
		if !p.on {
			at = min(at, o.startsAt(p))
		}
		if p.starved == 0 {
			at = min(at, o.starvesAt(p))
		}
		if len(p.fetches) == 0 {
			at = min(at, o.trialAt(p))
		}
	}
	return at
}
