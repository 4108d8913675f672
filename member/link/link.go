// Package link is one end of a link: what is said to a peer and what is heard of it, as a state
// machine. Messages of the peer go in and what the core is to be told comes out ([Link.Hear]);
// what the core asks for goes in ([Link.Do]) and messages and stretches of content come out
// ([Link.Next]).
//
// It is pure, as the core is: no socket, disk, goroutine, lock or clock. Whoever drives it (the
// shell, the simulator, the fuzz target) passes the time and moves the bytes. It is fed as
// strangers speak to it: what a peer may not do is an error, which ends the link, and whatever a
// peer does, what is kept for it is bounded.
//
// One caller at a time. None of the calls waits for anything, or takes longer than its argument
// and what waits for the peer are long.
package link

import (
	"fmt"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Config describes the composition, the peer and what was agreed on with it.
type Config struct {
	Peer     int   // the core's number of the peer
	Size     int64 // bytes of the content
	PartSize int64
	// Info gives the info dictionary to those who have a magnet link alone (BEP 9); nil: it is not
	// given away. It has InfoSize bytes. It is asked for when somebody wants it.
	Info     func() []byte
	InfoSize int
	// Favours are the parts that the peer may ask for while it is choked, if it has fewer than
	// these.
	Favours []uint32

	Closed bool // the peer is told of no others, and not believed when it tells of some
	Loud   bool // somebody at the peer's host said too much that is of no use, lately
	Terms
}

// Link is the state of one end of a link.
type Link struct {
	cfg   Config
	parts uint32
	err   error

	say     []byte // encoded messages that wait to be written
	offered int    // bytes of them that the first bitfield takes, however many parts there are
	haves   []uint32
	soon    bool          // they are to be announced now
	due     time.Duration // when they are at the latest; never: at no time

	orders
	menu
	hearing
	statement
	favours
	pace
	metadata
	introductions
	talk
}

// never is a deadline that does not come.
const never = time.Duration(1<<63 - 1)

// New makes the state of a link that is up, over which nothing was said yet. The peer is choked.
func New(cfg Config) *Link {
	parts := uint32((cfg.Size + cfg.PartSize - 1) / cfg.PartSize)
	return &Link{
		cfg:    cfg,
		parts:  parts,
		due:    never,
		orders: orders{choking: true},
		menu:   newMenu(),
		pace:   newPace(),
		talk:   newTalk(parts, cfg.Loud),
	}
}

// partLen is the length of a part in bytes.
func (l *Link) partLen(part uint32) int64 {
	return min(l.cfg.PartSize, l.cfg.Size-int64(part)*l.cfg.PartSize)
}

// Err returns why the link has to end, if it has to by what was to be said.
func (l *Link) Err() error { return l.err }

// mostUnsaid bounds the messages that wait for a peer that does not read, in bytes, beside what it
// is told first: which parts there are.
const mostUnsaid = 1 << 20

// Say leaves a message to be said.
func (l *Link) Say(msg proto.Message) {
	if l.err != nil {
		return
	}
	l.say = proto.Append(l.say, msg)
	if n := len(l.say); n-l.offered > mostUnsaid {
		l.err = fmt.Errorf("it does not read what it is told (%d bytes wait)", n)
	}
}

// Pending reports whether there may be something to do now: see [Link.Next].
func (l *Link) Pending() bool {
	return len(l.say) > 0 || l.soon || len(l.ready) > 0 || len(l.infoAsked) > 0
}

// Do does what the core asked for of this link. See [Of] for what that may be.
func (l *Link) Do(now time.Duration, e swarm.Effect, core *swarm.Swarm) {
	switch e := e.(type) {
	case swarm.Offer:
		l.offer(e)
	case swarm.Announce:
		l.announce(now, e.Part, core.HaveDelay(l.cfg.Peer, e.Part))
	case swarm.Withdraw:
		l.withdraw(e.Part)
	case swarm.SetInterest:
		l.setInterest(e.On)
	case swarm.SetChoke:
		l.setChoke(e.On)
	case swarm.SetSpare:
		l.setSpare(e.On)
	case swarm.SetRegroup:
		l.extend(l.cfg.Regroup, proto.AppendRegroup(nil, e.What))
	case swarm.Dismiss:
		l.extend(l.cfg.Dismiss, nil)
	case swarm.Complain:
		l.extend(l.cfg.Bad, proto.AppendPart(nil, e.Part))
	case swarm.Fetch:
		l.fetch(e.Run)
	case swarm.Cancel:
		l.cancel(e.Run)
	case swarm.Recall:
		l.recall(e.Run)
	case swarm.Resume:
		l.resume()
	case swarm.Window:
		l.setWindow(e.Blocks)
	case swarm.Suggest:
		for _, part := range e.Parts {
			l.Say(proto.Suggest{Part: part})
		}
	case swarm.Grant:
		l.grant(e.Parts, core.Has)
	case swarm.Revoke:
		l.revoke()
	case swarm.Refuse:
		l.refuseAll(e.Parts)
	}
}

// Of tells which peer's link is to do an effect, if that is one alone. An [swarm.Announce] is
// for all of them; a [swarm.Complain] is for one, if the peer is still there, and for others too.
func Of(e swarm.Effect) (peer int, ok bool) {
	switch e := e.(type) {
	case swarm.Offer:
		return e.Peer, true
	case swarm.Withdraw:
		return e.Peer, true
	case swarm.SetInterest:
		return e.Peer, true
	case swarm.SetChoke:
		return e.Peer, true
	case swarm.SetSpare:
		return e.Peer, true
	case swarm.SetRegroup:
		return e.Peer, true
	case swarm.Dismiss:
		return e.Peer, true
	case swarm.Fetch:
		return e.Peer, true
	case swarm.Cancel:
		return e.Peer, true
	case swarm.Recall:
		return e.Peer, true
	case swarm.Resume:
		return e.Peer, true
	case swarm.Window:
		return e.Peer, true
	case swarm.Suggest:
		return e.Peer, true
	case swarm.Grant:
		return e.Peer, true
	case swarm.Revoke:
		return e.Peer, true
	case swarm.Refuse:
		return e.Peer, true
	}
	return 0, false
}
