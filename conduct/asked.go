package conduct

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"orchestra/proto"
)

// An asker is answered askRate times a second at most, and may be ahead by
// askBurst.
const (
	askRate  = 2
	askBurst = 4
)

var (
	errNoAsk     = errors.New("something else than an ask from one who began with one")
	errNotTaking = errors.New("it does not read its answers")
)

// asked brings an ask to the loop; the answer goes into reply, which has room
// for it.
type asked struct {
	realm *realm
	id    [20]byte
	reply chan<- []survey
}

func (asked) event() {}

// serveAsker answers one who asks, from its first ask on, until it has no more
// or is silent for too long. It is no member and costs the registry nothing but
// the answers.
func (c *Conductor) serveAsker(ctx context.Context, m *conn, frames *proto.ConductorReader, id [20]byte, ask proto.Ask) error {
	pace := rate.NewLimiter(askRate, askBurst)
	for {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		reply := make(chan []survey, 1)
		c.post(ctx, asked{m.realm, id, reply})
		var surveys []survey
		select {
		case surveys = <-reply:
		case <-ctx.Done():
			return ctx.Err()
		}
		var frame []byte
		for _, msg := range tellSurveys(surveys, min(int(ask.Members), proto.MaxRows)) {
			frame = proto.Append(frame[:0], msg)
			if !m.out.put(frame) {
				return errNotTaking
			}
		}
		m.pass.spoke()
		m.nc.SetReadDeadline(time.Now().Add(c.cfg.SilenceTimeout))
		msg, err := frames.Next()
		if err != nil {
			return err
		}
		var ok bool
		if ask, ok = msg.(proto.Ask); !ok {
			return errNoAsk
		}
	}
}
