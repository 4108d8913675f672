package proto

import "encoding/binary"

// While somebody looks at a conductor's page, the conductor wants to know more
// of the members than Progress tells. It says so with Watch, and how often; the
// members then tell what changed, and no longer when Watch says 0 or the
// connection ends. A member that does not know Watch skips it.
//
//	member                            conductor
//	                     <─────────   Watch
//	Content ──────────────────────>                           (once)
//	Progress, Holds, Received, Waits ─>                       (every so often, what changed)
//	                     <─────────   Watch                   (0: no more)

// Limits of reports.
const (
	MaxHolds    = 1024 // bytes of bits in one Holds
	MaxReceived = 16   // peers in one Received
)

// Messages about what a conductor's page shows.
type (
	// Watch asks for reports.
	Watch struct {
		Every uint8 // seconds between two of them at least; 0: none any more
	}
	// Content says what a member's composition is and which program it is. It
	// answers the first Watch.
	Content struct {
		Size     uint64 // bytes
		PartSize uint32 // bytes
		Version  string // of the program; UTF-8, at most MaxLabel bytes
	}
	// Holds says which parts a member has: a stretch of its bitfield.
	Holds struct {
		First uint32 // the stretch's first byte in the bitfield
		Bits  []byte // at most MaxHolds bytes; part 0 is the highest bit of byte 0
	}
	// Received says how much content came from whom.
	Received struct {
		From []Source // at most MaxReceived
	}
	// Waits says why nothing comes.
	Waits struct {
		// for people; UTF-8, at most MaxText bytes, anything may stand in it; "": something comes
		Why string
	}
)

// A Source is a peer from which content came.
type Source struct {
	PeerID PeerID
	Bytes  uint64 // since the link to it was opened
}

func (Watch) message()    {}
func (Content) message()  {}
func (Holds) message()    {}
func (Received) message() {}
func (Waits) message()    {}

func (m Watch) append(b []byte) []byte { return append(b, idWatch, m.Every) }

func (m Content) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(append(b, idContent), m.Size)
	b = binary.BigEndian.AppendUint32(b, m.PartSize)
	return appendText(b, cutText(m.Version, MaxLabel))
}

func (m Holds) append(b []byte) []byte {
	bits := m.Bits[:min(len(m.Bits), MaxHolds)]
	b = binary.BigEndian.AppendUint32(append(b, idHolds), m.First)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(bits))), bits...)
}

func (m Received) append(b []byte) []byte {
	from := m.From[:min(len(m.From), MaxReceived)]
	b = append(b, idReceived, byte(len(from)))
	for _, s := range from {
		b = binary.BigEndian.AppendUint64(append(b, s.PeerID[:]...), s.Bytes)
	}
	return b
}

func (m Waits) append(b []byte) []byte {
	return appendText(append(b, idWaits), cutText(m.Why, MaxText))
}

func (d *decoder) content() Message {
	return Content{
		Size:     d.uint64("size"),
		PartSize: d.uint32("part size"),
		Version:  d.label(),
	}
}

func (d *decoder) holds() Message {
	m := Holds{First: d.uint32("first byte")}
	switch n := int(d.uint16("number of bytes")); {
	case d.err != nil:
	case n > MaxHolds:
		d.fail("%d bytes of bits, at most %d are taken", n, MaxHolds)
	case n > len(d.b):
		d.fail("it ends before or within its bits")
	default:
		m.Bits = append([]byte{}, d.bytes(n, "bits")...)
	}
	return m
}

func (d *decoder) received() Message {
	n := d.count(MaxReceived, len(PeerID{})+8, "peers")
	m := Received{make([]Source, n)}
	for i := range m.From {
		m.From[i] = Source{PeerID: d.peerID(), Bytes: d.uint64("number of bytes")}
	}
	return m
}
