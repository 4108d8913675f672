package tracker

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"time"
)

// Actions and sizes of BEP 15.
const (
	actionConnect  = 0
	actionAnnounce = 1
	actionError    = 3

	magic     = 0x41727101980
	datagram  = 8 + mostPeers*18
	connected = time.Minute // that a connection id is good

	// A datagram is sent again after firstWait, and then after twice as long each time, udpTries
	// times in all. BEP 15 has 15 seconds to begin with, and eight tries.
	firstWait = 2 * time.Second
	udpTries  = 4
)

// connection is a tracker's connection id.
type connection struct {
	id    uint64
	until time.Time
}

// announceUDP asks a UDP tracker, at the first of its addresses that answers.
func (c *Client) announceUDP(ctx context.Context, u *url.URL, a Announcement) (answer Answer, err error) {
	addrs, err := lookUp(ctx, u)
	if err != nil {
		return answer, err
	}
	for _, at := range addrs {
		var refused *RefusedError
		if answer, err = c.askUDP(ctx, at, u.RequestURI(), a); err == nil || errors.As(err, &refused) || ctx.Err() != nil {
			return answer, err
		}
	}
	return answer, err
}

func (c *Client) askUDP(ctx context.Context, at netip.AddrPort, path string, a Announcement) (answer Answer, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", at.String())
	if err != nil {
		return answer, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	x := exchange{conn: conn}
	id, ok := c.connection(at)
	for range 2 {
		if !ok {
			body, err := x.ask(magic, actionConnect, nil)
			if err != nil {
				return answer, err
			}
			if len(body) < 8 {
				return answer, errShort
			}
			id = binary.BigEndian.Uint64(body)
			c.keep(at, id)
		}
		var body []byte
		body, err = x.ask(id, actionAnnounce, a.datagram(path))
		if err == nil {
			return parseUDP(body, at.Addr().Is4())
		}
		// An id of an earlier question may be too old by now. What is new is right.
		if refused := (*RefusedError)(nil); !ok || !errors.As(err, &refused) {
			break
		}
		c.forget(at)
		ok = false
	}
	return answer, err
}

func (c *Client) connection(at netip.AddrPort) (uint64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.connections[at]
	return known.id, ok && time.Now().Before(known.until)
}

func (c *Client) keep(at netip.AddrPort, id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.connections == nil {
		c.connections = map[netip.AddrPort]connection{}
	}
	c.connections[at] = connection{id, time.Now().Add(connected)}
}

func (c *Client) forget(at netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.connections, at)
}

var (
	errShort  = errors.New("its answer is too short")
	errSilent = errors.New("it does not answer")
)

// An exchange asks one tracker.
type exchange struct{ conn net.Conn }

// ask sends a question until its answer comes, and gives what follows the transaction id.
func (x exchange) ask(id uint64, action uint32, body []byte) ([]byte, error) {
	var transaction [4]byte
	rand.Read(transaction[:])
	out := binary.BigEndian.AppendUint64(nil, id)
	out = binary.BigEndian.AppendUint32(out, action)
	out = append(append(out, transaction[:]...), body...)
	in := make([]byte, datagram)
	for try := range udpTries {
		if _, err := x.conn.Write(out); err != nil {
			return nil, err
		}
		x.conn.SetReadDeadline(time.Now().Add(firstWait << try))
		for {
			n, err := x.conn.Read(in)
			var wait net.Error
			if errors.As(err, &wait) && wait.Timeout() {
				break
			}
			if err != nil {
				return nil, err
			}
			if n < 8 || !bytes.Equal(in[4:8], transaction[:]) {
				continue // the answer to an earlier question, or nobody's
			}
			switch binary.BigEndian.Uint32(in) {
			case action:
				return in[8:n], nil
			case actionError:
				return nil, &RefusedError{Reason: cut(string(in[8:n]))}
			}
		}
	}
	return nil, errSilent
}

// datagram is the announcement as BEP 15 has it, with the path and query of the URL as BEP 41 does.
func (a Announcement) datagram(path string) []byte {
	b := append(a.ID[:], a.PeerID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Downloaded))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Left))
	b = binary.BigEndian.AppendUint64(b, uint64(a.Uploaded))
	b = binary.BigEndian.AppendUint32(b, uint32(a.Event))
	b = binary.BigEndian.AppendUint32(b, 0) // its address: the one that it asks from
	b = binary.BigEndian.AppendUint32(b, a.Key)
	b = binary.BigEndian.AppendUint32(b, uint32(int32(a.Want)))
	b = binary.BigEndian.AppendUint16(b, a.Port)
	if path == "" || path == "/" {
		return b
	}
	for len(path) > 0 {
		n := min(len(path), 255)
		b = append(b, 2, byte(n)) // URLData
		b = append(b, path[:n]...)
		path = path[n:]
	}
	return append(b, 0) // EndOfOptions
}

// parseUDP reads the answer to an announcement, behind the transaction id.
func parseUDP(b []byte, is4 bool) (answer Answer, err error) {
	if len(b) < 12 {
		return answer, errShort
	}
	answer.Interval = asSeconds(int64(binary.BigEndian.Uint32(b)))
	size := 16
	if is4 {
		size = 4
	}
	peers := b[12:]
	peers = peers[:len(peers)-len(peers)%(size+2)]
	return answer, answer.addCompact(peers, size)
}
