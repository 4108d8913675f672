package member

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"time"

	"orchestra/member/intake"
	"orchestra/member/link"
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
	// many. Where the system tells, a link ends sooner (see [connection.look]).
	linkTimeout      = 20 * time.Second
	conductorTimeout = 24 * time.Second
	// partTime is how long a far end has to take the last words of a link, and to end it too.
	partTime = time.Second
	// doubtTime is how long a far end that is in doubt has to acknowledge what it is sent.
	doubtTime = 3 * time.Second
)

// unknownRoundTrip is what roundTrip returns where the system does not tell.
const unknownRoundTrip = time.Minute

// connection is the connection to one peer, and what moves the bytes of a [link.Link]. One
// goroutine reads and one writes; the loop tells the link what to do.
type connection struct {
	m         *Member
	conn      *stream
	id        proto.PeerID
	addr      netip.AddrPort
	dialled   bool
	terms     link.Terms    // that the handshakes agreed on
	port      int           // on which the peer accepts members, as it says; 0: it does not say
	peer      int           // the number that the loop gave it; -1 before
	roundTrip time.Duration // of a packet at best, or of the handshake

	in       *proto.Reader
	outward  io.Writer     // of messages; the writer's own
	head     []byte        // of a piece, to go out with its content; the writer's own
	first    proto.Message // came before the link was up; read first
	expected int           // what expect set last; the reader's own
	// Bytes that the peer may have in flight here; 0: as the system has it. The reader's own.
	bound    int
	unsent   int       // bytes that may wait in the socket; the writer's own
	packet   int       // bytes of the largest packet that goes to the peer; 0: unknown
	deadline time.Time // of the next read; the reader's own
	heard    time.Time // when the reader had read all there was last, or the link came up

	vanishing time.Time // since when what is sent does not arrive; zero: it does; the loop's own
	deaf      bool      // the far end does not answer; the loop's own

	wake chan struct{} // of the writer

	// mu guards what follows, for the loop, the reader and the writer. Whoever holds it moves
	// memory and waits for nothing: no socket, disk, buffer or inbox. What is asked of the way in
	// meanwhile is [intake.Pipe.Here], which takes no lock, and a run on its way is given up
	// without waiting for who writes it. So the loop does not wait here either.
	mu    sync.Mutex
	ended error
	parts bool          // it ends when what waits was said
	state *link.Link    // nil until the link is up
	due   time.Duration // when alarm goes off; 0: it does not
	alarm *time.Timer   // rouses the writer when announcements are due
}

func newConnection(m *Member, conn *stream, hs proto.Handshake, dialled bool) *connection {
	return &connection{
		m: m, conn: conn, id: hs.PeerID, addr: remoteAddr(conn), dialled: dialled,
		terms: link.NewTerms(hs.Fast()), peer: -1, expected: 1,
		in:      proto.NewReader(conn.incoming(), proto.MaxFrame(m.comp.NumParts()), readAhead),
		outward: sender(conn),
		wake:    make(chan struct{}, 1),
	}
}

// up gives a link its number, by which the core knows the peer, and returns what the core is told
// of it. Of who is at a loud host little talk is heard.
func (c *connection) up(peer int, loud bool) swarm.Joined {
	c.peer = peer
	cfg := link.Config{
		Peer: peer, Size: c.m.comp.Size, PartSize: c.m.comp.PartSize,
		Loud: loud, Closed: c.m.closed, Terms: c.terms, Favours: c.favours(),
	}
	c.m.description.lend(&cfg)
	c.state = link.New(cfg)
	return swarm.Joined{
		Peer: peer, ID: c.id, Addr: c.addr, Dialled: c.dialled, MaxRun: c.terms.MaxRun,
		MaxQueue:  c.terms.Reqq,
		RoundTrip: c.roundTrip, Hears: c.terms.DontHave > 0, Port: uint16(c.port),
	}
}

// favours are the parts that a BitTorrent client may ask for while it is choked (BEP 6).
func (c *connection) favours() []uint32 {
	if !c.terms.Fast || c.terms.MaxRun > 0 {
		return nil
	}
	parts := uint32(c.m.comp.NumParts())
	return proto.FastSet(c.addr.Addr(), c.m.id, parts, proto.FastSetSize)
}

// run reads and writes until the link ends, and returns why.
func (c *connection) run(ctx context.Context) error {
	c.tune()
	endure(c.conn.socket, linkTimeout)
	c.heard = time.Now()
	stop := context.AfterFunc(ctx, func() { c.close(context.Cause(ctx)) })
	defer stop()
	var writer sync.WaitGroup
	writer.Go(func() {
		err := c.writeLoop(ctx)
		if err == nil && c.saysNoMore() {
			return // the reader ends when the far end has ended too, or soon
		}
		c.close(err)
	})
	c.close(c.readLoop(ctx))
	writer.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.End()
	c.settle()
	return c.ended
}

// name is how the user knows the far end.
func (c *connection) name() string { return c.addr.String() }

// close ends the link; the first reason counts.
func (c *connection) close(why error) {
	c.mu.Lock()
	if c.ended == nil {
		c.ended = why
	}
	c.mu.Unlock()
	c.conn.Close()
	c.rouse()
}

// part ends the link when what waits to be said has been said, and the far end has heard it or had
// the time to. If the connection was simply closed, what it sends at that moment would keep it from
// reading that.
func (c *connection) part(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.ended, c.parts = why, true
		c.state.Hurry()
		time.AfterFunc(partTime, func() { c.conn.Close() })
		c.rouse()
	}
}

// saysNoMore ends the direction in which this member speaks, if that is how the link ends, and
// reports whether it is.
func (c *connection) saysNoMore() bool {
	c.mu.Lock()
	parts := c.parts
	c.mu.Unlock()
	return parts && c.conn.socket.CloseWrite() == nil
}

// doubt asks the far end's system for a sign of life, and ends the link if none comes.
func (c *connection) doubt() {
	c.say(proto.KeepAlive{})
	time.AfterFunc(doubtTime+doubtTime/4, func() {
		if unacknowledged(c.conn.socket) >= doubtTime {
			c.close(errors.New("its far end does not answer any more"))
		}
	})
}

// rouse lets the writer look for something to do.
func (c *connection) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// do has the link do what the core asked for. The loop calls it.
func (c *connection) do(e swarm.Effect, core *swarm.Swarm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Do(c.m.now(), e, core)
	c.settle()
}

// say leaves a message to be said.
func (c *connection) say(msg proto.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Say(msg)
	c.settle()
}

// settle does what follows from what was told to the link. Called with mu held.
func (c *connection) settle() {
	for _, a := range c.state.Dropped() {
		if in, ok := a.Into.(*intake.Stream); ok {
			in.Abandon()
			if !a.Taking() { // else the reader does that
				in.Release()
			}
		}
	}
	if n := c.state.Wasted(); n > 0 {
		c.m.unused.Add(n)
	}
	if err := c.state.Err(); err != nil && c.ended == nil {
		c.ended = err
		c.conn.Close()
	}
	if c.ended != nil || c.state.Pending() {
		c.rouse()
	}
	c.setAlarm()
}

// setAlarm rouses the writer when announcements are due. Called with mu held.
func (c *connection) setAlarm() {
	at, ok := c.state.Due()
	switch {
	case !ok || c.ended != nil:
		if c.due > 0 {
			c.alarm.Stop()
			c.due = 0
		}
		return
	case at == c.due:
		return
	case c.alarm == nil:
		c.alarm = time.AfterFunc(at-c.m.now(), c.rouse)
	default:
		c.alarm.Reset(at - c.m.now())
	}
	c.due = at
}
