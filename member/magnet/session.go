package magnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"orchestra/proto"
)

const (
	dialTimeout = 5 * time.Second
	// silence is how long a peer may say nothing of use.
	silence = 15 * time.Second
	// trial is how long a peer may be slower than slow while others wait for their turn.
	trial = 20 * time.Second
	slow  = 16 << 10 // bytes a second

	// The ids of the extended messages that are taken.
	metadataID = 1
	peersID    = 2

	window    = 4       // pieces that are asked for at a time
	readAhead = 4 << 10 // bytes
	// mostParts is how many parts a composition may have of which a peer says what it has; it is
	// not known yet how many there are.
	mostParts = 1 << 24
	// mostIdle is how many messages may come that are of no use here, between two that are.
	mostIdle = 1 << 16
)

var (
	errOther  = errors.New("it shares something else")
	errNone   = errors.New("it does not give the description away")
	errSlow   = errors.New("it sends the description slowly, and others wait")
	errUseful = errors.New("it says nothing of use")
)

// converse asks who is at the far end of a connection that this end opened for the description, and
// closes it. It returns nil if that came.
func (s *seeker) converse(ctx context.Context, conn net.Conn, encrypted bool) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	w, err := s.open(conn, encrypted)
	if err != nil {
		return err
	}
	switch err := s.readHello(w); {
	case isHangUp(err):
		return errHangsUp
	case errors.Is(err, proto.ErrNotHandshake):
		return errNoise
	case err != nil:
		return err
	}
	_, extension := s.hello()
	if _, err := w.Write(extension); err != nil {
		return err
	}
	return s.receive(w)
}

// answer is converse with who opened the connection. It is answered whatever it has: conductors
// find out so that others can come here.
func (s *seeker) answer(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	w, err := s.hear(ctx, conn)
	if err != nil {
		return err
	}
	err = s.readHello(w)
	if err != nil && err != errNone {
		return err
	}
	hello, extension := s.hello()
	if _, other := w.Write(append(hello, extension...)); err == nil {
		err = other
	}
	if err != nil {
		return err
	}
	return s.receive(w)
}

// readHello reads the handshake of the far end.
func (s *seeker) readHello(in io.Reader) error {
	hs, err := proto.ReadHandshake(in, proto.BitTorrent)
	switch {
	case err != nil:
		return err
	case hs.ID != s.id:
		return errOther
	case !hs.Extended():
		return errNone
	}
	return nil
}

// receive takes in what the peer says until the description is whole.
func (s *seeker) receive(conn net.Conn) error {
	in := proto.NewReader(conn, proto.MaxFrame(mostParts), readAhead)
	var g *gathering // nil: the peer did not say yet that it has it
	var begun time.Time
	id, idle := 0, 0
	conn.SetDeadline(time.Now().Add(silence))
	for {
		msg, err := in.Next()
		if err != nil {
			return err
		}
		if idle++; idle > mostIdle {
			return errUseful
		}
		ext, ok := msg.(proto.Extended)
		if !ok {
			continue
		}
		switch ext.ID {
		case proto.ExtHandshakeID:
			said, err := proto.ParseExtHandshake(ext.Payload)
			if err != nil {
				return err
			}
			if g != nil {
				continue
			}
			if id = said.Messages[proto.ExtMetadata]; id == 0 || said.Metadata == 0 {
				return errNone
			}
			g, begun = newGathering(s.id, said.Metadata), time.Now()
			s.pool.gives(1)
			defer s.pool.gives(-1)
		case metadataID:
			if g == nil {
				continue
			}
			m, err := proto.ParseMetadata(ext.Payload)
			switch {
			case errors.Is(err, proto.ErrMetadataKind):
				continue
			case err != nil:
				return err
			case m.Kind == proto.MetadataRequest:
				continue // it is not here
			}
			if err := g.take(m); err != nil {
				return err
			}
			if g.whole() {
				info, err := g.info()
				if err == nil {
					s.deliver(info)
				}
				return err
			}
			took := time.Since(begun)
			if took > trial && g.bytes < int(took.Seconds())*slow && s.pool.crowded(time.Now()) {
				return errSlow
			}
		case peersID:
			if p, err := proto.ParsePeerExchange(ext.Payload); err == nil {
				for _, at := range p.Added {
					s.pool.add(at.String())
				}
			}
			continue
		default:
			continue
		}
		idle = 0
		conn.SetDeadline(time.Now().Add(silence))
		if err := request(conn, id, g); err != nil {
			return err
		}
	}
}

// request asks for pieces, as many as may be asked for.
func request(conn net.Conn, id int, g *gathering) error {
	var b []byte
	for piece, ok := g.next(); ok; piece, ok = g.next() {
		m := proto.Metadata{Kind: proto.MetadataRequest, Piece: piece}
		b = proto.Append(b, proto.Extended{ID: uint8(id), Payload: m.Append(nil)})
	}
	if len(b) == 0 {
		return nil
	}
	if _, err := conn.Write(b); err != nil {
		return fmt.Errorf("asking for the description: %w", err)
	}
	return nil
}
