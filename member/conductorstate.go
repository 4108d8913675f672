package member

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// conductorState is what is known of one conductor.
type conductorState struct {
	up    bool
	words string       // empty until the first try came to an end
	self  proto.PeerID // by which it called itself last; zeros: it never did
}

// state notes how this conductor is.
func (c *conductor) state(up bool, words string) {
	c.update(func(p *Progress) {
		s := &c.states[c.index]
		s.up, s.words = up, words
		p.ConductorUp, p.Conductor = overall(c.states)
	})
}

// meets notes how the conductor at this address calls itself.
func (c *conductor) meets(self proto.PeerID) {
	c.update(func(*Progress) { c.states[c.index].self = self })
}

// twin is the address of a conductor that is up and is the same one, as far as was seen last; empty
// if there is none. A member that came to one conductor twice would be listed once, under the
// connection that came last.
func (c *conductor) twin() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.states[c.index].self
	for i, other := range c.states {
		if i != c.index && i < len(c.conductors) && other.up && other.self == own && own != (proto.PeerID{}) {
			return c.conductors[i]
		}
	}
	return ""
}

// overall is the state of all conductors together. One that is up is enough. The first of them
// speaks for all, in the order that they were named in, so that what is shown stays the same while
// others come and go.
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

// isUp notes that the conductor said something else than no. What a user sees of it is the change
// of the state.
func (c *conductor) isUp(ctx context.Context) {
	c.upSince, c.probed, c.strange = time.Now(), false, swarm.NoFault
	c.state(true, "conductor "+c.addr)
	c.tell(ctx, swarm.Conducted{Conductor: c.index, On: true})
	c.cfg.Log.Debug().Str("conductor", c.addr).Msg("the conductor answers")
}

// refused is why a conductor will not have this member; the words are the conductor's.
type refused string

func (r refused) Error() string { return "it refused: " + strconv.Quote(string(r)) }

// errNoHello is why who answered at the conductor's address did not greet as a conductor does.
type errNoHello struct{ error }

func (e errNoHello) Unwrap() error { return e.error }

// wonderAfter is how long a conductor may take to answer until it is asked whether it is something
// else. Some servers wait for the end of a line that does not come.
const wonderAfter = 1500 * time.Millisecond

// hears reads the conductor's handshake. While that does not come it finds out what else is there.
func (c *conductor) hears(ctx context.Context, conn net.Conn) (proto.Handshake, error) {
	ctx, answered := context.WithCancel(ctx)
	var wondering sync.WaitGroup
	wondering.Go(func() {
		select {
		case <-time.After(wonderAfter):
			if c.wonder(ctx); c.strange != swarm.NoFault {
				conn.Close() // it will not answer
			}
		case <-ctx.Done():
		}
	})
	hello, err := readHello(conn, proto.Orchestra)
	answered()
	wondering.Wait()
	return hello, err
}

// wonder finds out once what answers in the conductor's place, until it is up again.
func (c *conductor) wonder(ctx context.Context) {
	if !c.probed && ctx.Err() == nil {
		if c.strange = probe(ctx, c.dial, c.addr); c.strange == swarm.Conducts {
			c.strange = swarm.NoFault // it is slow
		}
		c.probed = ctx.Err() == nil
	}
}

// wordsOf says why there is no connection to the conductor.
func (c *conductor) wordsOf(ctx context.Context, err error) string {
	why, greeted := refused(""), !errors.As(err, new(errNoHello))
	if errors.As(err, &why) {
		return "conductor " + c.addr + " cannot be used: " + why.Error()
	}
	fault := faultOf(err)
	if fault == swarm.OtherKey {
		return "conductor " + c.addr + " does not have the key of this private swarm, or is no conductor; " +
			"orchestra conduct --key-file takes the key"
	}
	if !greeted {
		c.wonder(ctx)
		fault = max(fault, c.strange)
	}
	switch {
	case fault == swarm.Web:
		return "conductor " + c.addr + " cannot be used: a web server answers there, and no conductor"
	case fault == swarm.Tracker:
		return "conductor " + c.addr + " cannot be used: a BitTorrent tracker answers there, and no conductor"
	case fault == swarm.SomethingElse || fault == swarm.Encrypted:
		return "conductor " + c.addr + " cannot be used: something else answers there, and no conductor"
	}
	return "conductor " + c.addr + " unreachable: " + whyLost(err, fault, greeted)
}

// whyLost says why there is no connection, or none any more, to somebody who does not answer like
// something else.
func whyLost(err error, fault swarm.Fault, greeted bool) string {
	var name *net.DNSError
	var op *net.OpError
	dialling := errors.As(err, &op) && op.Op == "dial"
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "there is no host of this name"
	case errors.As(err, &name):
		return "its name cannot be looked up: " + name.Err
	case fault == swarm.OwnLimits:
		return "this process has no file descriptors left"
	case fault == swarm.NobodyListens:
		return "nothing listens there"
	case fault == swarm.NoWay:
		return "the network has no way there"
	case fault == swarm.HangsUp:
		return "it ends the connection without an answer; is that a conductor?"
	case fault == swarm.NoAnswer && (dialling || op == nil):
		return "it does not answer"
	case fault == swarm.NoAnswer && !greeted:
		return "it takes the connection and says nothing; is that a conductor?"
	case fault == swarm.NoAnswer:
		return "it went silent"
	case errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET):
		return "the connection ended"
	case op != nil:
		return op.Err.Error()
	}
	return err.Error()
}
