package member

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net"
	"sync"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
	"orchestra/proto/secure"
)

// trunks are the connections of a host to its conductors: one to each for all members. A conductor
// of an older version gets one from each member.
type trunks struct {
	mu   sync.Mutex
	at   map[trunkTo]*trunk
	work sync.WaitGroup
}

// trunkTo is a conductor, and as whom it is spoken to: in a private swarm that is proven.
type trunkTo struct {
	addr string
	as   *secure.Identity
}

// olderFor is how long a conductor counts as one of an older version.
const olderFor = 10 * time.Minute

// trunk is the connection to one conductor, while anybody has a use for it.
type trunk struct {
	host *trunks
	trunkTo
	dial dialFunc

	machine *machine

	mu       sync.Mutex
	waiting  []chan result // who wants a channel, until it is known whether there is a connection
	conn     net.Conn      // nil: not connected
	hello    proto.Handshake
	channels map[uint16]*channel
	last     uint16 // the number given out last
	older    time.Time
	running  bool
	idle     chan struct{} // has room for one: nobody waits any more

	pause backoff   // what follows is run's
	retry time.Time // the next try, if that is not at once
}

// result is what who wants a channel gets: a channel, or why there is none.
type result struct {
	conn net.Conn
	err  error
}

// errOlder tells that the conductor takes one composition a connection.
var errOlder = errors.New("the conductor takes one composition for each connection")

// open returns a connection to a conductor for the composition of a member: a channel of the one
// that there is for all of its swarm, or one of its own if the conductor knows no channels.
func (t *trunks) open(ctx context.Context, addr string, m *Member, dial dialFunc) (net.Conn, error) {
	t.mu.Lock()
	if t.at == nil {
		t.at = map[trunkTo]*trunk{}
	}
	where := trunkTo{addr, m.identity}
	to := t.at[where]
	if to == nil {
		to = &trunk{
			host: t, trunkTo: where, dial: dial, machine: m.machine, channels: map[uint16]*channel{},
			idle: make(chan struct{}, 1), pause: backoff{wait: retryFirst},
		}
		t.at[where] = to
	}
	t.mu.Unlock()
	conn, err := to.open(ctx)
	if errors.Is(err, errOlder) {
		return dial(ctx, "tcp", addr)
	}
	return conn, err
}

// wait ends the connections, over which nothing is to be said any more, and waits for that.
func (t *trunks) wait() {
	t.mu.Lock()
	for _, to := range t.at {
		to.end(net.ErrClosed)
	}
	t.mu.Unlock()
	t.work.Wait()
}

// open returns a new channel, when there is a connection.
func (t *trunk) open(ctx context.Context) (net.Conn, error) {
	t.mu.Lock()
	switch {
	case time.Now().Before(t.older):
		t.mu.Unlock()
		return nil, errOlder
	case t.conn != nil:
		defer t.mu.Unlock()
		return t.channel()
	}
	wants := make(chan result, 1)
	t.waiting = append(t.waiting, wants)
	if !t.running {
		t.running = true
		t.host.work.Go(t.run)
	}
	t.mu.Unlock()
	select {
	case r := <-wants:
		return r.conn, r.err
	case <-ctx.Done():
		t.forget(wants)
		return nil, ctx.Err()
	}
}

// forget lets somebody go who waits no more.
func (t *trunk) forget(wants chan result) {
	t.mu.Lock()
	for i, w := range t.waiting {
		if w == wants {
			t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
			if len(t.waiting) == 0 {
				t.rouse()
			}
			t.mu.Unlock()
			return
		}
	}
	t.mu.Unlock()
	if r := <-wants; r.conn != nil { // it was answered meanwhile
		r.conn.Close()
	}
}

// rouse ends a pause for which nobody waits any more. Called with mu held.
func (t *trunk) rouse() {
	select {
	case t.idle <- struct{}{}:
	default:
	}
}

// wanted reports whether anybody waits, and ends running if nobody does.
func (t *trunk) wanted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = len(t.waiting) > 0
	return t.running
}

// run connects while anybody waits for a connection, and listens while there is one. After a
// failure each member waits longer and longer for itself; those that come back meanwhile wait here
// for the next try.
func (t *trunk) run() {
	for t.wanted() {
		_, changed := t.machine.now()
		if left := time.Until(t.retry); left > 0 {
			pause := time.NewTimer(left)
			select {
			case <-pause.C:
			case <-changed:
			case <-t.idle:
			}
			pause.Stop()
			t.retry = time.Time{}
			continue
		}
		ctx, cancel := t.machine.whileSame(context.Background())
		conn, hello, err := t.connect(ctx)
		cancel()
		if err != nil {
			t.retry = time.Now().Add(t.pause.next(mrand.N))
			t.fail(err)
			continue
		}
		up := time.Now()
		t.begin(conn, hello)
		t.listen(conn)
		if time.Since(up) >= settled {
			t.pause = backoff{wait: retryFirst}
		}
		t.retry = time.Now().Add(t.pause.next(mrand.N))
	}
}

