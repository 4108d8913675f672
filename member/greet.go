package member

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// What this member says of itself in the extension handshake.
const (
	version = "Orchestra"
	reqq    = 1024 // requests that may wait here

	dontHaveID = 1 // the ids of the extended messages that it takes
	badID      = 2
	dismissID  = 3
	spareID    = 4
	regroupID  = 5
)

// readAhead is how much a link reads beyond what it needs: enough for a burst of small messages,
// little enough that content goes into its own buffer uncopied.
const readAhead = 16 << 10

// greet exchanges the handshakes of a new connection, the extension handshake included.
func (m *Member) greet(ctx context.Context, conn *net.TCPConn, dialled bool) (*link, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	said := time.Now()
	if dialled {
		if err := m.sayHello(conn); err != nil {
			return nil, err
		}
	}
	hs, err := readHello(conn, proto.BitTorrent)
	if err != nil {
		return nil, err
	}
	if hs.ID != [20]byte(m.id) {
		return nil, errOtherContent
	}
	answered := time.Now()
	if !dialled {
		said = time.Now()
		if err := m.sayHello(conn); err != nil {
			return nil, err
		}
	}
	l := newLink(m, conn, hs, dialled)
	if hs.Extended() {
		if err := l.readExtension(conn); err != nil {
			return nil, err
		}
	}
	if l.roundTrip = roundTrip(conn); l.roundTrip == unknownRoundTrip {
		if !dialled {
			if err := l.awaitAnswer(); err != nil {
				return nil, err
			}
			answered = time.Now()
		}
		l.roundTrip = answered.Sub(said)
	}
	conn.SetDeadline(time.Time{})
	return l, nil
}

func (m *Member) sayHello(conn *net.TCPConn) error {
	hs := proto.Handshake{Protocol: proto.BitTorrent, ID: m.id, PeerID: m.self}
	hs.SetFast()
	hs.SetExtended()
	ext := proto.ExtHandshake{
		Version: version, Reqq: reqq, Port: int(m.addr.Port()), MaxRequest: swarm.RunSize,
		Messages: map[string]int{
			proto.ExtDontHave: dontHaveID, proto.ExtBad: badID,
			proto.ExtDismiss: dismissID, proto.ExtSpare: spareID,
			proto.ExtRegroup: regroupID,
		},
	}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		ext.YourIP = unmap(a.AddrPort()).Addr()
	}
	b := hs.Append(nil)
	b = proto.Append(b, proto.Extended{ID: proto.ExtHandshakeID, Payload: ext.Append(nil)})
	_, err := conn.Write(b)
	return err
}

// readExtension reads the first message, which is the extension handshake of every client that
// knows them. If it is another, it is kept for the reader.
func (l *link) readExtension(conn net.Conn) error {
	msg, err := l.in.Next()
	if err != nil {
		return fmt.Errorf("after its handshake: %w", err)
	}
	ext, ok := msg.(proto.Extended)
	if !ok || ext.ID != proto.ExtHandshakeID {
		l.first = msg
		return nil
	}
	return l.takeExtension(ext.Payload)
}

func (l *link) takeExtension(payload []byte) error {
	ext, err := proto.ParseExtHandshake(payload)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ext.Reqq > 0 {
		l.reqq = ext.Reqq
	}
	if l.peer < 0 { // these are agreed on before the link is up, or not at all
		l.port = ext.Port
		l.gone, l.bad = ext.Messages[proto.ExtDontHave], ext.Messages[proto.ExtBad]
		l.dismissal, l.spare = ext.Messages[proto.ExtDismiss], ext.Messages[proto.ExtSpare]
		l.regrouping = ext.Messages[proto.ExtRegroup]
		l.maxRun = uint32(min(ext.MaxRequest, swarm.RunSize))
		if l.maxRun < swarm.RunSize && int64(l.maxRun) < l.m.comp.PartSize {
			l.maxRun = 0
		}
	}
	return nil
}

// awaitAnswer waits for what a member that opened the link says after this end's handshake, and
// keeps it for the reader. A foreign client need not say anything.
func (l *link) awaitAnswer() (err error) {
	if l.maxRun > 0 && l.fast && l.first == nil {
		l.first, err = l.in.Next()
	}
	return err
}

// remoteAddr is the far end of a connection.
func remoteAddr(conn *net.TCPConn) netip.AddrPort {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}
