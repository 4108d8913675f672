package member

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"orchestra/proto"
)

// mostHeard is how much a channel keeps of what the conductor said and nobody read: far more than
// it says at a time.
const mostHeard = 1 << 20

// channel is one composition's part of a connection to a conductor. To who has it, it is a
// connection of its own: it takes a member's handshake and gives the conductor's, and then carries
// what both say.
type channel struct {
	trunk  *trunk
	conn   net.Conn
	number uint16

	mu     sync.Mutex
	hello  *proto.Handshake // the conductor's, until the member's came
	opened bool
	said   bool // Shut
	input  []byte
	ended  error // why no more comes
	more   chan struct{}
	limit  time.Time // of reading, until something came
	heard  bool
	rest   []byte // of what was written: not a whole frame yet
}

// take takes in what the conductor said, or that it says no more.
func (c *channel) take(frame []byte, ended error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.input)+len(frame) > mostHeard {
		frame, ended = nil, errors.New("it says more than this member can read")
	}
	c.input = append(c.input, frame...)
	c.heard = c.heard || len(frame) > 0
	if c.ended == nil {
		c.ended = ended
	}
	c.rouse()
}

func (c *channel) rouse() {
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// Read reads what the conductor said on the channel.
func (c *channel) Read(p []byte) (int, error) {
	for {
		c.mu.Lock()
		if len(c.input) > 0 {
			n := copy(p, c.input)
			if c.input = c.input[n:]; len(c.input) == 0 {
				c.input = nil // thousands of channels stay small
			}
			c.mu.Unlock()
			return n, nil
		}
		ended, limit := c.ended, c.limit
		if c.heard {
			limit = time.Time{} // silence is the connection's to judge
		}
		c.mu.Unlock()
		if ended != nil {
			return 0, ended
		}
		if err := c.await(limit); err != nil {
			return 0, err
		}
	}
}

// await waits for more, until a time if that is one.
func (c *channel) await(limit time.Time) error {
	if limit.IsZero() {
		<-c.more
		return nil
	}
	timer := time.NewTimer(time.Until(limit))
	defer timer.Stop()
	select {
	case <-c.more:
		return nil
	case <-timer.C:
		return os.ErrDeadlineExceeded
	}
}

// Write takes the handshake first, and then messages.
func (c *channel) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said || c.ended != nil {
		return 0, net.ErrClosed
	}
	c.rest = append(c.rest, p...)
	var out []byte
	if !c.opened {
		hs, length, ok := handshakeIn(c.rest)
		if !ok {
			return len(p), nil
		}
		c.opened, c.rest = true, c.rest[length:]
		hello := *c.hello
		hello.ID = hs.ID
		c.input = append(c.input, hello.Append(nil)...)
		c.rouse()
		out = proto.Append(out, proto.Open{Channel: c.number, ID: hs.ID, PeerID: hs.PeerID})
	}
	for len(c.rest) >= 4 {
		length := 4 + int(binary.BigEndian.Uint32(c.rest))
		if len(c.rest) < length {
			break
		}
		if frame := c.rest[4:length]; len(frame) > 0 { // a keep-alive is the connection's
			out = proto.Append(out, proto.Within{Channel: c.number, Frame: frame})
		}
		c.rest = c.rest[length:]
	}
	if len(c.rest) == 0 {
		c.rest = nil
	}
	if len(out) == 0 {
		return len(p), nil
	}
	if err := c.trunk.write(c.conn, out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// handshakeIn is the handshake that p begins with, if it is all there.
func handshakeIn(p []byte) (hs proto.Handshake, length int, ok bool) {
	length = 1 + len(proto.Orchestra) + 8 + 20 + 20
	if len(p) < length {
		return hs, 0, false
	}
	hs.Protocol = proto.Orchestra
	copy(hs.ID[:], p[length-40:])
	copy(hs.PeerID[:], p[length-20:])
	return hs, length, true
}

// shut says once that the channel ends.
func (c *channel) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said {
		return
	}
	c.said = true
	if c.opened {
		_ = c.trunk.write(c.conn, proto.Append(nil, proto.Shut{Channel: c.number}))
	}
}

// CloseWrite says that nothing follows, and leaves it to the conductor to end the channel.
func (c *channel) CloseWrite() error {
	c.shut()
	return nil
}

// Close ends the channel for who reads it. The number stays taken until the conductor has heard of
// that.
func (c *channel) Close() error {
	c.shut()
	c.take(nil, net.ErrClosed)
	c.giveUp()
	return nil
}

// giveUp forgets a channel of which the conductor never heard.
func (c *channel) giveUp() {
	c.mu.Lock()
	opened := c.opened
	c.said = true
	c.mu.Unlock()
	if opened {
		return
	}
	c.trunk.mu.Lock()
	defer c.trunk.mu.Unlock()
	if c.trunk.channels[c.number] == c {
		delete(c.trunk.channels, c.number)
	}
}

// LocalAddr is the connection's.
func (c *channel) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr is the connection's.
func (c *channel) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline bounds reading.
func (c *channel) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline bounds how long the conductor may take to say anything on the channel. Afterwards
// the connection has its own bound.
func (c *channel) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = t
	return nil
}

// SetWriteDeadline does nothing: each write to the connection has its bound.
func (c *channel) SetWriteDeadline(time.Time) error { return nil }
