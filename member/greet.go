package member

import (
	"context"
	"fmt"
	"net"
	"time"

	"orchestra/member/link"
	"orchestra/proto"
)

// What this member says of itself in the extension handshake.
const version = "Orchestra"

// readAhead is how much a link reads beyond what it needs: enough for a burst of small messages,
// little enough that content goes into its own buffer uncopied.
const readAhead = 16 << 10

// A greeting is how this member begins on a connection that it opened.
type greeting struct {
	encrypted bool // with an encrypted handshake
	// known: the far end is a member of Orchestra, which takes the extension handshake behind the
	// first one. Some clients (aria2) close if more than a handshake comes before they answered it.
	known bool
}

// greet exchanges the handshakes of a connection that this member opened, the extension handshake
// included: within an encrypted one, if the far end takes no other.
func (m *Member) greet(ctx context.Context, conn *stream, g greeting) (*connection, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	said := time.Now()
	var err error
	switch {
	case g.encrypted:
		err = m.encrypt(conn)
	case g.known:
		err = m.sayHello(conn)
	default:
		_, err = conn.Write(m.hello())
	}
	if err != nil {
		return nil, err
	}
	hs, err := readHello(conn, proto.BitTorrent)
	if err != nil {
		return nil, err
	}
	answered := time.Now()
	switch {
	case hs.ID != [20]byte(m.id):
		return nil, errOtherContent
	case !conn.proves(hs.PeerID):
		return nil, errImpostor
	}
	if (g.encrypted || !g.known) && hs.Extended() {
		if _, err := conn.Write(m.extension(conn)); err != nil {
			return nil, err
		}
	}
	return m.meet(conn, hs, true, said, answered)
}

// answer answers the handshake of a connection that somebody opened for this member's composition.
func (m *Member) answer(conn *stream, hs proto.Handshake) (*connection, error) {
	said := time.Now()
	if err := m.sayHello(conn); err != nil {
		return nil, err
	}
	return m.meet(conn, hs, false, said, said)
}

// meet makes a link of a connection whose handshakes were exchanged: this member's was said at one
// time, and answered at the other if it was the first.
func (m *Member) meet(
	conn *stream, hs proto.Handshake, dialled bool, said, answered time.Time,
) (*connection, error) {
	c := newConnection(m, conn, hs, dialled)
	if hs.Extended() {
		if err := c.readExtension(conn); err != nil {
			return nil, err
		}
	}
	if c.roundTrip = roundTrip(conn.socket); c.roundTrip == unknownRoundTrip {
		if !dialled {
			if err := c.awaitAnswer(); err != nil {
				return nil, err
			}
			answered = time.Now()
		}
		c.roundTrip = answered.Sub(said)
	}
	conn.SetDeadline(time.Time{})
	return c, nil
}

func (m *Member) sayHello(conn *stream) error {
	_, err := conn.Write(append(m.hello(), m.extension(conn)...))
	return err
}

// hello is this member's handshake.
func (m *Member) hello() []byte {
	hs := proto.Handshake{Protocol: proto.BitTorrent, ID: m.id, PeerID: m.self}
	hs.SetFast()
	hs.SetExtended()
	return hs.Append(nil)
}

// extension is its extension handshake.
func (m *Member) extension(conn *stream) []byte {
	ext := link.Offered()
	ext.Version, ext.Port = version, int(m.addr.Port())
	ext.YourIP = remoteAddr(conn).Addr()
	m.description.offer(&ext)
	if !m.closed {
		link.OfferPeers(&ext)
	}
	return proto.Append(nil, proto.Extended{ID: proto.ExtHandshakeID, Payload: ext.Append(nil)})
}

// readExtension reads the first message, which is the extension handshake of every client that
// knows them. If it is another, it is kept for the reader.
func (c *connection) readExtension(conn net.Conn) error {
	msg, err := c.in.Next()
	if err != nil {
		return fmt.Errorf("after its handshake: %w", err)
	}
	ext, ok := msg.(proto.Extended)
	if !ok || ext.ID != proto.ExtHandshakeID {
		c.first = msg
		return nil
	}
	return c.takeExtension(ext.Payload)
}

func (c *connection) takeExtension(payload []byte) error {
	ext, err := proto.ParseExtHandshake(payload)
	if err != nil {
		return err
	}
	c.port = ext.Port
	c.terms.Take(ext, c.m.comp.PartSize)
	return nil
}

// awaitAnswer waits for what a member that opened the link says after this end's handshake, and
// keeps it for the reader. A foreign client need not say anything.
func (c *connection) awaitAnswer() (err error) {
	if c.terms.MaxRun > 0 && c.terms.Fast && c.first == nil {
		c.first, err = c.in.Next()
	}
	return err
}
