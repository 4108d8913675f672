package link

import (
	"errors"
	"fmt"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// An Event is what a link tells of: a [swarm.Event] for the core, or [Accused] for the shell.
type Event any

// Accused tells that the peer says that a part of this member is bad.
type Accused struct{ Part uint32 }

// hearing is what was heard and is to be told. Messages that come in crowds are told together.
type hearing struct {
	told   []Event
	gained []uint32
	wanted []uint32
	coming []uint32

	interested bool // the peer is, as it said last
	allows     int  // parts that it was heard to allow
}

// mostTogether is how many parts are told together at most.
const mostTogether = 4096

// Hear takes a message of the peer in and returns what is to be told now; some wait to be told with
// what follows, or when [Link.Flush] is called. The events are good until the next call of Hear,
// Flush, Took or Arrived. An error ends the link. After a [proto.Piece] its content follows: see
// [Link.Coming].
func (l *Link) Hear(now time.Duration, msg proto.Message) ([]Event, error) {
	l.told = l.told[:0]
	if err := l.obeys(msg); err != nil {
		return nil, err
	}
	if err := l.spends(now, msg); err != nil {
		return nil, err
	}
	err := l.hear(msg)
	return l.told, err
}

// Flush returns what waits to be told with more of its kind. It is called when the peer has said
// nothing more.
func (l *Link) Flush() []Event {
	l.told = l.told[:0]
	l.flush()
	return l.told
}

func (l *Link) tell(ev Event) { l.told = append(l.told, ev) }

func (l *Link) flush() {
	if len(l.gained) > 0 {
		l.tell(swarm.Has{Peer: l.cfg.Peer, Parts: l.gained})
		l.gained = nil
	}
	if len(l.wanted) > 0 {
		l.tell(swarm.Wanted{Peer: l.cfg.Peer, Parts: l.wanted})
		l.wanted = nil
	}
	if len(l.coming) > 0 {
		l.tell(swarm.Suggested{Peer: l.cfg.Peer, Parts: l.coming})
		l.coming = nil
	}
}

func (l *Link) hear(msg proto.Message) error {
	if max(len(l.gained), len(l.wanted), len(l.coming)) >= mostTogether {
		l.flush()
	}
	switch msg := msg.(type) {
	case proto.Have:
		l.gained = append(l.gained, msg.Part)
		return nil
	case proto.Suggest:
		l.coming = append(l.coming, msg.Part)
		return nil
	case proto.Request:
		if msg.Part >= l.parts || msg.Length == 0 || msg.End() > l.partLen(msg.Part) ||
			msg.Length > mostRequest {
			return fmt.Errorf("it asks for %d bytes at %d of part %d, which it may not", msg.Length,
				msg.Begin, msg.Part)
		}
		if l.order(msg) {
			l.wanted = append(l.wanted, msg.Part)
		}
		return nil
	}
	l.flush()
	return l.hearRest(msg)
}

// mostRequest is how many bytes a request may cover.
const mostRequest = max(proto.MaxBlock, swarm.RunSize)

// hearRest takes in the messages that do not come in crowds.
func (l *Link) hearRest(msg proto.Message) error {
	peer := l.cfg.Peer
	switch msg := msg.(type) {
	case proto.Piece:
		return l.begin(msg)
	case proto.Bitfield:
		if err := proto.CheckBits(msg.Bits, int(l.parts)); err != nil {
			return err
		}
		l.tell(swarm.Has{Peer: peer, Bits: msg.Bits})
		l.favour()
	case proto.HaveNone:
		l.favour()
	case proto.HaveAll:
		l.tell(swarm.Has{Peer: peer, All: true})
	case proto.AllowedFast:
		l.allowed(msg.Part)
	case proto.Interested:
		l.interest(true)
	case proto.NotInterested:
		l.interest(false)
	case proto.Choke:
		l.forget()
		l.tell(swarm.Choked{Peer: peer, On: true})
	case proto.Unchoke:
		l.tell(swarm.Choked{Peer: peer})
	case proto.Reject:
		l.rejected(msg)
	case proto.Cancel:
		if part, ok := l.cancelled(msg); ok {
			l.tell(swarm.Unwanted{Peer: peer, Part: part})
		}
	case proto.Extended:
		return l.extended(msg)
	}
	return nil
}

// interest takes in whether the peer is interested.
func (l *Link) interest(on bool) {
	if l.interested != on {
		l.interested = on
		l.tell(swarm.Interest{Peer: l.cfg.Peer, On: on})
	}
}

// extended takes an extended message (BEP 10); those that this member did not give out an id for
// say nothing.
func (l *Link) extended(msg proto.Extended) error {
	switch msg.ID {
	case proto.ExtHandshakeID:
		ext, err := proto.ParseExtHandshake(msg.Payload)
		if err != nil {
			return err
		}
		if l.cfg.later(ext); l.cfg.Metadata == 0 {
			l.infoAsked = nil
		}
	case dontHaveID:
		part, err := l.partOf(proto.ExtDontHave, msg.Payload)
		if err != nil {
			return err
		}
		l.has = max(l.has-1, 0)
		l.tell(swarm.Withdrawn{Peer: l.cfg.Peer, Part: part})
	case badID:
		part, err := l.partOf(proto.ExtBad, msg.Payload)
		if err != nil {
			return err
		}
		l.tell(Accused{part})
	case dismissID:
		l.tell(swarm.Dismissed{Peer: l.cfg.Peer})
	case spareID:
		on, err := proto.ParseSpare(msg.Payload)
		if err != nil {
			return err
		}
		l.tell(swarm.Spare{Peer: l.cfg.Peer, On: on})
	case regroupID:
		what, err := proto.ParseRegroup(msg.Payload)
		if err != nil {
			return err
		}
		l.tell(swarm.Regroup{Peer: l.cfg.Peer, What: what})
	case metadataID:
		return l.hearMetadata(msg.Payload)
	case peersID:
		return l.hearPeers(msg.Payload)
	}
	return nil
}

// partOf reads a payload that is a part.
func (l *Link) partOf(name string, payload []byte) (uint32, error) {
	part, err := proto.ParsePart(payload)
	if err == nil && part >= l.parts {
		err = fmt.Errorf("it speaks of part %d of %d", part, l.parts)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return part, nil
}

// begin takes in the header of a piece.
func (l *Link) begin(p proto.Piece) error {
	switch {
	case p.Part >= l.parts || p.End() > l.partLen(p.Part):
		return errors.New("it sent content that the composition does not have")
	case p.Length <= 0:
		return errors.New("it sent a piece of no bytes")
	}
	return l.accept(p)
}
