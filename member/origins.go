package member

import (
	"net/netip"
	"slices"
	"time"

	"orchestra/member/swarm"
)

// A partner is what the core knows as a peer: a connection to a member, or an origin.
type partner interface {
	// do does what the core asked for; it never waits.
	do(e swarm.Effect, core *swarm.Swarm)
	// doubt asks for a sign of life.
	doubt()
	// close ends it; the first reason counts.
	close(why error)
	// name is how the user knows it.
	name() string
}

type (
	// originUp tells that an origin may be asked.
	originUp struct{ from *webSource }
	// originDown tells that all has ended that was asked of it.
	originDown struct {
		from *webSource
		err  error
	}
)

// originUp begins with an origin. It is not connected to before the core asks it for something.
func (d *director) originUp(w *webSource) {
	joined := w.up(d.seat(w))
	d.work.Go(func() {
		err := w.run(d.ctx)
		d.tell(d.ctx, originDown{w, err})
	})
	d.step(joined)
}

// originDown begins with an origin anew after a while.
func (d *director) originDown(ev originDown) {
	w := ev.from
	d.links[w.peer] = nil
	d.cfg.Log.Debug().Str("origin", w.from.Name()).AnErr("reason", ev.err).Msg("origin left")
	d.step(swarm.Left{Peer: w.peer})
	d.work.Go(func() {
		if sleep(d.ctx, w.rest(time.Now())) == nil {
			d.tell(d.ctx, originUp{w})
		}
	})
}

// closeOrigins ends the connections to origins.
func (m *Member) closeOrigins() {
	for _, w := range m.origins {
		w.from.Close()
	}
}

// originAt is the origin that an address stands for; nil: none.
func (m *Member) originAt(a netip.Addr) *webSource {
	i := slices.IndexFunc(m.origins, func(w *webSource) bool { return w.addr.Addr() == a })
	if i < 0 {
		return nil
	}
	return m.origins[i]
}

// whoIs is how the user knows who is at an address.
func (m *Member) whoIs(a netip.AddrPort) string {
	if w := m.originAt(a.Addr()); w != nil {
		return w.name()
	}
	return hostWords(a)
}

// originTroubles is what is wrong with the origins, in words.
func (m *Member) originTroubles() (reasons []string) {
	for _, w := range m.origins {
		if text := w.troubles(); text != "" {
			reasons = append(reasons, text)
		}
	}
	return reasons
}
