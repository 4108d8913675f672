package member

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Times of a link.
const (
	// silenceTimeout ends a link on which nothing came, not even a keep-alive, which BEP 3 has sent
	// every two minutes.
	silenceTimeout = 150 * time.Second
	keepAlive      = 30 * time.Second
	// writeTimeout ends a link whose far end took nothing for so long.
	writeTimeout = 60 * time.Second
	// linkTimeout ends a link whose far end's system is gone: it acknowledges nothing, not even
	// that it is there. conductorTimeout does so with the connection to a conductor, which has
	// many.
	linkTimeout      = 20 * time.Second
	conductorTimeout = 45 * time.Second
	// doubtTime is how long a far end that is in doubt has to acknowledge what it is sent.
	doubtTime = 3 * time.Second
)

// unknownRoundTrip is what roundTrip returns where the system does not tell.
const unknownRoundTrip = time.Minute

// link is the connection to one peer. One goroutine reads and one writes; the loop only leaves
// things to do under mu and never waits.
type link struct {
	m       *Member
	conn    *net.TCPConn
	id      proto.PeerID
	addr    netip.AddrPort
	dialled bool
	fast    bool   // BEP 6
	maxRun  uint32 // bytes one request may cover; 0: single blocks
	reqq    int    // requests that may wait at the peer
	gone    int    // the id of BEP 54's message there, which says that a part is gone; 0: it takes none
	bad     int    // the id of the message there that says that a part was bad; 0: it takes none
	port    int    // on which the peer accepts members, as it says; 0: it does not say
	peer    int    // the number that the loop gave it; -1 before

	dismissal  int           // the id of the message there that dismisses it; 0: it takes none
	spare      int           // the id of the message there that says who could send more; 0: it takes none
	regrouping int           // the id of the message there that is of forming a chain anew; 0: it takes none
	roundTrip  time.Duration // of a packet at best, or of the handshake

	in       *proto.Reader
	outward  io.Writer     // of messages; the writer's own
	first    proto.Message // came before the link was up; read first
	expected int           // what expect set last; the reader's own
	bound    int           // bytes that the peer may have in flight to this member; 0: as the system has it; the reader's own
	unsent   int           // bytes that may wait in the socket; the writer's own
	packet   int           // bytes of the largest packet that goes to the peer; 0: unknown
	piece    int           // bytes of a bulk request that go into the next piece; the writer's own
	went     int64         // payload bytes that went out since the core was told; the writer's own
	told     time.Time     // when it was; the writer's own
	deadline time.Time     // of the next read; the reader's own

	mu        sync.Mutex // guards what follows, for the loop, the reader and the writer
	wake      chan struct{}
	ended     error
	say       []byte      // encoded messages that wait to be written
	offered   int         // bytes of them that the first bitfield takes, however many parts there are
	haves     []uint32    // parts to announce
	soon      bool        // they are to be announced now
	due       time.Time   // when they are at the latest; zero: at no time
	announcer *time.Timer // for due
	orders
	menu
}

func newLink(m *Member, conn *net.TCPConn, hs proto.Handshake, dialled bool) *link {
	return &link{
		m: m, conn: conn, id: hs.PeerID, addr: remoteAddr(conn), dialled: dialled, fast: hs.Fast(), reqq: 250, peer: -1, expected: 1, piece: leastPiece,
		in:      proto.NewReader(receiver(conn), proto.MaxFrame(m.comp.NumParts()), readAhead),
		outward: sender(conn),
		wake:    make(chan struct{}, 1),
		menu:    newMenu(), orders: orders{choking: true},
	}
}

// joined is what the core is told of a new link.
func (l *link) joined() swarm.Joined {
	return swarm.Joined{
		Peer: l.peer, ID: l.id, Addr: l.addr, Dialled: l.dialled, MaxRun: l.maxRun, MaxQueue: l.reqq,
		RoundTrip: l.roundTrip, Hears: l.gone > 0, Port: uint16(l.port),
	}
}

