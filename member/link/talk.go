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

	// unaskedMost is how many bytes may come that nobody asked for.
	unaskedMost = 4 << 20
)

// A FloodError ends a link whose peer says or sends too much that is of no use.
type FloodError struct{ what string }

func (e *FloodError) Error() string { return "it sends too much " + e.what }

var (
	errTalk    = &FloodError{"that means nothing"}
	errUnasked = &FloodError{"that nobody asked for"}
)

// talk is what a peer may still say.
type talk struct {
	left int
	most int
	at   time.Duration // when left was made up last
	owed int64         // bytes that may come although they are not wanted
}

func newTalk(parts uint32, loud bool) talk {
	most := talkBurst + talkParts*int(parts)
	if loud {
		most = talkLoud + talkPartsLoud*int(parts)
	}
	return talk{left: most, most: most, owed: unaskedMost}
}

// spends takes a message off the allowance, and reports whether there was as much.
func (t *talk) spends(now time.Duration, msg proto.Message) bool {
	if t.left == t.most {
		t.at = now
	}
	if t.left -= price(msg); t.left >= 0 {
		return true
	}
	more := int64((now - t.at) / (time.Second / talkSecond))
	t.left, t.at = int(min(int64(t.left)+more, int64(t.most))), now
	return t.left >= 0
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
		t.left = min(t.left+talkPiece, t.most)
	}
}

// unasked counts content that came and is not wanted, and reports whether it may be of what was
// asked for once.
func (t *talk) unasked(length int) bool {
	t.owed -= int64(length)
	return t.owed >= 0
}
