package member

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Times of the connection to a conductor.
const (
	retryFirst    = 500 * time.Millisecond
	retryMost     = 30 * time.Second
	settled       = 5 * time.Second // that a conductor is up until its loss is no reason to wait longer
	progressEvery = 5 * time.Second
	farewellTime  = time.Second
)

// maxComplaints is how many complaints wait for one conductor at most: it heeds eight of one member. What is more is not told.
const maxComplaints = 8

// complain tells every conductor of a peer that sent bad data, at once or when it is up again. It never waits.
func (m *Member) complain(bad proto.Complain) {
	for _, conductor := range m.complaints {
		select {
		case conductor <- bad:
		default:
		}
	}
}

// wanted is how many members this member asks to be told of.
const wanted = 50

// conductor keeps one connection to one conductor, for as long as the member runs. A conductor that cannot be reached, or that
// refuses, is a state, not an error: the members known go on without it.
type conductor struct {
	*Member
	addr  string
	index int // among the member's conductors

	complaints <-chan proto.Complain // not sent yet
	dial       func(ctx context.Context, network, address string) (net.Conn, error)
	upSince    time.Time // of the last connection; zero: it never was
}

// refused is why a conductor will not have this member; the words are the conductor's.
type refused string

func (r refused) Error() string { return "it refused: " + strconv.Quote(string(r)) }

// run connects, and connects again: soon if the conductor was up and is lost, since it may be starting anew; less and less often while it cannot
// be reached, refuses, or is lost again at once, however it does that.
func (c *conductor) run(ctx context.Context) {
	pause := backoff{retryFirst}
	for {
		c.upSince = time.Time{}
		err := c.session(ctx)
		if ctx.Err() != nil {
			return
		}
		what := "conductor %s unreachable: %v"
		if why := refused(""); errors.As(err, &why) {
			what = "conductor %s cannot be used: %v"
		} else if !c.upSince.IsZero() && time.Since(c.upSince) >= settled {
			pause = backoff{retryFirst}
		}
		c.state(false, fmt.Sprintf(what, c.addr, err))
		c.cfg.Log.Debug().Err(err).Str("conductor", c.addr).Msg("no connection to the conductor")
		select {
		case <-time.After(pause.next(rand.N)):
		case <-ctx.Done():
			return
		}
	}
}

// backoff is how long to wait until the next try: twice as long each time, by chance half as long or half as long again, so that those
// who lost a conductor together do not come back together.
type backoff struct{ wait time.Duration }

func (b *backoff) next(random func(time.Duration) time.Duration) time.Duration {
	d := b.wait/2 + random(b.wait)
	b.wait = min(2*b.wait, retryMost)
	return d
}

// conductorState is what is known of one conductor.
type conductorState struct {
	up    bool
	words string // empty until the first try came to an end
}

// state notes how this conductor is.
func (c *conductor) state(up bool, words string) {
	c.update(func(p *Progress) {
		c.states[c.index] = conductorState{up, words}
		p.ConductorUp, p.Conductor = overall(c.states)
	})
}

// overall is the state of all conductors together. One that is up is enough. The first of them speaks for all, in the order that they
// were named in, so that what is shown stays the same while others come and go.
func overall(states []conductorState) (up bool, words string) {
	for _, s := range states {
		if s.up {
			return true, s.words
		}
		if words == "" {
			words = s.words
		}
	}
	return false, words
}

// session is one connection, from its handshake to its end, and why it ended.
func (c *conductor) session(ctx context.Context) error {
	conn, err := c.dial(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	hail, told := c.greeting()
	if _, err := conn.Write(hail); err != nil {
		return err
	}
	hello, err := proto.ReadHandshake(conn, proto.Orchestra)
	if err != nil {
		return err
	}
	if c.cfg.AwaitCopies > 0 && !hello.Names() {
		c.cfg.Log.Warn().Str("conductor", c.addr).Msg("this conductor is of an older version and does not tell how many copies there are")
	}
	if !stop() {
		return ctx.Err()
	}
	talk, end := context.WithCancel(ctx)
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		c.report(talk, conn, told)
	}()
	defer func() { end(); <-reported }()
	return c.listenTo(ctx, conn)
}

