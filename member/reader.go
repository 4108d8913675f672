package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// readLoop takes the peer's messages in until the link ends. What comes in one read goes to the
// loop together.
func (l *link) readLoop(ctx context.Context) error {
	batch := &batch{link: l}
	if l.first != nil {
		if err := l.handle(ctx, l.first, batch); err != nil {
			return err
		}
	}
	for {
		if !l.in.Ready() {
			if !batch.flush(ctx) {
				return ctx.Err()
			}
			l.patient()
		}
		msg, err := l.in.Next()
		if err != nil {
			return err
		}
		if err := l.handle(ctx, msg, batch); err != nil {
			return err
		}
	}
}

// patient lets the peer be silent for a while from now on. The reader alone calls it.
func (l *link) patient() {
	if now := time.Now(); l.deadline.Sub(now) < silenceTimeout-10*time.Second {
		l.deadline = now.Add(silenceTimeout)
		l.conn.SetReadDeadline(l.deadline)
	}
}

// batch collects what the loop is told at once.
type batch struct {
	link   *link
	has    []uint32
	wanted []uint32
	coming []uint32
}

func (b *batch) flush(ctx context.Context) bool {
	ok := true
	if len(b.has) > 0 {
		ok = b.link.m.tell(ctx, swarm.Has{Peer: b.link.peer, Parts: b.has})
		b.has = nil
	}
	if len(b.wanted) > 0 {
		ok = b.link.m.tell(ctx, swarm.Wanted{Peer: b.link.peer, Parts: b.wanted})
		b.wanted = nil
	}
	if len(b.coming) > 0 {
		ok = b.link.m.tell(ctx, swarm.Suggested{Peer: b.link.peer, Parts: b.coming})
		b.coming = nil
	}
	return ok
}

func (l *link) handle(ctx context.Context, msg proto.Message, b *batch) error {
	parts := uint32(l.m.comp.NumParts())
	switch msg := msg.(type) {
	case proto.Piece:
		if msg.Part >= parts || msg.End() > l.m.comp.PartLen(int(msg.Part)) {
			return errors.New("it sent content that the composition does not have")
		}
		if msg.Length == 0 {
			return errors.New("it sent a piece of no bytes")
		}
		return l.takePiece(ctx, msg)
	case proto.Have:
		if msg.Part >= parts {
			return fmt.Errorf("it has part %d of %d", msg.Part, parts)
		}
		b.has = append(b.has, msg.Part)
		return nil
	case proto.Suggest:
		if msg.Part < parts {
			b.coming = append(b.coming, msg.Part)
		}
		return nil
	case proto.Request:
		if msg.Part >= parts || msg.Length == 0 || msg.End() > l.m.comp.PartLen(int(msg.Part)) || msg.Length > max(proto.MaxBlock, swarm.RunSize) {
			return fmt.Errorf("it asks for %d bytes at %d of part %d, which it may not", msg.Length, msg.Begin, msg.Part)
		}
		if l.order(msg) {
			b.wanted = append(b.wanted, msg.Part)
		}
		return nil
	}
	if !b.flush(ctx) {
		return ctx.Err()
	}
	if ev, err := l.tells(msg, parts); ev == nil || err != nil {
		return err
	} else if !l.m.tell(ctx, ev) {
		return ctx.Err()
	}
	return nil
}

// tells translates the messages that are rare, and do not move content, to what the loop is told;
// nil: nothing.
func (l *link) tells(msg proto.Message, parts uint32) (event, error) {
	switch msg := msg.(type) {
	case proto.Bitfield:
		if err := proto.CheckBits(msg.Bits, int(parts)); err != nil {
			return nil, err
		}
		return swarm.Has{Peer: l.peer, Bits: msg.Bits}, nil
	case proto.HaveAll:
		return swarm.Has{Peer: l.peer, All: true}, nil
	case proto.Interested:
		return swarm.Interest{Peer: l.peer, On: true}, nil
	case proto.NotInterested:
		return swarm.Interest{Peer: l.peer}, nil
	case proto.Choke:
		l.forgetMenu()
		return swarm.Choked{Peer: l.peer, On: true}, nil
	case proto.Unchoke:
		return swarm.Choked{Peer: l.peer}, nil
	case proto.Reject:
		return l.rejected(msg), nil
	case proto.Cancel:
		if part, ok := l.cancelled(msg); ok {
			return swarm.Unwanted{Peer: l.peer, Part: part}, nil
		}
	case proto.Extended:
		return l.extended(msg, parts)
	}
	return nil, nil
}
