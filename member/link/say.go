package link

import (
	"slices"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// What is said of this member and of its parts; hear.go is the other direction.

// offer says what this member has, before anything else.
func (l *Link) offer(o swarm.Offer) {
	switch {
	case o.All && l.cfg.Fast:
		l.Say(proto.HaveAll{})
	case o.All:
		l.offerBits(allBits(int(l.parts)))
	case o.Bits != nil:
		l.offerBits(o.Bits)
	case l.cfg.Fast:
		l.Say(proto.HaveNone{})
	}
}

func (l *Link) offerBits(bits []byte) {
	l.offered = len(bits)
	l.Say(proto.Bitfield{Bits: bits})
}

func allBits(parts int) []byte {
	b := make([]byte, (parts+7)/8)
	for i := range parts {
		b[i>>3] |= 0x80 >> (i & 7)
	}
	return b
}

// announce leaves a part to be announced after a while, or earlier with something else that is
// said. However slow the peer, each part waits once.
func (l *Link) announce(now time.Duration, part uint32, delay time.Duration) {
	l.haves = append(l.haves, part)
	if delay == 0 {
		l.soon = true
		return
	}
	l.due = min(l.due, (now + delay).Truncate(delay)) // for all links at the same time
}

// Due is when [Link.Next] has something to say at the latest, if there is such a time.
func (l *Link) Due() (at time.Duration, ok bool) { return l.due, l.due != never }

// Hurry has all that waits to be announced said now.
func (l *Link) Hurry() { l.soon = l.soon || len(l.haves) > 0 }

// Unsaid reports whether something waits to be said.
func (l *Link) Unsaid() bool { return len(l.say) > 0 || l.soon }

// takeHaves takes the parts to announce.
func (l *Link) takeHaves() (parts []uint32) {
	parts, l.haves = l.haves, nil
	l.soon, l.due = false, never
	return parts
}

func (l *Link) setInterest(on bool) {
	if on {
		l.Say(proto.Interested{})
	} else {
		l.Say(proto.NotInterested{})
	}
}

// withdraw tells the peer that a part is no longer here, and rejects all that it asked of it. The
// peer hears that first, so that it does not ask again for what is rejected.
func (l *Link) withdraw(part uint32) {
	l.haves = slices.DeleteFunc(l.haves, func(have uint32) bool { return have == part })
	if len(l.haves) == 0 {
		l.soon, l.due = false, never
	}
	l.extend(l.cfg.DontHave, proto.AppendPart(nil, part))
	l.refusePart(part, func(order) bool { return true })
}

// setSpare tells the peer whether this member has nothing to do and could send more.
func (l *Link) setSpare(on bool) { l.extend(l.cfg.Spare, proto.AppendSpare(nil, on)) }

// extend says an extended message, if the peer takes it.
func (l *Link) extend(id int, payload []byte) {
	if id > 0 {
		l.Say(proto.Extended{ID: uint8(id), Payload: payload})
	}
}
