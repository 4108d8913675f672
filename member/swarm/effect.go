package swarm

import (
	"net/netip"
	"time"

	"orchestra/proto"
)

// An Effect is something that the shell is to do, in the order given. None of them is answered at
// once: what comes of it is an [Event].
type Effect interface{ effect() }

type (
	// Dial asks for a link to a member, at whichever of its addresses answers first. It ends in
	// Joined or DialFailed.
	Dial struct {
		ID    proto.PeerID // zero: whoever answers
		Addrs []netip.AddrPort
	}
	// Drop ends a link. Left follows.
	Drop struct {
		Peer int
		Why  string
		// Said tells that what waits to be said is said first, so that the far end knows why.
		Said bool
	}

	// Doubt asks for a sign of life over a link. If nothing at the far end acknowledges it, the
	// link ends.
	Doubt struct{ Peer int }

	// Offer is the first thing said to a peer: what this member has. Bits is a copy, as in a
	// bitfield message.
	Offer struct {
		Peer int
		All  bool
		Bits []byte // nil where there is nothing
	}
	// Announce tells the peers that this member has a part: each of them at once or later, see
	// [Swarm.HaveDelay].
	Announce struct{ Part uint32 }
	// Withdraw tells a peer that this member no longer has a part, and rejects all that it asked of
	// it, granted or not.
	Withdraw struct {
		Peer int
		Part uint32
	}
	// SetInterest tells a peer whether it has anything that this member wants.
	SetInterest struct {
		Peer int
		On   bool
	}
	// SetChoke tells a peer whether it is served. Choking it drops what it asked for.
	SetChoke struct {
		Peer int
		On   bool
	}

	// SetSpare tells a peer whether this member has nothing to do, and could send more.
	SetSpare struct {
		Peer int
		On   bool
	}

	// Fetch asks a peer for a run. It ends in Received, Rejected, Choked or Left, unless a Cancel
	// took it back.
	Fetch struct {
		Peer int
		Run  Run
	}
	// Cancel takes a Fetch back; what still comes of it is thrown away.
	Cancel struct {
		Peer int
		Run  Run
	}
	// Recall asks a member to reject a run, if it has not begun to send it. The Fetch ends as it
	// would without: in Received, or in Rejected.
	Recall struct {
		Peer int
		Run  Run
	}
	// Share tells how many bytes a second this member's line carries for each peer that is sending
	// now. A peer is to have no more in flight than that needs, in view of the time that a packet
	// takes at best: the rest would only wait, and everything else behind it.
	Share struct{ Down int64 }
	// Chained tells that from now on one peer at a time sends to this member and is sent to, or no
	// longer: then nothing waits behind what is on the way between them, and there may be more of
	// it. It is so from the start. Of parts that are passed on as they come, Hop bytes are passed
	// on at once; 0: they are passed on whole. A part that is written may wait for others to be
	// verified with, which costs less CPU, but not longer than Wait.
	Chained struct {
		On   bool
		Hop  int
		Wait time.Duration
	}

	// Window sets how many blocks are kept outstanding at a foreign client.
	Window struct {
		Peer   int
		Blocks int
	}

	// Suggest tells a member of parts that are on their way here, and that it may ask for now.
	Suggest struct {
		Peer  int
		Parts []uint32
	}
	// Refuse rejects what a peer asked of these parts, and what is left of it if it was granted
	// before the part was here.
	Refuse struct {
		Peer  int
		Parts []uint32
	}
	// Grant lets a link send what its peer asked of these parts, in this order. A part that is not
	// here yet goes out as it comes. It ends in Served.
	Grant struct {
		Peer  int
		Parts []uint32
	}
	// Revoke takes all Grants of a peer back that were not Served: what was not sent waits for
	// another one.
	Revoke struct{ Peer int }
	// Resume asks a foreign client again for the blocks that it Declined.
	Resume struct{ Peer int }
	// Dismiss tells a member that it is no longer sent to before all others, so that it asks
	// others too.
	Dismiss struct{ Peer int }

	// SetRegroup tells a member what this one has to say of forming a chain anew.
	SetRegroup struct {
		Peer int
		What proto.Regrouping
	}

	// Complain tells that a part was bad that a peer said to have: the user, the peer, and the
	// conductors.
	Complain struct {
		Peer int // -1: its link is gone
		ID   proto.PeerID
		Addr netip.AddrPort // where the peer is found, as far as it is known
		Part uint32
	}
	// CutOff tells the user that a peer sends bad parts again and again, and that there is to be no
	// link to it for a while; Drop follows for those that are up.
	CutOff struct {
		Addr  netip.AddrPort
		Host  bool // nor to anybody else at its address
		Parts int
		For   time.Duration
	}
	// Compare asks for the checksums of the runs of a part that is here now. It ends in Compared.
	Compare struct{ Part uint32 }

	// Verify asks whether a part all whose runs are written matches its checksum. It ends in Stored
	// or Failed.
	Verify struct{ Part uint32 }
	// Finish tells that every part is stored. It comes again if parts were lost and came again.
	Finish struct{}
)

func (Dial) effect()        {}
func (Drop) effect()        {}
func (Doubt) effect()       {}
func (Offer) effect()       {}
func (Announce) effect()    {}
func (Withdraw) effect()    {}
func (SetInterest) effect() {}
func (SetChoke) effect()    {}
func (SetSpare) effect()    {}
func (Fetch) effect()       {}
func (Cancel) effect()      {}
func (Recall) effect()      {}
func (Share) effect()       {}
func (Chained) effect()     {}
func (Window) effect()      {}
func (Suggest) effect()     {}
func (Refuse) effect()      {}
func (Grant) effect()       {}
func (Revoke) effect()      {}
func (Resume) effect()      {}
func (Dismiss) effect()     {}
func (SetRegroup) effect()  {}
func (Complain) effect()    {}
func (CutOff) effect()      {}
func (Compare) effect()     {}
func (Verify) effect()      {}
func (Finish) effect()      {}
