package link

import (
	"slices"
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
	default:
		e.Pieces, e.Told = l.nextGranted(room)
	}
	for _, p := range e.Pieces {
		l.earns(p.Length, l.partLen(p.Part))
	}
	return e
}

// nextGranted takes what goes out next of what was granted: of the first order of which as much is
// here as may go out at once, or else of the first of which anything is. So a part that comes
// slowly keeps nothing back that is here. A grant of which nothing is left is told.
func (l *Link) nextGranted(room Room) (pieces []proto.Piece, told swarm.Event) {
	partly, grants, empty := -1, 0, true
	for i, o := range l.ready {
		if o.isEnd() {
			if empty {
				l.takeReady(i, i+1)
				return nil, swarm.Served{Peer: l.cfg.Peer, Grant: grants}
			}
			grants, empty = grants+1, true
			continue
		}
		empty = false
		most := l.pieceOf(o, room)
		switch here := room.arrivedOf(o, most); {
		case here == most:
			return l.nextPieces(i, most, room), nil
		case here > 0 && o.bulk && partly < 0:
			partly = i
		}
	}
	if partly < 0 {
		return nil, nil
	}
	o := l.ready[partly]
	return l.nextPieces(partly, room.arrivedOf(o, l.pieceOf(o, room)), room), nil
}

// pieceOf is how much of an order goes out at once.
func (l *Link) pieceOf(o order, room Room) uint32 {
	switch {
	case !o.bulk:
		return o.length
	case room.Alone:
		return min(o.length, proto.MaxPiece, uint32(room.Most))
	}
	return min(o.length, uint32(l.size), uint32(room.Most))
}

// nextPieces cuts n bytes off a bulk request, or takes a few requests of single blocks.
func (l *Link) nextPieces(i int, n uint32, room Room) []proto.Piece {
	o := &l.ready[i]
	if !o.bulk {
		return l.nextBlocks(i, room)
	}
	l.cut = append(l.cut[:0], proto.Piece{Part: o.part, Begin: o.begin, Length: int(n)})
	if o.begin, o.length = o.begin+n, o.length-n; o.length == 0 {
		l.takeReady(i, i+1)
		l.count--
	}
	return l.cut
}

// nextBlocks takes a few requests of single blocks that follow each other in one grant.
func (l *Link) nextBlocks(from int, room Room) []proto.Piece {
	l.cut = l.cut[:0]
	total := 0
	for _, o := range l.ready[from:] {
		if total += int(o.length); len(l.cut) == batchBlocks || o.bulk || o.isEnd() ||
			room.arrivedOf(o, o.length) < o.length || total > room.Most && len(l.cut) > 0 {
			break
		}
		l.cut = append(l.cut, proto.Piece{Part: o.part, Begin: o.begin, Length: int(o.length)})
	}
	l.takeReady(from, from+len(l.cut))
	l.count -= len(l.cut)
	return l.cut
}

// takeReady takes what stands at these places out of what is ready.
func (l *Link) takeReady(from, to int) {
	if from == 0 {
		l.ready = l.ready[to:]
		return
	}
	l.ready = slices.Delete(l.ready, from, to)
}

// arrivedOf is how much of the next n bytes of an order is here.
func (r Room) arrivedOf(o order, n uint32) uint32 {
	if !o.relay {
		return n
	}
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
	if i := slices.IndexFunc(l.ready, func(o order) bool {
		return o.begun() && o.part == p.Part && int64(o.begin) == p.End()
	}); i >= 0 {
		rejected.length += l.ready[i].length
		l.takeReady(i, i+1)
		l.count--
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
