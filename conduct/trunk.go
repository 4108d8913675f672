package conduct

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"orchestra/proto"
)

// The bounds of a connection for many compositions.
const (
	trunkRate   = 500   // messages a second, beyond trunkBurst
	trunkBurst  = 20000 // all channels are opened at once, with four messages each
	trunkQueued = 4 << 10
	trunkAlive  = 5 * time.Second // between two keep-alives that are heeded

	trunksPerSource = 32
)

var (
	errChannel   = errors.New("it opened a channel that is open, or one too many")
	errNested    = errors.New("a message on a channel that does not belong there")
	errOpensNone = errors.New("it opened a channel for no composition")
)

// A trunk is a member's connection for many compositions. It belongs to its
// reader, but for what goes out.
type trunk struct {
	*conn
	c        *Conductor
	channels map[uint16]*channel
	alive    time.Time // the last keep-alive that was heeded
	arrived  bool      // a member announced itself
}

// A channel is a member of one composition on a trunk. To the loop it is a
// connection like any other, and it takes the memory of one from when it has
// said all that a member begins with.
type channel struct {
	conn    *conn // nil: it is not with the loop yet
	open    proto.Open
	ann     *proto.Announce // what came before conn is made; nil: it did not yet
	name    *proto.Named
	refused bool
}

// over reports whether this end has shut the channel.
func (ch *channel) over() bool {
	return ch.refused || ch.conn != nil && ch.conn.shut.Load()
}

// serveTrunk reads what a member of many compositions sends, until the
// connection ends.
func (c *Conductor) serveTrunk(ctx context.Context, m *conn, in io.Reader) error {
	t := &trunk{conn: m, c: c, channels: map[uint16]*channel{}}
	defer func() {
		for _, ch := range t.channels {
			t.close(ctx, ch)
		}
	}()
	frames := proto.NewConductorReader(in)
	pace := rate.NewLimiter(trunkRate, trunkBurst)
	for {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		if t.arrived { // until then the deadline of all connections stands
			t.nc.SetReadDeadline(time.Now().Add(c.cfg.SilenceTimeout))
		}
		msg, err := frames.Next()
		if err != nil {
			return err
		}
		switch msg := msg.(type) {
		case proto.KeepAlive:
			t.keepAlive(ctx)
		case proto.Open:
			err = t.begin(msg)
		case proto.Within:
			err = t.within(ctx, msg)
		case proto.Shut:
			if ch := t.channels[msg.Channel]; ch != nil {
				delete(t.channels, msg.Channel)
				t.close(ctx, ch)
				t.out.allow(len(t.channels) * trunkQueued)
			}
		case proto.Unknown: // of a later version
		default:
			err = errWrongWay
		}
		if err != nil {
			return err
		}
	}
}

// keepAlive renews all members of the trunk.
func (t *trunk) keepAlive(ctx context.Context) {
	now := time.Now()
	if now.Sub(t.alive) < trunkAlive {
		return
	}
	t.alive = now
	lives := lives{c: make([]*conn, 0, len(t.channels))}
	for _, ch := range t.channels {
		if ch.conn != nil {
			lives.c = append(lives.c, ch.conn)
		}
	}
	t.c.post(ctx, lives)
	t.out.put(proto.Append(nil, proto.KeepAlive{}))
}

// begin opens a channel.
func (t *trunk) begin(open proto.Open) error {
	switch {
	case t.channels[open.Channel] != nil || len(t.channels) >= proto.MaxChannels:
		return errChannel
	case open.ID == [20]byte{}:
		return errOpensNone
	case !proven(t.nc, open.PeerID):
		return errImpostor
	}
	ch := &channel{open: open, refused: !t.c.allows(t.realm, open.ID)}
	t.channels[open.Channel] = ch
	t.out.allow(len(t.channels) * trunkQueued)
	if ch.refused {
		t.c.news.refused(t.seat.from, open.ID, refusedComposition)
		t.out.put(proto.AppendWithin(nil, open.Channel, proto.Refused{Reason: refusedComposition}))
		t.out.put(proto.Append(nil, proto.Shut{Channel: open.Channel}))
	}
	return nil
}

