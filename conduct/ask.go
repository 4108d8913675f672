package conduct

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"orchestra/proto"
	"orchestra/proto/mtu"
	"orchestra/proto/secure"
)

// The bounds of an answer.
const (
	MaxListed = proto.MaxRows  // members of one composition
	MaxLabel  = proto.MaxLabel // bytes of what a member calls itself
)

// A Status is how far the members of a composition are, as they say.
type Status struct {
	ID    [20]byte
	Title string // what its members call the content, like a Label; "": not told
	// distinct copies that were reported complete, also by members that left since
	Complete int
	Known    int           // those, and all others listed now
	Pending  int           // listed now and not complete
	Left     time.Duration // until all that are pending are complete; negative: not known
	Members  []Standing    // furthest behind first, clients last, as many as were asked for

	Listed          int // members listed now; 0 also if the conductor does not tell
	Clients         int // BitTorrent clients, which no other number counts
	ClientsComplete int // of them
}

// A Standing is how far one member is.
type Standing struct {
	Label       string // what it calls itself: valid UTF-8, and otherwise anything
	Addr        netip.AddrPort
	Have, Parts int
	Left        time.Duration // negative: not known
	Client      bool          // a BitTorrent client: only whether it is complete is known
}

// Complete reports whether the member has every part.
func (s *Standing) Complete() bool { return s.Have == s.Parts }

// A RefusedError is why a conductor does not answer.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "the conductor refused: " + e.Reason }

// An Asker asks a conductor how far members are. It is used by one goroutine.
type Asker struct {
	nc     net.Conn
	frames *proto.ConductorReader
	id     [20]byte
	stop   func() bool
}

// DialAsker connects to the conductor at HOST:PORT to ask for a composition, or
// for all that it knows if the ID is zeros. The connection ends with the
// context.
func DialAsker(ctx context.Context, address string, id [20]byte) (*Asker, error) {
	return dialAsker(ctx, address, id, nil)
}

// DialPrivateAsker is the same for what the holders of a key know. The error is
// secure.ErrOtherKey if the conductor does not have it.
func DialPrivateAsker(
	ctx context.Context, address string, id [20]byte, key *secure.Key,
) (*Asker, error) {
	as, err := key.NewIdentity()
	if err != nil {
		return nil, err
	}
	return dialAsker(ctx, address, id, as)
}

func dialAsker(ctx context.Context, address string, id [20]byte, as *secure.Identity) (*Asker, error) {
	nc, err := mtu.Dialer(proto.HandshakeTimeout).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	var self proto.PeerID
	if as == nil {
		self, err = proto.NewPeerID(rand.Reader)
	} else {
		var sc *secure.Conn
		nc.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
		sc, err = as.Client(ctx, nc)
		self = as.PeerID()
		if err == nil {
			nc = sc
		}
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	a := &Asker{nc: nc, id: id, frames: proto.NewConductorReader(nc)}
	a.stop = context.AfterFunc(ctx, func() { nc.Close() })
	if err := a.greet(self); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *Asker) greet(self proto.PeerID) error {
	a.nc.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	if _, err := a.nc.Write(proto.Handshake{Protocol: proto.Orchestra, ID: a.id, PeerID: self}.Append(nil)); err != nil {
		return err
	}
	hello, err := proto.ReadHandshake(a.nc, proto.Orchestra)
	if err == nil && hello.ID != a.id {
		err = errors.New("it answers for another composition")
	}
	return err
}

// Close ends the connection.
func (a *Asker) Close() {
	a.stop()
	a.nc.Close()
}

// Ask asks, for so many members of each composition (of several: for one). Of a
// composition of which nothing is known all numbers are 0; if all were asked
// for and there are none, the answer is empty. Errors: *RefusedError, and those
// of the connection.
func (a *Asker) Ask(members int) ([]Status, error) {
	members = min(members, MaxListed)
	a.nc.SetDeadline(time.Now().Add(proto.HandshakeTimeout))
	if _, err := a.nc.Write(proto.Append(nil, proto.Ask{Members: uint16(members)})); err != nil {
		return nil, err
	}
	var all []Status
	for further := proto.MaxStatuses; further > 0; {
		m, about, err := a.status()
		if err != nil {
			return nil, err
		}
		if m.Further > 0 || len(all) > 0 {
			members = min(members, 1)
		}
		switch {
		case int(m.Further) >= further || len(all) > 0 && int(m.Further) != further-1:
			return nil, fmt.Errorf("%w: %d compositions follow where %d are left", proto.ErrMalformed, m.Further, further-1)
		case int(m.Rows) > members:
			return nil, fmt.Errorf("%w: %d members, %d were asked for", proto.ErrMalformed, m.Rows, members)
		case a.id != [20]byte{} && (m.ID != a.id || m.Further > 0):
			return nil, fmt.Errorf("%w: it answers for another composition", proto.ErrMalformed)
		}
		further = int(m.Further)
		s := Status{ID: m.ID, Complete: int(m.Complete), Known: int(m.Known), Pending: int(m.Pending), Left: leftTime(m.Left)}
		if about.ID == m.ID {
			s.Title, s.Listed = about.Title, int(about.Listed)
			s.Clients, s.ClientsComplete = int(about.Clients), int(about.Complete)
		}
		if s.Members, err = a.standings(int(m.Rows)); err != nil {
			return nil, err
		}
		for i := range s.Members {
			s.Members[i].Client = s.Clients > 0 && i >= s.Listed
		}
		all = append(all, s)
	}
	if a.id == ([20]byte{}) && all[0].ID == a.id && all[0].Known == 0 {
		return nil, nil
	}
	return all, nil
}

// status reads a status, and what was told about the composition before it.
func (a *Asker) status() (m proto.Status, about proto.About, err error) {
	msg, err := a.next()
	if said, ok := msg.(proto.About); ok && err == nil {
		about = said
		msg, err = a.next()
	}
	if err != nil {
		return m, about, err
	}
	m, ok := msg.(proto.Status)
	if !ok {
		return m, about, errNoAnswer
	}
	return m, about, nil
}

// standings reads so many rows.
func (a *Asker) standings(rows int) ([]Standing, error) {
	var all []Standing
	for len(all) < rows {
		msg, err := a.next()
		if err != nil {
			return nil, err
		}
		m, ok := msg.(proto.Standings)
		if !ok {
			return nil, errNoAnswer
		}
		if len(m.Members) == 0 || len(m.Members) > rows-len(all) {
			return nil, fmt.Errorf("%w: %d standings where %d are left", proto.ErrMalformed, len(m.Members), rows-len(all))
		}
		for _, s := range m.Members {
			all = append(all, Standing{Label: s.Label, Addr: s.Addr, Have: int(s.Have), Parts: int(s.Parts), Left: leftTime(s.Left)})
		}
	}
	return all, nil
}

var errNoAnswer = fmt.Errorf("%w: a message that answers no ask", proto.ErrMalformed)

// next reads a message. One of an id that is not known is of a later version
// and skipped.
func (a *Asker) next() (proto.Message, error) {
	for {
		m, err := a.frames.Next()
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case proto.Unknown, proto.KeepAlive:
		case proto.Refused:
			return nil, &RefusedError{m.Reason}
		default:
			return m, nil
		}
	}
}

func leftTime(seconds uint32) time.Duration {
	if seconds == proto.LeftUnknown {
		return -1
	}
	return time.Duration(seconds) * time.Second
}
