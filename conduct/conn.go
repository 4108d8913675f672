package conduct

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"time"

	"golang.org/x/time/rate"

	"orchestra/proto"
	"orchestra/proto/secure"
)

const (
	sniffBuffer = 256      // bytes read ahead to see what a connection speaks
	writeChunk  = 16 << 10 // bytes written under one deadline
	lingerTime  = time.Second

	// A member may send messageBurst messages at once and messageRate a second
	// from then on; the connection is read no faster, so that a flood waits at
	// the member's end.
	messageRate  = 10
	messageBurst = 100
)

var (
	errNotMember = errors.New("neither a member nor anything else this port answers")
	errOtherPeer = errors.New("somebody else answers there")
	errWrongWay  = errors.New("a message that only conductors send")
	errTooEarly  = errors.New("the first message is no announcement of a composition")
	errNoName    = errors.New("no name follows the announcement, although the handshake says so")
	errNoTitle   = errors.New("no title follows the name, although the handshake says so")
)

// A conn is a member's connection. Its reader is the goroutine of serve, its
// writer ends with it.
type conn struct {
	nc    net.Conn
	seat  seat
	realm *realm
	id    [20]byte // the composition
	out   *outbox
	pass  *pass
	link  link // the loop's

	listed bool // the loop's: the registry has it
	trunkState
}

// abort ends a connection at once; its reader notices.
func (m *conn) abort() {
	m.out.finish()
	m.nc.Close()
}

// serve serves one connection to its end. The first byte says what is spoken
// on it: the length of a handshake's protocol name, the first letter of an
// HTTP method, or TLS, within which it is one of these. Whoever says nothing
// known is cut off, without an answer.
func (c *Conductor) serve(ctx context.Context, nc net.Conn, s seat, place *pass) {
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()

	until := time.Now().Add(c.cfg.HandshakeTimeout)
	nc.SetReadDeadline(until)
	in := bufio.NewReaderSize(nc, sniffBuffer)
	first, err := in.Peek(1)
	if err == nil {
		switch first[0] {
		case byte(len(proto.Orchestra)):
			err = c.serveMember(ctx, nc, in, s, place, c.open)
		case 'G': // GET
			err = c.serveClient(ctx, nc, in, s, place, until)
		case 'H': // HEAD
			err = c.serveHTTP(nc, in, s, place, until, c.open)
		case secure.FirstByte:
			err = c.serveSecure(ctx, nc, in, s, place, until)
		default:
			err = errNotMember
		}
	}
	if err != nil && ctx.Err() == nil {
		c.log.Debug().Err(err).Stringer("from", s.from).Msg("connection ended")
	}
}

// serveMember reads what a member sends, until the connection ends.
func (c *Conductor) serveMember(
	ctx context.Context, nc net.Conn, in io.Reader, s seat, place *pass, r *realm,
) error {
	hello, err := proto.ReadHandshake(in, proto.Orchestra)
	if err != nil {
		return err
	}
	if !proven(nc, hello.PeerID) {
		return errImpostor
	}
	m := &conn{nc: nc, seat: s, realm: r, id: hello.ID, out: newOutbox(), pass: place}
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write(m)
	}()
	defer func() { <-written }()
	defer m.abort()

	self := proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID, PeerID: r.self}
	self.SetNames()
	all := hello.ID == [20]byte{} // nobody's composition: who asks means all that are here
	if all && hello.Channels() && c.gate.enterTrunk(s) {
		defer c.gate.leaveTrunk(s)
		self.SetChannels()
		m.out.put(self.Append(nil))
		return c.serveTrunk(ctx, m, in)
	}
	m.out.put(self.Append(nil))
	if !all && !c.allows(r, hello.ID) {
		c.notTaken.Add(1)
		c.news.refused(s.from, hello.ID, refusedComposition)
		m.out.put(proto.Append(nil, proto.Refused{Reason: refusedComposition}))
		m.out.finish()
		// until it has read why, or the deadline
		_, err := io.Copy(io.Discard, io.LimitReader(in, sniffBuffer))
		return err
	}

	frames := proto.NewConductorReader(in)
	msg, err := frames.Next()
	if err != nil {
		return err
	}
	if ask, ok := msg.(proto.Ask); ok {
		return c.serveAsker(ctx, m, frames, hello.ID, ask)
	}
	ann, ok := msg.(proto.Announce)
	if !ok || all {
		return errTooEarly
	}
	var name proto.Named
	if hello.Names() {
		if msg, err = frames.Next(); err != nil {
			return err
		}
		if name, ok = msg.(proto.Named); !ok {
			return errNoName
		}
	}
	var title proto.Titled
	if hello.Names() && hello.Titles() {
		if msg, err = frames.Next(); err != nil {
			return err
		}
		if title, ok = msg.(proto.Titled); !ok {
			return errNoTitle
		}
	}
	nc.SetReadDeadline(time.Time{}) // silence is the registry's to judge
	c.post(ctx, arrived{m, hello.ID, hello.PeerID, ann, name, title.Title})
	defer c.post(ctx, closed{m})
	pace := rate.NewLimiter(messageRate, messageBurst)
	for {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		msg, err := frames.Next()
		if err != nil {
			return err
		}
		switch {
		case !fromMember(msg):
			return errWrongWay
		case !late(msg):
			c.post(ctx, heard{m, msg})
		}
	}
}

// write writes what the outbox holds until that is finished, and leaves the
// member a moment to read the last of it.
func (c *Conductor) write(m *conn) {
	var buf []byte
	for more := true; more; {
		buf, more = m.out.take(buf)
		for rest := buf; len(rest) > 0; {
			chunk := rest[:min(len(rest), writeChunk)]
			m.nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout))
			if _, err := m.nc.Write(chunk); err != nil {
				m.nc.Close()
				return
			}
			rest = rest[len(chunk):]
		}
		if cap(buf) > writeChunk {
			buf = nil // a burst is over; thousands of connections stay small
		}
	}
	if half, ok := m.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	m.nc.SetReadDeadline(time.Now().Add(lingerTime))
}
