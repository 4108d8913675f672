package proto

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// A member and its conductor exchange these frames after their handshakes, in
// the framing that members use among themselves. One connection is for one
// composition. The ids are apart from those between members, so that neither
// connection can be taken for the other.
//
//	member                            conductor
//	orchestra handshake ──────────>
//	                     <─────────   orchestra handshake
//	Announce, Named, Titled ──────>                           (the latter two if the handshake says so)
//	Await ────────────────────────>                           (if it is to end by what others have)
//	                     <─────────   Welcome, Listed, Joined (or Refused, and the end)
//	                     <─────────   Reachable               (once it has dialled back)
//	Progress ─────────────────────>                           (every few seconds while it moves)
//	                     <─────────   Joined, Left            (as others come and go)
//	                     <─────────   Listed                  (when they have become many more or fewer)
//	KeepAlive ────────────────────>                           (every 30 s)
//	                     <─────────   KeepAlive               (to each)
//	                     <─────────   Copies                  (once as many are complete as it awaits)
//	Complain ─────────────────────>                           (of bad data)
//	                     <─────────   Accused                 (if another one complains of it)
//	Announce ─────────────────────>                           (what changed, or to be told of more)
//
// Who only wants to know how far the members are asks instead of announcing
// itself, and is no member; see status.go. What members tell for the page is in
// report.go.
//
//	id  message    payload (bytes)
//	-   KeepAlive  no id, no payload
//	64  Announce   key 16, port 2, parts 4, have 4, want 1, count 1 (0 to 4), addresses, advertise text
//	65  Progress   have 4, uploaded 8, downloaded 8
//	66  Complain   peer id 20, part 4
//	67  Named      place 8, label text (at most 64 bytes)
//	68  Await      copies 4
//	69  Ask        members 2
//	70  Titled     title text
//	71  Content    size 8, part size 4, version text (at most 64 bytes)
//	72  Holds      first 4, count 2 (0 to 1,024), bits 1 each
//	73  Received   count 1 (0 to 16), so many times: peer id 20, bytes 8
//	74  Waits      why text
//	80  Welcome    address
//	81  Joined     count 1 (0 to 50), members
//	82  Left       count 1 (0 to 50), peer ids 20 each
//	83  Reachable  ok 1 (0 or 1), address
//	84  Refused    reason text
//	85  Copies     complete 4
//	86  Status     id 20, further 2, complete 4, known 4, pending 4, left 4, rows 2
//	87  Standings  count 1 (0 to 50), standings
//	88  Listed     members 4
//	89  Accused    part 4
//	90  About      id 20, listed 4, clients 4, complete 4, title text
//	91  Watch      every 1
//
//	address  family 1, host, port 2: family 4 with 4 bytes of host, 6 with 16 (never an IPv4 address mapped
//	         into IPv6); or the family 0 alone, which is no address (not within a list)
//	member   peer id 20, count 1 (1 to 4), addresses
//	standing have 4, parts 4, left 4, address, label text (at most 64 bytes)
//	text     length 1, bytes
const (
	idAnnounce  = 64
	idProgress  = 65
	idComplain  = 66
	idNamed     = 67
	idAwait     = 68
	idAsk       = 69
	idTitled    = 70
	idContent   = 71
	idHolds     = 72
	idReceived  = 73
	idWaits     = 74
	idWelcome   = 80
	idJoined    = 81
	idLeft      = 82
	idReachable = 83
	idRefused   = 84
	idCopies    = 85
	idStatus    = 86
	idStandings = 87
	idListed    = 88
	idAccused   = 89
	idAbout     = 90
	idWatch     = 91
)

// Limits of the conductor's messages.
const (
	MaxAddrs = 4 // addresses of one member
	// members in one Joined, peer ids in one Left, standings in one Standings
	MaxMembers        = 50
	MaxLabel          = 64      // bytes of a label
	MaxText           = 255     // bytes of a text
	MaxConductorFrame = 8 << 10 // bytes of a frame; the longest known message has 4,852
)

