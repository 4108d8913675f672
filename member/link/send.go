package link

import (
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Errand is what is to be written next: messages, or stretches of content with their headers. One
// that has neither and tells nothing means to wait until something changes.
type Errand struct {
	Say    []byte // encoded messages
	Given  int    // bytes of the info dictionary in them, which are sent as content is
	haves  []uint32
	Pieces []proto.Piece // good until the next call of Next
	Told   swarm.Event   // to be told: a grant is served; nil: nothing
}

// Text returns the messages, with the announcements that go along.
func (e Errand) Text() []byte {
	for _, part := range e.haves {
		e.Say = proto.Append(e.Say, proto.Have{Part: part})
	}
	return e.Say
}

// Room tells what may go out at once.
type Room struct {
	Most  int  // bytes of content
	Alone bool // nobody takes turns with the peer, which is told little
	// Upto tells how many bytes of a part are here in order, from its start. It must not wait: it
	// is asked while others wait for the link.
	Upto func(part uint32) int64
}

// Next takes what is to be written next. Messages go before content, between two pieces. Buf is
// memory for messages that are left later.
func (l *Link) Next(now time.Duration, room Room, buf []byte) (e Errand) {
	switch {
	case len(l.say) > 0 || l.soon || now >= l.due:
		e.Say, l.say = l.say, buf
		l.offered = 0
		e.haves = l.takeHaves()
	case len(l.infoAsked) > 0:
		e.Say, e.Given = l.nextMetadata(buf)
	case len(l.ready) == 0:
	case l.ready[0].isEnd():
		l.ready = l.ready[1:]
		e.Told = swarm.Served{Peer: l.cfg.Peer}
	case l.ready[0].bulk:
		e.Pieces = l.nextPiece(room)
	default:
		e.Pieces = l.nextBlocks(room)
	}
	for _, p := range e.Pieces {
		l.earns(p.Length, l.partLen(p.Part))
	}
	return e
}

// nextPiece cuts the next piece off a bulk request. There is none while the request is of a part
// that did not come so far.
func (l *Link) nextPiece(room Room) []proto.Piece {
	o := &l.ready[0]
	size := l.size
	if room.Alone {
		size = proto.MaxPiece
	}
	n := min(o.length, uint32(size), uint32(room.Most))
	if o.relay {
		if n = room.arrivedOf(*o, n); n == 0 {
			return nil
		}
	}
	l.cut = append(l.cut[:0], proto.Piece{Part: o.part, Begin: o.begin, Length: int(n)})
	if o.begin, o.length = o.begin+n, o.length-n; o.length == 0 {
		l.ready = l.ready[1:]
		l.count--
	}
	return l.cut
}

// nextBlocks takes a few requests of single blocks.
func (l *Link) nextBlocks(room Room) []proto.Piece {
	l.cut = l.cut[:0]
	for total := 0; len(l.ready) > 0 && len(l.cut) < batchBlocks && !l.ready[0].bulk &&
		!l.ready[0].isEnd(); {
		o := l.ready[0]
		if o.relay && room.arrivedOf(o, o.length) < o.length {
			break
		}
		if total += int(o.length); total > room.Most && len(l.cut) > 0 {
			break
		}
		l.cut = append(l.cut, proto.Piece{Part: o.part, Begin: o.begin, Length: int(o.length)})
		l.ready = l.ready[1:]
		l.count--
	}
	return l.cut
}

// arrivedOf is how much of the next n bytes of an order is here.
func (r Room) arrivedOf(o order, n uint32) uint32 {
	here := r.Upto(o.part) - int64(o.begin)
	return uint32(min(max(here, 0), int64(n)))
}

// Unsendable rejects a piece that was to be written and cannot be read, with what follows of its
// request. It returns false if the peer takes no rejection.
func (l *Link) Unsendable(p proto.Piece) bool {
	if !l.cfg.Fast {
		return false
	}
	rejected := order{part: p.Part, begin: p.Begin, length: uint32(p.Length)}
	if len(l.ready) > 0 {
		if rest := l.ready[0]; rest.begun() && rest.part == p.Part && int64(rest.begin) == p.End() {
			rejected.length += rest.length
			l.ready = l.ready[1:]
			l.count--
		}
	}
	l.refuse(rejected)
	return true
}

// Went counts bytes of content that the connection took, and returns what is to be told of that now
// and then: the peer takes it.
func (l *Link) Went(now time.Duration, n int) (ev swarm.Event) {
	l.went += int64(n)
	if now-l.wentAt < swarm.ReportEvery {
		return nil
	}
	went := l.went
	l.went, l.wentAt = 0, now
	return swarm.Sent{Peer: l.cfg.Peer, Bytes: went}
}

// OutLimited returns what is to be told now and then while it is not the peer who holds up what is
// sent.
func (l *Link) OutLimited(now time.Duration) (ev swarm.Event) {
	if now-l.heldAt < swarm.ReportEvery {
		return nil
	}
	l.heldAt = now // apart from what went out, of which the core is to be told all the same
	return swarm.Sent{Peer: l.cfg.Peer}
}
