package member

import (
	"errors"
	"slices"
	"time"

	"orchestra/member/link"
	"orchestra/member/swarm"
	"orchestra/proto/mtu"
)

// Links and origins come and go, and get numbers by which the core knows them.

// seat gives a partner its number, which the core knows the peer by.
func (d *director) seat(p partner) int {
	peer := slices.Index(d.links, nil)
	if peer < 0 {
		peer = len(d.links)
		d.links = append(d.links, nil)
	}
	d.links[peer] = p
	*d.carried.of(peer) = carriage{}
	return peer
}

// linkUp begins with a link.
func (d *director) linkUp(c *connection) {
	if d.host.ways.most(c.addr.Addr()) != 0 {
		mtu.Fragment(c.conn.socket)
	}
	joined := c.up(d.seat(c), d.host.loud.is(c.addr, time.Now()))
	d.introductions.met(c)
	d.work.Go(func() {
		err := c.run(d.ctx)
		d.tell(d.ctx, linkDown{c, err})
	})
	most := d.host.places.take(d.Member)
	d.step(joined)
	switch most {
	case nil:
	case d.Member:
		d.step(swarm.Crowded{})
	default:
		select {
		case most.inbox <- crowded{}:
		default: // it is asked with the next link again
		}
	}
}

func (d *director) linkDown(ev linkDown) {
	d.links[ev.link.peer] = nil
	d.host.places.give(d.Member)
	d.cfg.Log.Debug().Stringer("peer", ev.link.id).Stringer("addr", ev.link.addr).
		AnErr("reason", ev.err).Msg("link ended")
	if flood := (*link.FloodError)(nil); errors.As(ev.err, &flood) &&
		d.host.loud.note(ev.link.addr, time.Now()) {
		d.cfg.Log.Warn().Stringer("addr", ev.link.addr).AnErr("reason", ev.err).
			Msg("a link was ended, and its host is listened to less for a while")
	}
	if ev.link.narrowed(ev.err) {
		d.host.ways.vanish(ev.link.addr.Addr())
	}
	d.step(swarm.Left{Peer: ev.link.peer})
}

// lookAtLinks sees to the links over which nothing arrives that is sent.
func (d *director) lookAtLinks(now time.Time) {
	for _, p := range d.links {
		l, ok := p.(*connection)
		if !ok {
			continue
		}
		if deaf := l.look(now); deaf != l.deaf {
			l.deaf = deaf
			d.step(swarm.Deaf{Peer: l.peer, On: deaf})
		}
	}
}

// moved ends the links that this machine has no longer the address for.
func (d *director) moved(ev moved) {
	for _, l := range d.links {
		if l, ok := l.(*connection); ok && ev.lost(l.conn) {
			l.close(errors.New("this machine no longer has the address that the link is from"))
		}
	}
	d.step(swarm.Moved{})
}
