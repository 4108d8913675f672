package member

import (
	"errors"

	"orchestra/member/link"
	"orchestra/member/swarm"
)

// perform does one thing that the core asked for. It never waits.
func (d *director) perform(e swarm.Effect) {
	switch e := e.(type) {
	case swarm.Dial:
		d.work.Go(func() { d.dial(d.ctx, e) })
	case swarm.Drop:
		if c, ok := d.links[e.Peer].(*connection); ok && e.Said {
			c.part(errors.New(e.Why))
		} else {
			d.links[e.Peer].close(errors.New(e.Why))
		}
	case swarm.Doubt:
		d.links[e.Peer].doubt()
	case swarm.Announce:
		if len(d.readers) > 0 {
			d.landed(e.Part)
		}
		for _, l := range d.links {
			if l != nil {
				l.do(e, d.core)
			}
		}
	case swarm.Grant:
		l := d.links[e.Peer].(*connection) // an origin asks for nothing
		d.asked(e.Parts)
		for _, part := range e.Parts {
			if !d.core.Has(part) {
				d.intake.Follow(part, l.wake) // before something of it can be missed
			}
		}
		l.do(e, d.core)
	case swarm.Share:
		d.share.Store(e.Down)
	case swarm.Chained:
		d.unchained.Store(!e.On)
		d.intake.Pace(e.Hop, e.Wait)
	case swarm.Complain:
		d.blame(e)
	case swarm.CutOff:
		d.tellCutOff(e)
	case swarm.Compare:
		d.work.Go(func() { d.compare(d.ctx, e.Part) })
	case swarm.Verify:
		d.work.Go(func() { d.intake.Verify(d.ctx, e.Part) })
	case swarm.Finish:
		d.watcher.finish()
	default:
		if peer, ok := link.Of(e); ok {
			d.links[peer].do(e, d.core)
		}
	}
}
