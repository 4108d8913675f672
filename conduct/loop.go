package conduct

import (
	"context"
	"net/netip"
	"time"

	"orchestra/conduct/page"
	"orchestra/proto"
)

// An event is something that happened outside, on its way to the loop.
type event interface{ event() }

// arrived is a connection's first announcement.
type arrived struct {
	c    *conn
	id   [20]byte
	peer proto.PeerID
	ann  proto.Announce
	name proto.Named

	title string
}

// heard is a further message on a connection that arrived.
type heard struct {
	c   *conn
	msg proto.Message
}

// lives is a sign of life of members that share a connection.
type lives struct{ c []*conn }

// closed is the end of a connection that arrived.
type closed struct{ c *conn }

// reads looks at the registry, and changes nothing.
type reads func(now time.Time, r *registry)

// dialled is the outcome of a dial back.
type dialled struct {
	realm  *realm
	ticket uint64
	addr   netip.AddrPort
	found  finding
}

func (arrived) event() {}
func (heard) event()   {}
func (lives) event()   {}
func (closed) event()  {}
func (dialled) event() {}
func (reads) event()   {}

// post hands an event to the loop and waits until there is room: a loop that
// is behind pushes back on the connections. The loop itself never posts.
func (c *Conductor) post(ctx context.Context, ev event) {
	select {
	case c.inbox <- ev:
	case <-ctx.Done():
	}
}

// loop owns the registries: no other goroutine touches it. It never waits for
// anything but the next event, the one timer, or its end.
func (c *Conductor) loop(ctx context.Context) {
	l := &loop{c: c, conns: make(map[link]*conn)}
	sums := time.NewTicker(newsPeriod)
	defer sums.Stop()
	var due time.Time // when the timer goes off; zero: never
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		if at := l.next(); at.IsZero() {
			timer.Stop()
			due = at
		} else if !at.Equal(due) {
			timer.Reset(time.Until(at))
			due = at
		}
		select {
		case <-ctx.Done():
			return
		case ev := <-c.inbox:
			l.handleAll(ctx, ev)
		case <-timer.C:
			due = time.Time{}
			l.expire(ctx, time.Now())
		case now := <-sums.C:
			c.news.sum(now)
		}
	}
}

// atOnce is how many events the loop handles before it looks at anything else.
const atOnce = 64

// handleAll handles an event and those that wait behind it.
func (l *loop) handleAll(ctx context.Context, ev event) {
	for n := 1; ; n++ {
		l.handle(ev)
		l.perform(ctx)
		if n == atOnce {
			return
		}
		select {
		case ev = <-l.c.inbox:
		default:
			return
		}
	}
}

// loop is what the loop goroutine knows.
type loop struct {
	c     *Conductor
	realm *realm // of the event at hand
	conns map[link]*conn
	last  link     // the latest given out
	out   []effect // room for the next step's effects
}

func (l *loop) handle(ev event) {
	now := time.Now()
	l.realm = l.realmOf(ev)
	reg := l.realm.reg
	switch ev := ev.(type) {
	case arrived:
		l.last++
		ev.c.link = l.last
		l.conns[ev.c.link] = ev.c
		l.out = reg.arrive(now, arrival{
			link: ev.c.link, id: ev.id, peer: ev.peer, seat: ev.c.seat,
			ann: ev.ann, name: ev.name, title: ev.title,
		}, l.out)
		if reg.links[ev.c.link] != nil {
			ev.c.pass.list(1)
			ev.c.listed = true
		}
		l.c.log.Debug().Hex("id", ev.id[:]).Stringer("peer", ev.peer).Stringer("from", ev.c.seat.from).
			Uint16("port", ev.ann.Port).Msg("member announced")
	case heard:
		l.message(now, ev)
	case lives:
		for _, c := range ev.c {
			l.out = reg.lives(now, c.link, l.out)
		}
	case closed:
		delete(l.conns, ev.c.link)
		ev.c.unlist()
		l.out = reg.leave(now, ev.c.link, l.out)
	case *visited:
		g := &ev.guest
		ev.answer, l.out = reg.receive(now, *g, ev.answer.found, l.out)
		if why := ev.answer.refused; why != "" {
			l.c.news.refused(g.seat.from, g.id, why)
		}
		ev.done <- struct{}{}
	case scraped:
		ev.reply <- reg.scrape(now, ev.ids)
	case asked:
		ev.reply <- reg.survey(now, ev.id)
	case reads:
		ev(now, reg)
	case looked:
		var view page.View
		view, l.out = reg.look(now, ev.ids, l.out)
		ev.reply <- view
	case statusesOf:
		all := make([]survey, 0, len(ev.ids))
		for _, id := range ev.ids {
			all = append(all, reg.surveyOne(now, id))
		}
		ev.reply <- all
	case dialled:
		l.out = reg.checked(now, ev.ticket, ev.addr, ev.found, l.out)
	}
}

func (l *loop) message(now time.Time, ev heard) {
	reg := l.realm.reg
	switch m := ev.msg.(type) {
	case proto.KeepAlive:
		l.out = reg.ping(now, ev.c.link, l.out)
	case proto.Announce:
		l.out = reg.announce(now, ev.c.link, m, l.out)
	case proto.Progress:
		l.out = reg.progress(now, ev.c.link, m, l.out)
	case proto.Await:
		l.out = reg.await(now, ev.c.link, m.Copies, l.out)
	case proto.Content, proto.Holds, proto.Received, proto.Waits:
		reg.reported(now, ev.c.link, m)
	case proto.Complain:
		var v verdict
		v, l.out = reg.complain(now, ev.c.link, m.PeerID, m.Part, l.out)
		l.c.rare.Warn().Stringer("from", ev.c.seat.from).Stringer("of", m.PeerID).Uint32("part", m.Part).
			Bool("counted", v >= complaintCounted).Bool("shunned", v == complaintShuns).Msg("complaint of bad data")
	}
}

// unlist takes note that no member is listed over the connection any more.
func (m *conn) unlist() {
	if m.listed {
		m.listed = false
		m.pass.list(-1)
	}
}

// perform does what the registry decided, in order.
func (l *loop) perform(ctx context.Context) {
	for i, eff := range l.out {
		l.out[i] = nil
		switch eff := eff.(type) {
		case tell:
			c := l.conns[eff.to]
			if c == nil {
				break // it ended a moment ago; its closed event says so
			}
			if !c.tell(eff.msg) {
				l.c.log.Debug().Stringer("from", c.seat.from).Msg("member reads too slowly, connection cut")
				c.abort()
			}
		case cut:
			if c := l.conns[eff.who]; c != nil {
				if eff.refused {
					l.c.news.refused(c.seat.from, c.id, eff.why)
				}
				l.c.log.Debug().Stringer("from", c.seat.from).Str("why", eff.why).Msg("connection ends")
				delete(l.conns, eff.who)
				c.unlist()
				c.finish()
			}
		case note:
			l.c.news.noted(time.Now(), eff)
		case dialBack:
			realm := l.realm
			l.c.wg.Go(func() {
				addr, found := l.c.callBack(ctx, eff, realm)
				l.c.post(ctx, dialled{realm, eff.ticket, addr, found})
			})
		}
	}
	l.out = l.out[:0]
}
