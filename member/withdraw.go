package member

import (
	"fmt"
	"slices"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// What links say of parts that are gone or bad, in extended messages (BEP 10).

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

// extended takes an extended message; those that this member did not give out an id for say
// nothing.
func (l *link) extended(msg proto.Extended, parts uint32) (event, error) {
	switch msg.ID {
	case proto.ExtHandshakeID:
		return nil, l.takeExtension(msg.Payload)
	case dontHaveID:
		part, err := l.partOf(proto.ExtDontHave, msg.Payload, parts)
		return swarm.Withdrawn{Peer: l.peer, Part: part}, err
	case badID:
		part, err := l.partOf(proto.ExtBad, msg.Payload, parts)
		return accused{part}, err
	case dismissID:
		return swarm.Dismissed{Peer: l.peer}, nil
	case spareID:
		on, err := proto.ParseSpare(msg.Payload)
		return swarm.Spare{Peer: l.peer, On: on}, err
	}
	return nil, nil
}

// partOf reads a payload that is a part.
func (l *link) partOf(name string, payload []byte, parts uint32) (uint32, error) {
	part, err := proto.ParsePart(payload)
	if err == nil && part >= parts {
		err = fmt.Errorf("it speaks of part %d of %d", part, parts)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return part, nil
}
