package conduct

import (
	"net/netip"

	"orchestra/proto"
)

// A link names a member's connection to the registry; the shell gives them
// out from 1 and never uses one twice. 0 is no connection.
type link uint64

// An effect is something the registry wants done; the shell does it, in order.
type effect interface{ effect() }

// tell sends a message to a member.
type tell struct {
	to  link
	msg proto.Message
}

// cut ends a connection once what was told to it before has been written.
// The registry has already forgotten the link.
type cut struct {
	who     link
	why     string // for the log
	refused bool   // it was not listed
}

// dialBack asks for a connection to an address that a member claims, to see
// whether that member answers there; the outcome comes back to
// registry.checked under the same ticket.
type dialBack struct {
	ticket uint64
	id     [20]byte     // the composition
	peer   proto.PeerID // who must answer
	host   string       // HOST:PORT; an address or a name
	from   netip.Addr   // the member's source address, see allows
	guest  bool         // it is a BitTorrent client
}

// allows reports whether an address may be dialled: members shall not make the
// conductor knock at services of its own machine or link, except at their own
// address there.
func (d dialBack) allows(a netip.Addr) bool {
	return routable(a) || a == d.from || d.from.IsLoopback() && a.IsLoopback()
}

// A note is something for the conductor's log.
type note struct {
	what  noteKind
	id    [20]byte // the composition
	title string   // what it is called, by its members
	label string   // what the member calls itself
	from  netip.AddrPort
}

type noteKind uint8

const (
	noteFirst    noteKind = iota // the first member of a composition
	noteComplete                 // its first complete copy
	noteFurther                  // a further one
)

func noteOf(what noteKind, e *entry) note {
	return note{what, e.comp.id, e.comp.title.text, e.label, e.seat.from}
}

func (tell) effect()     {}
func (cut) effect()      {}
func (dialBack) effect() {}
func (note) effect()     {}