// within takes a message on a channel.
func (t *trunk) within(ctx context.Context, w proto.Within) error {
	ch := t.channels[w.Channel]
	if ch == nil || ch.over() {
		return nil // it was shut a moment ago
	}
	msg, err := proto.DecodeConductor(w.Frame)
	if err != nil {
		return err
	}
	if _, unknown := msg.(proto.Unknown); unknown {
		return nil // of a later version
	}
	if ch.conn == nil {
		return t.introduced(ctx, ch, msg)
	}
	switch msg.(type) {
	case proto.Open, proto.Within, proto.Shut, proto.KeepAlive:
		return errNested
	}
	if !fromMember(msg) {
		return errWrongWay
	}
	if !late(msg) {
		t.c.post(ctx, heard{ch.conn, msg})
	}
	return nil
}

// introduced takes one of the messages that a channel begins with, which are
// those of a connection for one composition, in the same order.
func (t *trunk) introduced(ctx context.Context, ch *channel, msg proto.Message) error {
	switch {
	case ch.ann == nil:
		ann, ok := msg.(proto.Announce)
		if !ok {
			return errTooEarly
		}
		ch.ann = &ann
	case ch.name == nil:
		name, ok := msg.(proto.Named)
		if !ok {
			return errNoName
		}
		ch.name = &name
	default:
		title, ok := msg.(proto.Titled)
		if !ok {
			return errNoTitle
		}
		ch.conn = &conn{
			nc: t.nc, seat: t.seat, realm: t.realm, id: ch.open.ID, out: t.out, pass: t.pass,
		}
		ch.conn.trunk, ch.conn.channel = true, ch.open.Channel
		t.arrived = true
		t.c.post(ctx, arrived{ch.conn, ch.open.ID, ch.open.PeerID, *ch.ann, *ch.name, title.Title})
		ch.ann, ch.name = nil, nil
	}
	return nil
}

// close ends a channel.
func (t *trunk) close(ctx context.Context, ch *channel) {
	switch {
	case ch.conn != nil:
		ch.conn.finish()
		t.c.post(ctx, closed{ch.conn})
	case !ch.refused:
		t.out.put(proto.Append(nil, proto.Shut{Channel: ch.open.Channel}))
	}
}

// fromMember reports whether a message is one that members send once they are
// listed, and late whether it says what is to be said before.
func fromMember(msg proto.Message) bool {
	switch msg.(type) {
	case proto.KeepAlive, proto.Announce, proto.Progress, proto.Complain, proto.Await,
		proto.Content, proto.Holds, proto.Received, proto.Waits:
		return true
	}
	return late(msg)
}

func late(msg proto.Message) bool {
	switch msg.(type) {
	case proto.Named, proto.Titled, proto.Ask, proto.Unknown:
		return true
	}
	return false
}

// tell leaves a message to be written. It reports false if the other end reads
// too slowly.
func (m *conn) tell(msg proto.Message) bool {
	switch {
	case m.trunk && m.shut.Load():
		return true
	case m.trunk:
		return m.out.put(proto.AppendWithin(nil, m.channel, msg))
	}
	return m.out.put(proto.Append(nil, msg))
}

// finish ends what is said: the connection, or the channel.
func (m *conn) finish() {
	switch {
	case !m.trunk:
		m.out.finish()
	case !m.shut.Swap(true):
		m.out.put(proto.Append(nil, proto.Shut{Channel: m.channel}))
	}
}

// enterTrunk lets one more connection for many compositions in, if its source
// may have one.
func (g *gate) enterTrunk(s seat) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	src := source(s.from.Addr())
	if g.trunks[src] >= trunksPerSource {
		return false
	}
	g.trunks[src]++
	return true
}

func (g *gate) leaveTrunk(s seat) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lessen(g.trunks, source(s.from.Addr()))
}

// trunkState is what a conn has if it is a channel of a trunk.
type trunkState struct {
	trunk   bool
	channel uint16
	shut    atomic.Bool // this end said so
}
