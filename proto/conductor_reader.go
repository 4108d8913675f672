package proto

import "io"

// firstBuffer is what a ConductorReader begins with: room for whatever a member
// sends, so that a conductor with many connections stays small.
const firstBuffer = 512

// A ConductorReader reads the messages of a member's connection to its
// conductor, at either end. It is used by one goroutine. Its errors are final.
type ConductorReader struct {
	buf buffer
	err error
}

// NewConductorReader returns a reader of the frames that follow the handshake
// in r. Frames longer than MaxConductorFrame are an error.
func NewConductorReader(r io.Reader) *ConductorReader {
	return &ConductorReader{buf: buffer{r: r, mem: make([]byte, firstBuffer)}}
}

// Next returns the next message, whose memory is its own. The error is io.EOF
// if the connection ended between two frames, and io.ErrUnexpectedEOF if it
// ended within one.
func (r *ConductorReader) Next() (Message, error) {
	if r.err != nil {
		return nil, r.err
	}
	m, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	return m, nil
}

func (r *ConductorReader) next() (Message, error) {
	length, err := r.buf.frameLength(MaxConductorFrame)
	if err != nil {
		return nil, err
	}
	frame := lengthSize + length
	if frame > len(r.buf.mem) {
		larger := make([]byte, frame)
		r.buf.end = copy(larger, r.buf.bytes())
		r.buf.start, r.buf.mem = 0, larger
	}
	if err := r.buf.fill(frame); err != nil {
		return nil, err
	}
	m, err := DecodeConductor(r.buf.bytes()[lengthSize:frame])
	r.buf.take(frame)
	return m, err
}

// DecodeConductor decodes a frame of the connection between a member and its
// conductor, from its id on: all but the length. An empty one is a KeepAlive.
// It takes the messages of both directions; who gets one of the wrong direction
// ends the connection. The message shares no memory with the frame.
func DecodeConductor(frame []byte) (Message, error) {
	if len(frame) == 0 {
		return KeepAlive{}, nil
	}
	d := decoder{id: frame[0], b: frame[1:]}
	m := d.conductor()
	if d.err == nil && len(d.b) > 0 {
		d.fail("%d bytes are left over", len(d.b))
	}
	if d.err != nil {
		return nil, d.err
	}
	return m, nil
}

func (d *decoder) conductor() Message {
	switch d.id {
	case idAnnounce:
		return d.announce()
	case idProgress:
		return Progress{
			Have:       d.uint32("number of parts"),
			Uploaded:   d.uint64("bytes uploaded"),
			Downloaded: d.uint64("bytes downloaded"),
		}
	case idComplain:
		return Complain{PeerID: d.peerID(), Part: d.uint32("part")}
	case idNamed:
		return Named{Place: [8]byte(d.bytes(8, "place")), Label: d.label()}
	case idAwait:
		return Await{d.uint32("number of copies")}
	case idAsk:
		return Ask{d.uint16("number of members")}
	case idTitled:
		return Titled{d.utf8("title")}
	case idWelcome:
		return Welcome{d.addr()}
	case idJoined:
		return d.joined()
	case idLeft:
		n := d.count(MaxMembers, len(PeerID{}), "peer ids")
		m := Left{make([]PeerID, n)}
		for i := range m.PeerIDs {
			m.PeerIDs[i] = d.peerID()
		}
		return m
	case idReachable:
		ok := d.uint8("outcome")
		if ok > 1 {
			d.fail("outcome %d, expected 0 or 1", ok)
		}
		return Reachable{OK: ok == 1, Addr: d.addr()}
	case idRefused:
		return Refused{d.utf8("reason")}
	case idCopies:
		return Copies{d.uint32("number of complete members")}
	case idStatus:
		return d.status()
	case idStandings:
		return d.standings()
	case idAbout:
		return d.about()
	case idListed:
		return Listed{d.uint32("number of members")}
	case idWatch:
		return Watch{d.uint8("number of seconds")}
	case idContent:
		return d.content()
	case idHolds:
		return d.holds()
	case idReceived:
		return d.received()
	case idWaits:
		return Waits{d.utf8("reason")}
	case idOpen:
		return Open{d.uint16("channel"), [20]byte(d.bytes(20, "id")), d.peerID()}
	case idWithin:
		return d.within()
	case idShut:
		return Shut{d.uint16("channel")}
	case idAccused:
		return Accused{d.uint32("part")}
	}
	id := d.id
	d.b = nil
	return Unknown{id}
}

func (d *decoder) announce() Message {
	m := Announce{
		Key:   [16]byte(d.bytes(16, "key")),
		Port:  d.uint16("port"),
		Parts: d.uint32("number of parts"),
		Have:  d.uint32("number of parts it has"),
		Want:  d.uint8("number of members it wants"),
	}
	m.Addrs = d.addrs(0)
	m.Advertise = d.ascii("advertised address")
	if m.Have > m.Parts {
		d.fail("it has %d of %d parts", m.Have, m.Parts)
	}
	return m
}

func (d *decoder) joined() Message {
	n := d.count(MaxMembers, len(PeerID{})+1+1+4+2, "members")
	m := Joined{make([]Member, n)}
	for i := range m.Members {
		m.Members[i] = Member{PeerID: d.peerID(), Addrs: d.addrs(1)}
	}
	return m
}
