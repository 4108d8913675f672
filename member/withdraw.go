package member

import (
	"slices"

	"orchestra/proto"
)

// What links say of parts that are gone or bad; see extended.go for what they hear.

// withdraw tells the peer that a part is no longer here, and rejects all that it asked of it. The
// peer hears that first, so that it does not ask again for what is rejected.
func (l *link) withdraw(part uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.haves = slices.DeleteFunc(l.haves, func(have uint32) bool { return have == part })
	if l.gone > 0 {
		l.queue(proto.Extended{ID: uint8(l.gone), Payload: proto.AppendPart(nil, part)})
	}
	l.refusePart(part, func(order) bool { return true })
}

// accuse tells the peer that what it sent of a part was bad.
func (l *link) accuse(part uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad > 0 {
		l.queue(proto.Extended{ID: uint8(l.bad), Payload: proto.AppendPart(nil, part)})
	}
}
