package conduct

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	mrand "math/rand/v2"
	"net"
	"time"

	"orchestra/proto"
	"orchestra/proto/secure"
)

// A realm is those who hear of each other: everybody in the open, or the
// holders of one key. Each has a registry of its own, so that nothing that is
// asked in one can be answered with what is known in another.
type realm struct {
	as   *secure.Identity // nil: the open
	self proto.PeerID     // in handshakes
	reg  *registry        // the loop's

	index index // of what is published here
}

// makeRealms makes the open realm and one for each key.
func (c *Conductor) makeRealms(lim limits) error {
	self, err := proto.NewPeerID(rand.Reader)
	if err != nil {
		return err
	}
	c.open = &realm{self: self}
	c.realms = []*realm{c.open}
	for _, key := range c.cfg.Keys {
		if c.realmOf(key) != nil {
			continue // it is given twice
		}
		as, err := key.NewIdentity()
		if err != nil {
			return err
		}
		c.identities = append(c.identities, as)
		c.realms = append(c.realms, &realm{as: as, self: as.PeerID()})
	}
	if c.cfg.Publish != nil {
		keys := make(map[string]bool)
		for _, as := range c.identities {
			keys[as.Key().ID()] = true
		}
		for _, file := range c.cfg.Publish.opens(keys) {
			c.log.Warn().Str("file", file).Msg("nobody gets it here: " + errShut.Error())
		}
	}
	for _, r := range c.realms {
		var seed [32]byte
		if _, err := rand.Read(seed[:]); err != nil {
			return err
		}
		r.reg = newRegistry(lim, mrand.New(mrand.NewChaCha8(seed)))
	}
	return nil
}

// allows reports whether a composition may gather in a realm. In one of a key
// all may: who has the key is trusted with that.
func (c *Conductor) allows(r *realm, id [20]byte) bool {
	return r != c.open || c.cfg.Allow == nil || c.cfg.Allow(id)
}

// key is what tells the realm's key apart; "" in the open.
func (r *realm) key() string {
	if r.as == nil {
		return ""
	}
	return r.as.Key().ID()
}

var errImpostor = errors.New("it calls itself otherwise than it has proven")

// serveSecure serves a connection of which the first byte tells that it is of
// a private swarm. To who has none of the keys here nothing is said.
func (c *Conductor) serveSecure(
	ctx context.Context, nc net.Conn, in io.Reader, s seat, place *pass, until time.Time,
) error {
	sc, err := secure.Server(ctx, &through{nc, in}, c.identities)
	if err != nil {
		if errors.Is(err, secure.ErrNoKey) {
			c.rare.Warn().Stringer("from", s.from).
				Msg("somebody speaks TLS and has no key that is here; " +
					"if it is of a private swarm, --key-file takes its key")
		}
		return err
	}
	c.secured.Add(1)
	defer c.secured.Add(-1)
	first := bufio.NewReaderSize(sc, sniffBuffer)
	b, err := first.Peek(1)
	if err != nil {
		return err
	}
	r := c.realmOf(sc.Key())
	switch b[0] {
	case byte(len(proto.Orchestra)):
		return c.serveMember(ctx, sc, first, s, place, r)
	case 'G', 'H': // GET, HEAD
		return c.serveHTTP(sc, first, s, place, until, r)
	}
	return errNotMember
}

// realmOf returns the realm of a key; the open one for none, and nil for a key
// that is not here.
func (c *Conductor) realmOf(key *secure.Key) *realm {
	if key == nil {
		return c.open
	}
	for _, r := range c.realms {
		if r.as != nil && r.as.Key().Is(key) {
			return r
		}
	}
	return nil
}

// proven reports whether who is at the other end of a connection may call
// itself so.
func proven(nc net.Conn, id proto.PeerID) bool {
	sc, ok := nc.(*secure.Conn)
	return !ok || sc.PeerID() == id
}

// through is a connection that is heard by a reader of its own.
type through struct {
	net.Conn
	in io.Reader
}

func (t *through) Read(p []byte) (int, error) { return t.in.Read(p) }

// next is when one of the registries has something to do; zero: none has.
func (l *loop) next() time.Time {
	var first time.Time
	for _, r := range l.c.realms {
		if at := r.reg.next(); first.IsZero() || !at.IsZero() && at.Before(first) {
			first = at
		}
	}
	return first
}

// expire lets the registries do what is due.
func (l *loop) expire(ctx context.Context, now time.Time) {
	for _, r := range l.c.realms {
		l.realm = r
		l.out = r.reg.expire(now, l.out)
		l.perform(ctx)
	}
}

// realmOf is where an event belongs: in the open, if it does not say.
func (l *loop) realmOf(ev event) *realm {
	var r *realm
	switch ev := ev.(type) {
	case arrived:
		r = ev.c.realm
	case heard:
		r = ev.c.realm
	case closed:
		r = ev.c.realm
	case lives:
		if len(ev.c) > 0 { // they are all of one
			r = ev.c[0].realm
		}
	case dialled:
		r = ev.realm
	case asked:
		r = ev.realm
	case statusesOf:
		r = ev.realm
	}
	if r == nil {
		r = l.c.open
	}
	return r
}