// report tells the conductor how far this member is when that is other than was told last, and at least that it lives. It ends the connection when
// the context ends.
func (c *conductor) report(ctx context.Context, conn net.Conn, last proto.Progress) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	said, complete := time.Now(), c.complete
	for {
		select {
		case <-ctx.Done():
			c.farewell(conn, last)
			return
		case <-complete:
			complete = nil
		case bad := <-c.complaints:
			if !c.say(conn, bad) {
				return
			}
			said = time.Now()
			continue
		case <-tick.C:
		}
		now := c.progressNow()
		var msg proto.Message = now
		if now == last {
			if time.Since(said) < proto.PingInterval-progressEvery {
				continue
			}
			msg = proto.KeepAlive{}
		}
		last, said = now, time.Now()
		if !c.say(conn, msg) {
			return
		}
	}
}

// farewell tells the conductor how far this member came, and leaves it a moment to read that: closing at once what was not read to
// its end would take back what was just said.
func (c *conductor) farewell(conn net.Conn, last proto.Progress) {
	time.AfterFunc(farewellTime, func() { conn.Close() })
	now := c.progressNow()
	if half, ok := conn.(*net.TCPConn); ok {
		var err error
		if now != last {
			_, err = conn.Write(proto.Append(nil, now))
		}
		if err == nil && half.CloseWrite() == nil {
			return // listenTo reads to the end
		}
	}
	conn.Close()
}

// say sends one message. A connection that does not take it is closed.
func (c *conductor) say(conn net.Conn, msg proto.Message) bool {
	conn.SetWriteDeadline(time.Now().Add(proto.HandshakeTimeout))
	if _, err := conn.Write(proto.Append(nil, msg)); err != nil {
		conn.Close()
		return false
	}
	return true
}

// listenTo passes on what the conductor tells. The conductor is up once it has said anything but no.
func (c *conductor) listenTo(ctx context.Context, conn net.Conn) error {
	in := proto.NewConductorReader(conn)
	for up := false; ; {
		conn.SetReadDeadline(time.Now().Add(proto.SilenceTimeout))
		msg, err := in.Next()
		if err != nil {
			return err
		}
		if no, ok := msg.(proto.Refused); ok {
			return refused(no.Reason)
		}
		if !up {
			up, c.upSince = true, time.Now()
			c.state(true, "conductor "+c.addr)
		}
		switch msg := msg.(type) {
		case proto.Joined:
			for _, member := range msg.Members {
				c.tell(ctx, swarm.Found{ID: member.PeerID, Addrs: member.Addrs})
			}
		case proto.Left:
			for _, id := range msg.PeerIDs {
				c.tell(ctx, swarm.Gone{ID: id})
			}
		case proto.Listed:
			c.tell(ctx, swarm.Listed{Members: int(min(msg.Members, math.MaxInt32))})
		case proto.Reachable:
			if msg.OK {
				c.update(func(p *Progress) { p.Dialled = true })
			}
		case proto.Accused:
			c.tell(ctx, accused{msg.Part})
		case proto.Copies:
			c.update(func(p *Progress) { p.Copies = max(p.Copies, int(msg.Complete)) })
		case proto.KeepAlive, proto.Welcome, proto.Unknown:
		default:
			return errors.New("it sent a message that only members send")
		}
	}
}

// advertised is what the member says of where it can be reached: what its user said, or else the one address that it listens on, which
// need not be the one that the conductor sees it under (it may be on the conductor's own machine, or have several).
func advertised(said string, listen netip.AddrPort) string {
	if ip := listen.Addr(); said != "" || ip.IsUnspecified() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return said
	}
	return listen.String()
}

// ownAddrs lists where members of the same network may reach this one: the address it listens on, or those of its interfaces.
func ownAddrs(listen netip.AddrPort) []netip.AddrPort {
	if !listen.Addr().IsUnspecified() {
		if listen.Addr().IsLoopback() {
			return nil
		}
		return []netip.AddrPort{listen}
	}
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var addrs []netip.AddrPort
	for _, n := range nets {
		ipnet, ok := n.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(ipnet.IP)
		if ip = ip.Unmap(); ok && ip.IsGlobalUnicast() && len(addrs) < proto.MaxAddrs {
			addrs = append(addrs, netip.AddrPortFrom(ip, listen.Port()))
		}
	}
	return addrs
}
