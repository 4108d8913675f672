package member

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Times of the connection to a conductor.
const (
	retryFirst = 500 * time.Millisecond
	retryMost  = 5 * time.Second // no longer than who waits for somebody that moved is to wait
	// that a conductor is up until its loss is no reason to wait longer
	settled       = 5 * time.Second
	progressEvery = 5 * time.Second
	farewellTime  = time.Second
	twinEvery     = time.Second // between two looks whether a conductor is up at another address
)

// wanted is how many members this member asks to be told of.
const wanted = 50

// conductor keeps one connection to one conductor, for as long as the member runs. A conductor that
// cannot be reached, or that refuses, is a state, not an error: the members known go on without it.
type conductor struct {
	*Member
	addr  string
	index int // among the member's conductors

	complaints <-chan proto.Complain // not taken yet
	unsure     []complaint           // that may not have arrived
	dial       dialFunc
	upSince    time.Time // of the last connection; zero: it never was
	probed     bool      // it was found out what answers, since it was up
	strange    swarm.Fault

	watched chan time.Duration // how often the conductor wants reports; has room for one
	reports reports
	before  proto.Progress // what had moved when the connection began
}

// run connects, and connects again: soon if the conductor was up and is lost, since it may be
// starting anew, and when this machine has other addresses than before; less and less often while
// it cannot be reached, refuses, or is lost again at once, however it does that. A conductor that
// is up at another address is left alone here.
func (c *conductor) run(ctx context.Context) {
	pause := backoff{wait: retryFirst}
	c.state(false, "conductor "+c.addr+" does not answer yet")
	for {
		c.upSince = time.Time{}
		_, changed := c.machine.now()
		if twin := c.twin(); twin != "" {
			c.state(false, "conductor "+c.addr+" is the one at "+twin)
			select {
			case <-time.After(twinEvery):
			case <-changed:
			case <-ctx.Done():
				return
			}
			continue
		}
		err := c.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if !c.upSince.IsZero() {
			c.tell(ctx, swarm.Conducted{Conductor: c.index})
		}
		why := refused("")
		if no := errors.As(err, &why); !no && !c.upSince.IsZero() && time.Since(c.upSince) >= settled {
			pause = backoff{wait: retryFirst}
		}
		if !errors.Is(err, context.Canceled) { // a dial that other addresses ended
			c.state(false, c.wordsOf(ctx, err))
		}
		c.cfg.Log.Debug().Err(err).Str("conductor", c.addr).Msg("no connection to the conductor")
		c.isOut(err)
		if c.strange == swarm.Tracker && c.id != [20]byte{} {
			c.announceHere(ctx)
			c.probed, c.strange = false, swarm.NoFault
		}
		select {
		case <-time.After(pause.next(rand.N)):
		case <-changed:
			pause = backoff{wait: retryFirst}
		case <-ctx.Done():
			return
		}
	}
}

// backoff is how long to wait until the next try: twice as long each time, by chance half as long
// or half as long again, so that those who lost a conductor together do not come back together.
type backoff struct {
	wait time.Duration
	most time.Duration // 0: retryMost
}

func (b *backoff) next(random func(time.Duration) time.Duration) time.Duration {
	d := b.wait/2 + random(b.wait)
	b.wait = min(2*b.wait, cmp.Or(b.most, retryMost))
	return d
}

// grace is a context that a member which has everything ends a moment later than its own, so that
// a conductor that is just being connected hears of the copy: it may be the one that others wait
// for.
func (c *conductor) grace(ctx context.Context) (context.Context, context.CancelFunc) {
	grace, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if !c.Progress().Complete {
			cancel()
			return
		}
		time.AfterFunc(farewellTime, cancel)
	})
	return grace, func() { stop(); cancel() }
}