// run reads and writes until the link ends, and returns why.
func (l *link) run(ctx context.Context) error {
	l.tune()
	endure(l.conn, linkTimeout)
	stop := context.AfterFunc(ctx, func() { l.close(context.Cause(ctx)) })
	defer stop()
	var writer sync.WaitGroup
	writer.Go(func() { l.close(l.writeLoop(ctx)) })
	l.close(l.readLoop(ctx))
	writer.Wait()
	l.forgetMenu()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// close ends the link; the first reason counts.
func (l *link) close(why error) {
	l.mu.Lock()
	if l.ended == nil {
		l.ended = why
	}
	l.mu.Unlock()
	l.conn.Close()
	l.rouse()
}

// doubt asks the far end's system for a sign of life, and ends the link if none comes.
func (l *link) doubt() {
	l.send(proto.KeepAlive{})
	time.AfterFunc(doubtTime+doubtTime/4, func() {
		if unacknowledged(l.conn) >= doubtTime {
			l.close(errors.New("its far end does not answer any more"))
		}
	})
}

// rouse lets the writer look for something to do.
func (l *link) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// mostUnsaid bounds the control messages that wait for a peer that does not read, in bytes, beside
// what it is told first: which parts there are.
const mostUnsaid = 1 << 20

// queue leaves a message for the writer. Called with mu held.
func (l *link) queue(msg proto.Message) {
	l.say = proto.Append(l.say, msg)
	if len(l.say)-l.offered > mostUnsaid && l.ended == nil {
		l.ended = fmt.Errorf("it does not read what it is told (%d bytes wait)", len(l.say))
		l.conn.Close()
	}
	l.rouse()
}

func (l *link) send(msg proto.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue(msg)
}

// offer says what this member has, before anything else.
func (l *link) offer(o swarm.Offer) {
	var msg proto.Message
	switch {
	case o.All && l.fast:
		msg = proto.HaveAll{}
	case o.All:
		msg = proto.Bitfield{Bits: allBits(l.m.comp.NumParts())}
	case o.Bits != nil:
		msg = proto.Bitfield{Bits: o.Bits}
	case l.fast:
		msg = proto.HaveNone{}
	default:
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := msg.(proto.Bitfield); ok {
		l.offered = len(b.Bits)
	}
	l.queue(msg)
}

func allBits(parts int) []byte {
	b := make([]byte, (parts+7)/8)
	for i := range parts {
		b[i>>3] |= 0x80 >> (i & 7)
	}
	return b
}

// have leaves a part to be announced after a while, or earlier with something else that is said.
// However slow the peer, each part waits once.
func (l *link) have(part uint32, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.haves = append(l.haves, part)
	if delay == 0 {
		l.soon = true
		l.rouse()
		return
	}
	if len(l.ready) > 0 {
		l.rouse() // it may wait for this part
	}
	due := time.Now().Add(delay).Truncate(delay) // for all links at the same time
	switch {
	case l.ended != nil || (!l.due.IsZero() && !due.Before(l.due)):
		return
	case l.announcer == nil:
		l.announcer = time.AfterFunc(time.Until(due), l.announce)
	default:
		l.announcer.Reset(time.Until(due))
	}
	l.due = due
}

// suggest tells the peer of parts that it may ask for.
func (l *link) suggest(parts []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, part := range parts {
		l.queue(proto.Suggest{Part: part})
	}
}

// announce lets what waits be announced.
func (l *link) announce() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.soon = len(l.haves) > 0
	l.rouse()
}

// takeHaves takes the parts to announce. Called with mu held.
func (l *link) takeHaves() (parts []uint32) {
	parts, l.haves = l.haves, nil
	l.soon = false
	if !l.due.IsZero() {
		l.announcer.Stop()
		l.due = time.Time{}
	}
	return parts
}

func (l *link) setInterest(on bool) {
	if on {
		l.send(proto.Interested{})
	} else {
		l.send(proto.NotInterested{})
	}
}
