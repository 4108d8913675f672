package member

import (
	"net"
	"testing"

	"orchestra/member/link"
	"orchestra/proto"
)

// firstWords is a connection that notes what is said on it until something is heard.
type firstWords struct {
	net.Conn
	said  []byte
	heard bool
}

func (c *firstWords) Write(p []byte) (int, error) {
	if !c.heard {
		c.said = append(c.said, p...)
	}
	return c.Conn.Write(p)
}

func (c *firstWords) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.heard = c.heard || n > 0
	return n, err
}

// A client that is met by its address may close if more than a handshake comes before it answered
// that. A member takes the extension handshake as well, which saves a round trip.
func TestMoreThanAHandshakeIsForMembers(t *testing.T) {
	for _, known := range []bool{false, true} {
		l, far := pair(t, randomBytes(1), Config{})
		m := l.m
		words := &firstWords{Conn: l.conn.socket}
		theirs := make(chan error, 1)
		go func() {
			_, err := proto.ReadHandshake(far, proto.BitTorrent)
			hs := proto.Handshake{
				Protocol: proto.BitTorrent, ID: m.id, PeerID: proto.PeerID{'-', 'A', '2'},
			}
			hs.SetExtended()
			ext := link.Offered()
			far.Write(proto.Append(hs.Append(nil), proto.Extended{Payload: ext.Append(nil)}))
			if err == nil {
				_, err = proto.NewReader(far, proto.MaxFrame(1<<20), 4<<10).Next()
			}
			theirs <- err
		}()
		stream := &stream{Conn: words, socket: l.conn.socket}
		if _, err := m.greet(t.Context(), stream, greeting{known: known}); err != nil {
			t.Fatal(err)
		}
		if err := <-theirs; err != nil {
			t.Errorf("known %t: the extension handshake does not come: %v", known, err)
		}
		if first := len(words.said) == len(m.hello()); first == known {
			t.Errorf("known %t: %d bytes before the answer", known, len(words.said))
		}
	}
}

// Where the system does not tell the round trip, the time until a member answers the handshake
// does. What it says then is not lost.
func TestAnswerToTheHandshakeIsKept(t *testing.T) {
	l, far := pair(t, randomBytes(1), Config{})
	if _, err := far.Write(proto.Append(nil, proto.HaveNone{})); err != nil {
		t.Fatal(err)
	}
	if err := l.awaitAnswer(); err != nil || l.first != (proto.HaveNone{}) {
		t.Errorf("kept %v, %v", l.first, err)
	}
	l.first, l.terms.MaxRun = nil, 0
	if err := l.awaitAnswer(); err != nil || l.first != nil {
		t.Errorf("waits for a foreign client, which need not say anything: %v %v", l.first, err)
	}
}