// Messages from a member to its conductor.
type (
	// Announce is a member's first message. A later one replaces it, and asks
	// for further members.
	Announce struct {
		Key   [16]byte         // secret; who has it may replace the member's entry
		Port  uint16           // on which it accepts members; 0: it does not
		Addrs []netip.AddrPort // of its own interfaces, at most MaxAddrs
		// HOST:PORT at which it can be reached; "" or at most MaxText bytes of printable ASCII
		Advertise string
		Parts     uint32 // of the composition
		Have      uint32 // how many of them it has
		Want      uint8  // how many members it wants to be told of
	}
	// Progress says how far a member is.
	Progress struct {
		Have       uint32 // parts
		Uploaded   uint64 // bytes of content, since it announced itself
		Downloaded uint64 // bytes of content, since it announced itself
	}
	// Complain says that a member sent bad data in a part.
	Complain struct {
		PeerID PeerID
		Part   uint32
	}
)

// Messages from a conductor to a member.
type (
	// Welcome answers the first Announce: the member is listed.
	Welcome struct {
		You netip.AddrPort // where the conductor sees the connection come from
	}
	// Joined tells of members. One that is known already has new addresses.
	Joined struct {
		Members []Member // at most MaxMembers
	}
	// Left says that members of which it was told are listed no more.
	Left struct {
		PeerIDs []PeerID // at most MaxMembers
	}
	// Listed says how many members of the composition are listed, the receiver
	// among them.
	Listed struct{ Members uint32 }
	// Accused says that another member complains of a part that the receiver
	// sent: it may have gone bad on its disk.
	Accused struct{ Part uint32 }
	// Reachable is the outcome of dialling the member back.
	Reachable struct {
		OK   bool
		Addr netip.AddrPort // that was dialled
	}
	// Refused says why the conductor closes the connection now.
	Refused struct {
		Reason string // UTF-8, at most MaxText bytes; shown to the user
	}
)

// A Member is where a member can be found.
type Member struct {
	PeerID PeerID
	Addrs  []netip.AddrPort // 1 to MaxAddrs, the likeliest first
}

func (Announce) message()  {}
func (Progress) message()  {}
func (Complain) message()  {}
func (Welcome) message()   {}
func (Joined) message()    {}
func (Left) message()      {}
func (Listed) message()    {}
func (Accused) message()   {}
func (Reachable) message() {}
func (Refused) message()   {}

func (m Announce) append(b []byte) []byte {
	b = append(b, idAnnounce)
	b = append(b, m.Key[:]...)
	b = binary.BigEndian.AppendUint16(b, m.Port)
	b = binary.BigEndian.AppendUint32(b, m.Parts)
	b = binary.BigEndian.AppendUint32(b, m.Have)
	b = append(b, m.Want)
	b = appendAddrs(b, m.Addrs)
	return appendText(b, m.Advertise)
}

func (m Progress) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(append(b, idProgress), m.Have)
	b = binary.BigEndian.AppendUint64(b, m.Uploaded)
	return binary.BigEndian.AppendUint64(b, m.Downloaded)
}

func (m Complain) append(b []byte) []byte {
	b = append(append(b, idComplain), m.PeerID[:]...)
	return binary.BigEndian.AppendUint32(b, m.Part)
}

func (m Welcome) append(b []byte) []byte { return appendAddr(append(b, idWelcome), m.You) }

func (m Joined) append(b []byte) []byte {
	members := m.Members[:min(len(m.Members), MaxMembers)]
	b = append(b, idJoined, 0)
	count := len(b) - 1
	for _, member := range members {
		if !slices.ContainsFunc(member.Addrs, netip.AddrPort.IsValid) {
			continue
		}
		b = appendAddrs(append(b, member.PeerID[:]...), member.Addrs)
		b[count]++
	}
	return b
}

func (m Left) append(b []byte) []byte {
	ids := m.PeerIDs[:min(len(m.PeerIDs), MaxMembers)]
	b = append(b, idLeft, byte(len(ids)))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return b
}

func (m Listed) append(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, idListed), m.Members)
}

func (m Accused) append(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, idAccused), m.Part)
}

func (m Reachable) append(b []byte) []byte {
	ok := byte(0)
	if m.OK {
		ok = 1
	}
	return appendAddr(append(b, idReachable, ok), m.Addr)
}

func (m Refused) append(b []byte) []byte {
	return appendText(append(b, idRefused), cutText(m.Reason, MaxText))
}

// cutText makes valid UTF-8 of at most so many bytes out of a text for people.
func cutText(s string, most int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
