package link

import (
	"time"

	"orchestra/proto"
)

// Talk is what a peer says besides content. It costs this member time and the peer nearly nothing,
// so each link has an allowance for it: a burst to begin with, so much a second, and some more for
// each piece of content that goes either way. Members that do their best stay far below it. Who
// spends it says much that means nothing, and the link ends.
//
// Of some of it, a link has need a few times a second at most: that the peer is interested or not,
// serves or not, what it has where it said so before, its extension handshake, whom else it knows.
// Each costs more than it looks, so there is a smaller allowance for these.
//
// The same is true of content that nobody asked for. What was asked for and taken back may come
// still; a little more than that is an error of somebody's, and much is a flood.
const (
	talkBurst  = 16 << 10
	talkParts  = 8    // a part: it is offered, asked for, taken back, rejected, announced
	talkSecond = 1000 // messages a second
	talkPiece  = 16   // messages for each piece of content, of 16 KiB as of 1
	// talkLoud is the burst for who is where somebody spent an allowance lately.
	talkLoud      = 512
	talkPartsLoud = 2

	// talkUnknown is what a message of unknown meaning costs, whose length is not known either, and
	// talkBytes so many bytes of one that is as long as it likes.
	talkUnknown = 64
	talkBytes   = 64

	againBurst  = 512
	againSecond = 16
	againPiece  = 2
	// againLong is what an extension handshake costs of it, word of others, and a second bitfield.
	againLong = 16

	// unaskedMost is how many bytes may come that nobody asked for.
	unaskedMost = 4 << 20
)

// A FloodError ends a link whose peer says or sends too much that is of no use.
type FloodError struct{ what string }

func (e *FloodError) Error() string { return "it sends too much " + e.what }

var (
	errTalk    = &FloodError{"that means nothing"}
	errAgain   = &FloodError{"that it said before"}
	errUnasked = &FloodError{"that nobody asked for"}
)

// talk is what a peer may still say.
type talk struct {
	all, again allowance
	owed       int64 // bytes that may come although they are not wanted
}

// An allowance is so many messages, and more of them as time passes.
type allowance struct {
	left, most, second int
	at                 time.Duration // when left was made up last
}

func newTalk(parts uint32, loud bool) talk {
	most := talkBurst + talkParts*int(parts)
	if loud {
		most = talkLoud + talkPartsLoud*int(parts)
	}
	return talk{
		all:   allowance{left: most, most: most, second: talkSecond},
		again: allowance{left: againBurst, most: againBurst, second: againSecond},
		owed:  unaskedMost,
	}
}

// spends takes a message off the allowances; the error is that it is more than one of them has
// left.
func (l *Link) spends(now time.Duration, msg proto.Message) error {
	if !l.all.spends(now, price(msg)) {
		return errTalk
	}
	if n := l.repeats(msg); n > 0 && !l.again.spends(now, n) {
		return errAgain
	}
	return nil
}

// spends takes so much off, and reports whether there was as much.
func (a *allowance) spends(now time.Duration, price int) bool {
	if a.left == a.most {
		a.at = now
	}
	if a.left -= price; a.left >= 0 {
		return true
	}
	each := time.Second / time.Duration(a.second)
	more := (now - a.at) / each
	a.left, a.at = int(min(int64(a.left)+int64(more), int64(a.most))), a.at+more*each
	return a.left >= 0
}

func (a *allowance) earns(n int) { a.left = min(a.left+n, a.most) }

// repeats is what a message takes off the allowance for what is said again.
func (l *Link) repeats(msg proto.Message) int {
	switch msg := msg.(type) {
	case proto.Have:
		if l.has > int(l.parts) {
			return 1
		}
	case proto.Bitfield, proto.HaveAll:
		if l.anew {
			return againLong
		}
	case proto.Interested, proto.NotInterested, proto.Choke, proto.Unchoke, proto.Port,
		proto.AllowedFast:
		return 1
	case proto.Extended:
		switch msg.ID {
		case proto.ExtHandshakeID, peersID:
			return againLong
		case dismissID, spareID, regroupID:
			return 1
		}
	}
	return 0
}

// price is what a message takes off the allowance.
func price(msg proto.Message) int {
	switch msg := msg.(type) {
	case proto.Extended:
		return 1 + len(msg.Payload)/talkBytes
	case proto.Bitfield:
		return 1 + len(msg.Bits)/talkBytes
	case proto.Unknown:
		return talkUnknown
	}
	return 1
}

// earns makes the allowance up for a piece of content, unless it is a shred of what it could be.
func (t *talk) earns(length int, of int64) {
	if int64(length) >= min(proto.Block, of) {
		t.all.earns(talkPiece)
		t.again.earns(againPiece)
	}
}

// unasked counts content that came and is not wanted, and reports whether it may be of what was
// asked for once.
func (t *talk) unasked(length int) bool {
	t.owed -= int64(length)
	return t.owed >= 0
}