// session is one connection, from its handshake to its end, and why it ended.
func (c *conductor) session(ctx context.Context) error {
	cards, changed := c.machine.now()
	grace, give := c.grace(ctx)
	defer give()
	same, cancel := c.machine.whileSame(grace)
	conn, err := c.open(same)
	cancel()
	if err != nil {
		return err
	}
	defer conn.Close()
	if socket := socketOf(conn); socket != nil {
		endure(socket, conductorTimeout)
	}
	stop := context.AfterFunc(grace, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	c.watched, c.reports, c.before = make(chan time.Duration, 1), reports{}, c.Member.progressNow()
	hail, told := c.greeting()
	if _, err := conn.Write(hail); err != nil {
		return errNoHello{&answer{swarm.HangsUp, err}}
	}
	hello, err := c.hears(grace, conn)
	if err != nil {
		return errNoHello{err}
	}
	c.meets(hello.PeerID)
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
		c.report(talk, conn, told, cards, changed)
	}()
	defer func() { end(); <-reported; c.sureNow() }()
	return c.listenTo(ctx, conn)
}

// open connects to the conductor, with a channel of the host's connection if that has several
// members.
func (c *conductor) open(ctx context.Context) (net.Conn, error) {
	if c.host == nil || c.own {
		return c.dial(ctx, "tcp", c.addr)
	}
	return c.host.trunks.open(ctx, c.addr, c.Member, c.dial)
}

// report tells the conductor how far this member is when that is other than was told last, where it
// is when that changes, and at least that it lives. It ends the connection when the context ends,
// or when the address is gone that it was opened from.
func (c *conductor) report(
	ctx context.Context, conn net.Conn, last proto.Progress, cards map[netip.Addr]bool, changed <-chan struct{},
) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	said, complete := time.Now(), c.complete
	if !c.complainAgain(conn) {
		return
	}
	for {
		select {
		case <-ctx.Done():
			c.farewell(conn, last)
			return
		case <-complete:
			complete = nil
		case every := <-c.watched:
			if !c.asked(conn, every) {
				return
			}
			tick.Reset(c.reports.rhythm())
			if !c.sayChanges(ctx, conn) {
				return
			}
			continue
		case bad := <-c.complaints:
			c.sureNow()
			c.unsure = append(c.unsure, complaint{bad, time.Now()})
			if !c.say(conn, bad) {
				return
			}
			said = time.Now()
			continue
		case <-changed:
			ev := moved{before: cards}
			ev.now, changed = c.machine.now()
			if cards = ev.now; ev.lost(conn) {
				conn.Close()
				return
			}
			if !c.say(conn, c.announcement(last)) {
				return
			}
			continue
		case <-tick.C:
			if !c.sayChanges(ctx, conn) {
				return
			}
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

// farewell tells the conductor how far this member came, and leaves it a moment to read that:
// closing at once what was not read to its end would take back what was just said.
func (c *conductor) farewell(conn net.Conn, last proto.Progress) {
	time.AfterFunc(farewellTime, func() { conn.Close() })
	conn.SetWriteDeadline(time.Now().Add(farewellTime))
	now := c.progressNow()
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
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

// listenTo passes on what the conductor tells. The conductor is up once it has said anything but
// no.
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
			up = true
			c.isUp(ctx)
		}
		switch msg := msg.(type) {
		case proto.Joined:
			for _, member := range msg.Members {
				c.tell(ctx, swarm.Found{ID: member.PeerID, Addrs: member.Addrs, Conductor: c.index})
			}
		case proto.Left:
			for _, id := range msg.PeerIDs {
				c.tell(ctx, swarm.Gone{ID: id, Conductor: c.index})
			}
		case proto.Listed:
			c.tell(ctx, swarm.Listed{Members: int(min(msg.Members, math.MaxInt32))})
		case proto.Reachable:
			if msg.OK {
				c.update(func(p *Progress) { p.Dialled, p.Unreachable = true, false })
			}
		case proto.Watch:
			select {
			case <-c.watched: // what it said before does not count any more
			default:
			}
			c.watched <- time.Duration(msg.Every) * time.Second
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
