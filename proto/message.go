package proto

import "encoding/binary"

// Members exchange these frames after their handshakes: a length of 4 bytes,
// an id of 1 byte that the length counts, and the payload. All numbers are
// big-endian and unsigned. A frame of length 0 is a keep-alive and has no id.
//
//	opener                            acceptor
//	BitTorrent handshake ─────────>
//	                     <─────────   BitTorrent handshake
//	Extended 0 ───────────────────>                          (BEP 10: reqq, orch_maxreq)
//	                     <─────────   Extended 0
//	Bitfield, HaveAll or HaveNone ─>                         (the first message of BEP 3 and 6)
//	                     <─────────   Bitfield, HaveAll or HaveNone
//	Interested ───────────────────>
//	                     <─────────   Unchoke
//	Request ... ──────────────────>
//	                     <─────────   Piece ...              (or Reject)
//	Have ─────────────────────────>
//
//	 id  message        payload (bytes)
//	 -   KeepAlive      no id, no payload
//	 0   Choke          none
//	 1   Unchoke        none
//	 2   Interested     none
//	 3   NotInterested  none
//	 4   Have           part 4
//	 5   Bitfield       bits: part 0 is the highest bit of the first byte, spare bits are 0
//	 6   Request        part 4, begin 4, length 4
//	 7   Piece          part 4, begin 4, content (the rest of the frame)
//	 8   Cancel         part 4, begin 4, length 4
//	 9   Port           port 2                               (BEP 5)
//	13   Suggest        part 4                               (BEP 6)
//	14   HaveAll        none                                 (BEP 6)
//	15   HaveNone       none                                 (BEP 6)
//	16   Reject         part 4, begin 4, length 4            (BEP 6)
//	17   AllowedFast    part 4                               (BEP 6)
//	20   Extended       extended id 1, payload (the rest)    (BEP 10)
const (
	idChoke         = 0
	idUnchoke       = 1
	idInterested    = 2
	idNotInterested = 3
	idHave          = 4
	idBitfield      = 5
	idRequest       = 6
	idPiece         = 7
	idCancel        = 8
	idPort          = 9
	idSuggest       = 13
	idHaveAll       = 14
	idHaveNone      = 15
	idReject        = 16
	idAllowedFast   = 17
	idExtended      = 20
)

const (
	lengthSize  = 4         // the length before each frame
	pieceHeader = 1 + 4 + 4 // id, part and begin of a Piece
)

// A Message is one of this package's message types, of either connection.
type Message interface{ message() }

// Messages between members. Parts are counted from 0; Begin and Length are
// bytes within the part.
type (
	// KeepAlive says that the sender lives. Both connections have it.
	KeepAlive struct{}
	// Choke says that requests will not be answered. With BEP 6 those that
	// wait are rejected one by one, without it all are forgotten.
	Choke struct{}
	// Unchoke says that requests will be answered.
	Unchoke struct{}
	// Interested says that the remote has parts the sender wants.
	Interested struct{}
	// NotInterested says that the remote has nothing the sender wants.
	NotInterested struct{}
	// Have says that the sender has a part, verified.
	Have struct{ Part uint32 }
	// Bitfield says which parts the sender has, see CheckBits.
	Bitfield struct{ Bits []byte }
	// Request asks for a range of a part.
	Request struct{ Part, Begin, Length uint32 }
	// Piece is the header of content; Length is how many bytes of it follow,
	// at most MaxPiece.
	Piece struct {
		Part, Begin uint32
		Length      int
	}
	// Cancel takes back the Request with the same numbers.
	Cancel struct{ Part, Begin, Length uint32 }
	// Port is the sender's DHT port (BEP 5).
	Port struct{ Port uint16 }
	// Suggest names a part that is cheap for the sender to give (BEP 6): between
	// members one that it is getting, and passes on while it comes.
	Suggest struct{ Part uint32 }
	// HaveAll stands for a Bitfield with all parts (BEP 6).
	HaveAll struct{}
	// HaveNone stands for a Bitfield without any part (BEP 6).
	HaveNone struct{}
	// Reject says that a Request, or what is left of one, will not be
	// answered (BEP 6).
	Reject struct{ Part, Begin, Length uint32 }
	// AllowedFast names a part that is given even while choked (BEP 6).
	AllowedFast struct{ Part uint32 }
	// Extended is a message of BEP 10. ID 0 is the handshake, see
	// ParseExtHandshake; the others are those the receiver gave out in its own.
	Extended struct {
		ID      byte
		Payload []byte
	}
	// Unknown is a frame with an id that this package does not know, of either
	// connection. Its payload is skipped; the receiver takes no notice.
	Unknown struct{ ID byte }
)

