package member

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Times of the connection to a conductor.
const (
	retryFirst    = 500 * time.Millisecond
	retryMost     = 30 * time.Second
	progressEvery = 5 * time.Second
	farewellTime  = time.Second
)

// wanted is how many members this member asks to be told of.
const wanted = 50

// conductor keeps one connection to one conductor, for as long as the member runs. A conductor that cannot be reached is a state,
// not an error: the members known go on without it.
type conductor struct {
	*Member
	addr string
	up   bool
}

// run connects, and connects again.
func (c *conductor) run(ctx context.Context) {
	for wait := retryFirst; ctx.Err() == nil; {
		up, err := c.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if up {
			wait = retryFirst
		}
		c.state(false, fmt.Sprintf("conductor %s unreachable: %v", c.addr, err))
		c.cfg.Log.Debug().Err(err).Str("conductor", c.addr).Msg("conductor unreachable")
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
		}
		wait = min(2*wait, retryMost)
	}
}

// state notes whether this conductor is up. With several, one that is up is enough, and its state is the one shown.
func (c *conductor) state(up bool, words string) {
	if c.up != up {
		c.up = up
		if up {
			c.conductorsUp.Add(1)
		} else {
			c.conductorsUp.Add(-1)
		}
	}
	some := c.conductorsUp.Load() > 0
	c.update(func(p *Progress) {
		if p.ConductorUp = some; up || !some {
			p.Conductor = words
		}
	})
}

// session is one connection, from its handshake to its end.
func (c *conductor) session(ctx context.Context) (up bool, err error) {
	dialer := net.Dialer{Timeout: proto.HandshakeTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	if _, err := conn.Write(c.greeting()); err != nil {
		return false, err
	}
	hello, err := proto.ReadHandshake(conn, proto.Orchestra)
	if err != nil {
		return false, err
	}
	if c.cfg.AwaitCopies > 0 && !hello.Names() {
		c.cfg.Log.Warn().Str("conductor", c.addr).Msg("this conductor is of an older version and does not tell how many copies there are")
	}
	if !stop() {
		return true, ctx.Err()
	}
	c.state(true, "conductor "+c.addr)
	talk, end := context.WithCancel(ctx)
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		c.report(talk, conn)
	}()
	defer func() { end(); <-reported }()
	return true, c.listenTo(ctx, conn)
}

// report tells the conductor how far this member is, and at least that it lives. It ends the connection when the context ends.
func (c *conductor) report(ctx context.Context, conn net.Conn) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	last := proto.Progress{Have: c.have(c.Progress())}
	said, complete := time.Now(), c.complete
	for {
		select {
		case <-ctx.Done():
			c.farewell(conn, last)
			return
		case <-complete:
			complete = nil
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
		conn.SetWriteDeadline(time.Now().Add(proto.HandshakeTimeout))
		if _, err := conn.Write(proto.Append(nil, msg)); err != nil {
			conn.Close()
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

// listenTo passes on what the conductor tells.
func (c *conductor) listenTo(ctx context.Context, conn net.Conn) error {
	in := proto.NewConductorReader(conn)
	for {
		conn.SetReadDeadline(time.Now().Add(proto.SilenceTimeout))
		msg, err := in.Next()
		if err != nil {
			return err
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
		case proto.Reachable:
			if msg.OK {
				c.update(func(p *Progress) { p.Dialled = true })
			}
		case proto.Copies:
			c.update(func(p *Progress) { p.Copies = max(p.Copies, int(msg.Complete)) })
		case proto.Refused:
			return fmt.Errorf("it refused: %q", msg.Reason)
		case proto.KeepAlive, proto.Welcome, proto.Unknown:
		default:
			return errors.New("it sent a message that only members send")
		}
	}
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