// connect dials the conductor and exchanges handshakes.
func (t *trunk) connect(ctx context.Context) (net.Conn, proto.Handshake, error) {
	conn, err := t.dial(ctx, "tcp", t.addr)
	if err != nil {
		return nil, proto.Handshake{}, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if socket := socketOf(conn); socket != nil {
		endure(socket, conductorTimeout)
	}
	hello, err := t.greet(ctx, conn)
	if err == nil && !hello.Channels() {
		err = errOlder
	}
	if err != nil {
		conn.Close()
		return nil, hello, err
	}
	conn.SetDeadline(time.Time{})
	return conn, hello, nil
}

// greet exchanges the handshakes, and finds out what answers if that is no conductor.
func (t *trunk) greet(ctx context.Context, conn net.Conn) (proto.Handshake, error) {
	conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	self, err := t.self()
	if err != nil {
		return proto.Handshake{}, err
	}
	says := proto.Handshake{Protocol: proto.Orchestra, PeerID: self}
	says.SetNames()
	says.SetTitles()
	says.SetChannels()
	if _, err := conn.Write(says.Append(nil)); err != nil {
		return says, &answer{swarm.HangsUp, err}
	}
	hello, err := readHello(conn, proto.Orchestra)
	if err != nil {
		if fault := probe(ctx, t.dial, t.addr); fault != swarm.Conducts && fault > faultOf(err) {
			err = &answer{fault, err}
		}
	}
	return hello, err
}

// self is as whom the host speaks.
func (t *trunk) self() (proto.PeerID, error) {
	if t.as != nil {
		return t.as.PeerID(), nil
	}
	return proto.NewPeerID(rand.Reader)
}

// begin gives all who wait a channel.
func (t *trunk) begin(conn net.Conn, hello proto.Handshake) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn, t.hello = conn, hello
	for _, wants := range t.waiting {
		c, err := t.channel()
		if err != nil {
			wants <- result{nil, err}
			continue
		}
		wants <- result{c, nil}
	}
	t.waiting = nil
}

// fail tells all who wait why there is no connection.
func (t *trunk) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if errors.Is(err, errOlder) {
		t.older = time.Now().Add(olderFor)
	}
	for _, wants := range t.waiting {
		wants <- result{nil, err}
	}
	t.waiting = nil
}

// end ends the connection and all channels.
func (t *trunk) end(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		t.conn.Close()
		t.conn = nil
	}
	for number, c := range t.channels {
		c.take(nil, why)
		delete(t.channels, number)
	}
}

// listen passes on what the conductor says on each channel, until the connection ends, and sends a
// sign of life now and then.
func (t *trunk) listen(conn net.Conn) {
	alive := time.NewTicker(proto.PingInterval - progressEvery)
	ended := make(chan struct{})
	var beats sync.WaitGroup
	beats.Go(func() {
		defer alive.Stop()
		for {
			select {
			case <-alive.C:
				t.write(conn, proto.Append(nil, proto.KeepAlive{}))
			case <-ended:
				return
			}
		}
	})
	defer beats.Wait()
	defer close(ended)
	in := proto.NewConductorReader(conn)
	for {
		conn.SetReadDeadline(time.Now().Add(proto.SilenceTimeout))
		msg, err := in.Next()
		if err == nil {
			err = t.hear(msg)
		}
		if err != nil {
			t.end(err)
			return
		}
	}
}

// hear takes one message.
func (t *trunk) hear(msg proto.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch msg := msg.(type) {
	case proto.KeepAlive, proto.Unknown:
	case proto.Within:
		if c := t.channels[msg.Channel]; c != nil {
			frame := binary.BigEndian.AppendUint32(nil, uint32(len(msg.Frame)))
			c.take(append(frame, msg.Frame...), nil)
		}
	case proto.Shut:
		c := t.channels[msg.Channel]
		if c == nil {
			break
		}
		delete(t.channels, msg.Channel)
		c.take(nil, errShut)
		c.shut()
		if len(t.channels) == 0 && len(t.waiting) == 0 {
			return errUnused
		}
	default:
		return errors.New("it sent a message that only members send")
	}
	return nil
}

var (
	errShut   = fmt.Errorf("the conductor ended it: %w", net.ErrClosed)
	errUnused = errors.New("nobody has a use for the connection any more")
)

// write writes to the connection. One that does not take it is closed.
func (t *trunk) write(conn net.Conn, p []byte) error {
	conn.SetWriteDeadline(time.Now().Add(proto.HandshakeTimeout))
	_, err := conn.Write(p)
	if err != nil {
		conn.Close()
	}
	return err
}

// channel opens a channel. Called with mu held, and with a connection.
func (t *trunk) channel() (*channel, error) {
	if len(t.channels) >= proto.MaxChannels {
		return nil, fmt.Errorf("the connection has %d compositions, and takes no more", len(t.channels))
	}
	for t.last++; t.channels[t.last] != nil; t.last++ {
	}
	c := &channel{trunk: t, conn: t.conn, number: t.last, more: make(chan struct{}, 1)}
	hello := t.hello
	c.hello = &hello
	t.channels[t.last] = c
	return c, nil
}