func (KeepAlive) message()     {}
func (Choke) message()         {}
func (Unchoke) message()       {}
func (Interested) message()    {}
func (NotInterested) message() {}
func (Have) message()          {}
func (Bitfield) message()      {}
func (Request) message()       {}
func (Piece) message()         {}
func (Cancel) message()        {}
func (Port) message()          {}
func (Suggest) message()       {}
func (HaveAll) message()       {}
func (HaveNone) message()      {}
func (Reject) message()        {}
func (AllowedFast) message()   {}
func (Extended) message()      {}
func (Unknown) message()       {}

// End returns where the range ends in the part, exclusive. It cannot overflow.
func (m Request) End() int64 { return int64(m.Begin) + int64(m.Length) }

// End returns where the content ends in the part, exclusive.
func (m Piece) End() int64 { return int64(m.Begin) + int64(m.Length) }

// End returns where the range ends in the part, exclusive. It cannot overflow.
func (m Cancel) End() int64 { return int64(m.Begin) + int64(m.Length) }

// End returns where the range ends in the part, exclusive. It cannot overflow.
func (m Reject) End() int64 { return int64(m.Begin) + int64(m.Length) }

// Append appends the whole frame of a message of either connection to b, its
// length first. Of a Piece that is the header alone, whose length counts the
// content: the caller sends Length bytes after it.
func Append(b []byte, m Message) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	content := 0
	// A switch instead of a method: the message does not escape, so that
	// encoding allocates nothing.
	switch m := m.(type) {
	case KeepAlive:
	case Choke:
		b = append(b, idChoke)
	case Unchoke:
		b = append(b, idUnchoke)
	case Interested:
		b = append(b, idInterested)
	case NotInterested:
		b = append(b, idNotInterested)
	case Have:
		b = appendUint32s(b, idHave, m.Part)
	case Bitfield:
		b = append(append(b, idBitfield), m.Bits...)
	case Request:
		b = appendUint32s(b, idRequest, m.Part, m.Begin, m.Length)
	case Piece:
		b = appendUint32s(b, idPiece, m.Part, m.Begin)
		content = m.Length
	case Cancel:
		b = appendUint32s(b, idCancel, m.Part, m.Begin, m.Length)
	case Port:
		b = binary.BigEndian.AppendUint16(append(b, idPort), m.Port)
	case Suggest:
		b = appendUint32s(b, idSuggest, m.Part)
	case HaveAll:
		b = append(b, idHaveAll)
	case HaveNone:
		b = append(b, idHaveNone)
	case Reject:
		b = appendUint32s(b, idReject, m.Part, m.Begin, m.Length)
	case AllowedFast:
		b = appendUint32s(b, idAllowedFast, m.Part)
	case Extended:
		b = append(append(b, idExtended, m.ID), m.Payload...)
	case Unknown:
		b = append(b, m.ID)
	case Announce:
		b = m.append(b)
	case Progress:
		b = m.append(b)
	case Complain:
		b = m.append(b)
	case Welcome:
		b = m.append(b)
	case Joined:
		b = m.append(b)
	case Left:
		b = m.append(b)
	case Listed:
		b = m.append(b)
	case Accused:
		b = m.append(b)
	case Reachable:
		b = m.append(b)
	case Refused:
		b = m.append(b)
	case Named:
		b = m.append(b)
	case Titled:
		b = m.append(b)
	case Await:
		b = m.append(b)
	case Ask:
		b = m.append(b)
	case Copies:
		b = m.append(b)
	case About:
		b = m.append(b)
	case Status:
		b = m.append(b)
	case Standings:
		b = m.append(b)
	case Watch:
		b = m.append(b)
	case Content:
		b = m.append(b)
	case Holds:
		b = m.append(b)
	case Received:
		b = m.append(b)
	case Waits:
		b = m.append(b)
	case Open:
		b = m.append(b)
	case Within:
		b = m.append(b)
	case Shut:
		b = m.append(b)
	default:
		panic("proto: nil or a pointer is no message")
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-lengthSize+content))
	return b
}

func appendUint32s(b []byte, id byte, numbers ...uint32) []byte {
	b = append(b, id)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}
