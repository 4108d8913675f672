package proto

import (
	"encoding/binary"
	"math"
	"net/netip"
)

// Who wants to know how far the members are opens a connection like a member,
// sends Ask in place of Announce, and is not listed. The ID in its handshake is
// the composition's; the ID of zeros stands for all that the conductor knows.
// The answer to each Ask is one or more Status, each after an About and followed
// by as many standings as it says, in frames of MaxMembers:
//
//	asker                             conductor
//	orchestra handshake ──────────>
//	                     <─────────   orchestra handshake
//	Ask ──────────────────────────>
//	                     <─────────   About, Status, Standings ...   (or Refused, and the end)
//	Ask ──────────────────────────>                           (as often as it likes; answered twice a second at most)

// Limits of an answer.
const (
	MaxRows     = 1000 // standings of one composition
	MaxStatuses = 1000 // compositions
)

// LeftUnknown is a time left that cannot be told.
const LeftUnknown = math.MaxUint32

// Messages about how far members are. Named, Titled, Await and Ask go to a
// conductor, the others come from one.
type (
	// Named follows a member's first Announce if its handshake says Names.
	Named struct {
		Place [8]byte // the same for each run that fills the same copy; zeros: not told
		Label string  // for people; UTF-8, at most MaxLabel bytes, anything may stand in it
	}
	// Titled follows a member's first Named if its handshake says Titles.
	Titled struct {
		Title string // the content's name; UTF-8, at most MaxText bytes, else anything
	}
	// Await asks for Copies once so many members are complete. A later one
	// replaces it.
	Await struct{ Copies uint32 }
	// Copies says that at least as many members as awaited are complete.
	Copies struct{ Complete uint32 }
	// Ask asks how far the members are.
	Ask struct {
		Members uint16 // how many of them are to be listed, the slowest first; MaxRows at most are
	}
	// About precedes the Status of the same composition. It may be missing.
	About struct {
		ID       [20]byte
		Listed   uint32 // members that are listed now
		Clients  uint32 // BitTorrent clients that are listed; no other number counts them
		Complete uint32 // of them, as they say
		Title    string // what most members call the content; "": none said
	}
	// Status is how far the members of a composition are. One of which nothing
	// is known has zeros but for the ID.
	Status struct {
		ID       [20]byte
		Further  uint16 // how many Status follow in this answer; less than MaxStatuses
		Complete uint32 // distinct copies of members that said so, also those that left since
		Known    uint32 // those, and all others listed now
		Pending  uint32 // listed now and not complete
		Left     uint32 // seconds until all that are pending are complete; LeftUnknown
		Rows     uint16 // how many standings follow, at most MaxRows
	}
	// Standings list members, those that are furthest behind first.
	Standings struct {
		Members []Standing // at most MaxMembers
	}
)

// A Standing is how far one member is.
type Standing struct {
	Have, Parts uint32
	Left        uint32         // seconds; LeftUnknown
	Addr        netip.AddrPort // where the conductor sees it
	Label       string         // what it calls itself, at most MaxLabel bytes; "": nothing
}

func (Named) message()     {}
func (Titled) message()    {}
func (About) message()     {}
func (Await) message()     {}
func (Ask) message()       {}
func (Copies) message()    {}
func (Status) message()    {}
func (Standings) message() {}

func (m Named) append(b []byte) []byte {
	b = append(append(b, idNamed), m.Place[:]...)
	return appendText(b, cutText(m.Label, MaxLabel))
}

func (m Titled) append(b []byte) []byte {
	return appendText(append(b, idTitled), cutText(m.Title, MaxText))
}

func (m About) append(b []byte) []byte {
	b = append(append(b, idAbout), m.ID[:]...)
	b = binary.BigEndian.AppendUint32(b, m.Listed)
	b = binary.BigEndian.AppendUint32(b, m.Clients)
	b = binary.BigEndian.AppendUint32(b, m.Complete)
	return appendText(b, cutText(m.Title, MaxText))
}

func (m Await) append(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, idAwait), m.Copies)
}

func (m Ask) append(b []byte) []byte {
	return binary.BigEndian.AppendUint16(append(b, idAsk), m.Members)
}

func (m Copies) append(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, idCopies), m.Complete)
}

func (m Status) append(b []byte) []byte {
	b = append(append(b, idStatus), m.ID[:]...)
	b = binary.BigEndian.AppendUint16(b, m.Further)
	for _, n := range []uint32{m.Complete, m.Known, m.Pending, m.Left} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return binary.BigEndian.AppendUint16(b, m.Rows)
}

func (m Standings) append(b []byte) []byte {
	members := m.Members[:min(len(m.Members), MaxMembers)]
	b = append(b, idStandings, byte(len(members)))
	for _, s := range members {
		for _, n := range []uint32{s.Have, s.Parts, s.Left} {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		b = appendText(appendAddr(b, s.Addr), cutText(s.Label, MaxLabel))
	}
	return b
}

// CutLabel makes a label out of any text: valid UTF-8 of at most MaxLabel bytes.
func CutLabel(s string) string { return cutText(s, MaxLabel) }

// label reads a label.
func (d *decoder) label() string {
	s := d.utf8("label")
	if len(s) > MaxLabel {
		d.fail("a label of %d bytes, at most %d are taken", len(s), MaxLabel)
	}
	return s
}

func (d *decoder) status() Message {
	m := Status{
		ID:       [20]byte(d.bytes(20, "ID")),
		Further:  d.uint16("number of compositions"),
		Complete: d.uint32("number of complete members"),
		Known:    d.uint32("number of members"),
		Pending:  d.uint32("number of incomplete members"),
		Left:     d.uint32("time left"),
		Rows:     d.uint16("number of standings"),
	}
	switch {
	case m.Rows > MaxRows:
		d.fail("%d standings follow, at most %d are taken", m.Rows, MaxRows)
	case m.Further >= MaxStatuses:
		d.fail("%d compositions follow, less than %d are taken", m.Further, MaxStatuses)
	case m.Complete > m.Known:
		d.fail("%d of %d members are complete", m.Complete, m.Known)
	}
	return m
}

func (d *decoder) about() Message {
	m := About{
		ID:       [20]byte(d.bytes(20, "ID")),
		Listed:   d.uint32("number of members listed"),
		Clients:  d.uint32("number of clients"),
		Complete: d.uint32("number of complete clients"),
		Title:    d.utf8("title"),
	}
	if m.Complete > m.Clients {
		d.fail("%d of %d clients are complete", m.Complete, m.Clients)
	}
	return m
}

func (d *decoder) standings() Message {
	n := d.count(MaxMembers, 4+4+4+1+1, "standings")
	m := Standings{make([]Standing, n)}
	for i := range m.Members {
		s := Standing{
			Have:  d.uint32("number of parts it has"),
			Parts: d.uint32("number of parts"),
			Left:  d.uint32("time left"),
			Addr:  d.addr(),
			Label: d.label(),
		}
		if s.Have > s.Parts {
			d.fail("it has %d of %d parts", s.Have, s.Parts)
		}
		m.Members[i] = s
	}
	return m
}
