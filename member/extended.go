package member

import (
	"fmt"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Extended messages (BEP 10): what comes is given out here. What is said of parts is in
// withdraw.go.

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
	case regroupID:
		what, err := proto.ParseRegroup(msg.Payload)
		return swarm.Regroup{Peer: l.peer, What: what}, err
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

// setSpare tells the peer whether this member has nothing to do and could send more.
func (l *link) setSpare(on bool) {
	if l.spare > 0 {
		l.send(proto.Extended{ID: uint8(l.spare), Payload: proto.AppendSpare(nil, on)})
	}
}

// regroup tells the peer what this member has to say of forming a chain anew.
func (l *link) regroup(what proto.Regrouping) {
	if l.regrouping > 0 {
		l.send(proto.Extended{ID: uint8(l.regrouping), Payload: proto.AppendRegroup(nil, what)})
	}
}

// dismiss tells the peer that it is no longer sent to before all others.
func (l *link) dismiss() {
	if l.dismissal > 0 {
		l.send(proto.Extended{ID: uint8(l.dismissal)})
	}
}
