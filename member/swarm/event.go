package swarm

import (
	"net/netip"
	"time"

	"orchestra/proto"
)

// An Event is something that happened to the member. The shell reports it to [Swarm.Step] in the
// order in which it happened.
//
// Peers are small integers chosen by the shell: one for each link that is up, free to be used again
// after [Left].
type Event interface{ event() }

// ReportEvery is how often a link tells at most of the bytes that move: see [Sent] and [Progress].
const ReportEvery = 200 * time.Millisecond

type (
	// Found tells of a member of the composition that a conductor lists, or the user named.
	Found struct {
		ID        proto.PeerID // zero where it is not known yet
		Addrs     []netip.AddrPort
		Conductor int    // that lists it, counted from 0
		Name      string // by which the user named it instead; replaces what it was found at before
	}
	// Hinted tells where others are, as a peer says (BEP 11).
	Hinted struct {
		Peer  int
		Addrs []netip.AddrPort
		Seeds []bool // whether they have everything, one for each; may be shorter
	}
	// Gone tells that a conductor no longer lists a member. Links to it are left alone: they know
	// better.
	Gone struct {
		ID        proto.PeerID
		Conductor int
	}
	// Conducted tells that the connection to a conductor is up, and that what it lists follows; or
	// that the connection is lost.
	Conducted struct {
		Conductor int
		On        bool
	}
	// Moved tells that the addresses of this machine are other than before.
	Moved struct{}
	// Listed tells how many members there are in all, this one among them.
	Listed struct{ Members int }
	// Deaf tells that the far end of a link acknowledges nothing of what it is sent, or that it
	// does again.
	Deaf struct {
		Peer int
		On   bool
	}
	// Crowded tells that there are too many links in all, of others in this process too: one of
	// this member's is to end.
	Crowded struct{}
	// DialFailed ends a [Dial] that did not become a link.
	DialFailed struct {
		Dial  Dial
		Addr  netip.AddrPort // the last that was tried
		Fault Fault
		Is    proto.PeerID // who is there instead, if that is the fault
	}
	// Stranger tells of somebody who opened a link and did not speak as members do.
	Stranger struct {
		Addr  netip.AddrPort
		Fault Fault
	}

	// Joined tells that a link is up: both handshakes were exchanged and were for this composition.
	Joined struct {
		Peer    int
		ID      proto.PeerID
		Addr    netip.AddrPort // the far end of the connection
		Dialled bool           // this member opened the link
		// bytes one request may ask for; 0: 16 KiB blocks only (a foreign client)
		MaxRun   uint32
		MaxQueue int // blocks that may be outstanding at a foreign client

		RoundTrip time.Duration // of a packet, at best
		Hears     bool          // it can be told that a part is gone (BEP 54)
		Port      uint16        // on which it accepts members, as it says; 0: it does not say

		// Origin tells that it is a web server that has everything: no link is up, none is needed,
		// and nothing is to be said to it. It is asked as a member is: [Fetch], [Cancel], [Recall].
		Origin bool
	}
	// Left tells that a link is down, whoever ended it. Nothing more comes from this peer.
	Left struct{ Peer int }

	// Has tells of parts that the peer has: all of them, those in Bits (as in a bitfield message;
	// spare bits are zero), or those listed.
	Has struct {
		Peer  int
		All   bool
		Bits  []byte
		Parts []uint32
	}
	// Withdrawn tells that the peer no longer has a part (BEP 54).
	Withdrawn struct {
		Peer int
		Part uint32
	}
	// Interest tells whether the peer wants anything that this member has.
	Interest struct {
		Peer int
		On   bool
	}
	// Choked tells that the peer stopped (or began) to serve this member. What was asked of it and
	// did not come is lost when it stops.
	Choked struct {
		Peer int
		On   bool
	}
	// Allowed tells of a part that this member may ask a peer for although that one does not serve
	// it (BEP 6). It need not have it.
	Allowed struct {
		Peer int
		Part uint32
	}
	// Spare tells whether the peer has nothing to do, and could send more than it is asked for.
	Spare struct {
		Peer int
		On   bool
	}
	// Wanted tells of parts that the peer asks for as it may, each reported once until it was
	// granted or is [Unwanted].
	Wanted struct {
		Peer  int
		Parts []uint32
	}
	// Unwanted tells of a part all whose requests the peer took back.
	Unwanted struct {
		Peer int
		Part uint32
	}
	// Sent tells how many payload bytes went into the socket since the last report, a few times
	// a second while a [Grant] is out. None: what waits there waits for this member's own limit.
	Sent struct {
		Peer  int
		Bytes int64
	}
	// Served ends a [Grant]: all that the peer had asked of these parts is in the socket, or was
	// taken back. Grant is its place among those that the peer has, oldest first: what is here
	// does not wait for what is only coming.
	Served struct{ Peer, Grant int }

	// Suggested tells of parts that the peer is getting, and passes on as they come.
	Suggested struct {
		Peer  int
		Parts []uint32
	}
	// Started tells that the first bytes of a run arrived.
	Started struct {
		Peer int
		Run  Run
	}
	// Progress tells how many payload bytes came since the last report, a few times a second
	// while any do, and how many of the run that was coming last are here.
	Progress struct {
		Peer int
		Down int64
		Run  Run
		Got  uint32

		Limited bool // it is this member's own limit that lets no more come
	}
	// Received tells that all bytes of a run arrived.
	Received struct {
		Peer int
		Run  Run
	}
	// Rejected tells that the peer will not send a run, or the rest of it.
	Rejected struct {
		Peer int
		Run  Run
	}
	// Belated tells that the peer answers for a run that was taken back with [Cancel]: it begins to
	// arrive, or is rejected.
	Belated struct {
		Peer int
		Run  Run
	}
	// Declined tells that a foreign client will not send some blocks of a run. The others may
	// come, and those are asked for again after a [Resume].
	Declined struct {
		Peer int
		Run  Run
	}
	// Dismissed tells that the peer no longer sends to this member before all others, and that
	// it is not to wait for it alone.
	Dismissed struct{ Peer int }
	// Regroup tells what a peer says of forming a chain anew.
	Regroup struct {
		Peer int
		What proto.Regrouping
	}
	// Written tells that a run that was received is on disk. Parts of a single run are not reported
	// so, but as Stored or Failed.
	Written struct {
		Peer int
		Run  Run
	}

	// Unwritten tells that the disk did not take a run that was received, or is being. It is to
	// come again.
	Unwritten struct {
		Peer int
		Run  Run
	}
	// Setback tells that the disk failed with a part, which is not to be asked for again at once.
	// The parts from First to Last may be in the same case.
	Setback struct{ Part, First, Last uint32 }
	// Full tells that there is no room on the disk, or that there is again. Nothing is asked for
	// while there is none.
	Full struct{ On bool }

	// Stored tells that a part verified and that its write returned.
	Stored struct{ Part uint32 }
	// Failed tells that a part was received in full and did not verify. Sums has a checksum of each
	// run of what is on disk, of a kind that nobody else can foresee; nil where the part is one
	// run. Disk tells that it is this member's disk that does not give it back, which no peer is
	// held for.
	Failed struct {
		Part uint32
		Sums []uint64
		Disk bool
	}
	// Compared answers a [Compare] with the checksums of the runs, which are right now.
	Compared struct {
		Part uint32
		Sums []uint64
	}

	// Lost tells that a part that was here is not: the disk changed, or cannot be read.
	Lost struct {
		Part uint32
		Keep bool // it stays as it is: it is not fetched
	}
	// Regained tells that a part that was lost, and kept as it was, was found good.
	Regained struct{ Part uint32 }

	// Checked tells what the check of content that was there found, part by part.
	Checked struct {
		Part uint32
		Good bool
		Keep bool // it stays as it is if it is bad: it is not fetched
	}

	// Reading tells which part a reader of the content needs next; see [Config.Sequential]. Until
	// the first one, the parts are wanted in order as if each were read as soon as it is here.
	Reading struct{ Part uint32 }

	// Tick tells only that time passed; see [Swarm.Next].
	Tick struct{}
)

func (Found) event()      {}
func (Hinted) event()     {}
func (Gone) event()       {}
func (Listed) event()     {}
func (Conducted) event()  {}
func (Moved) event()      {}
func (Deaf) event()       {}
func (Crowded) event()    {}
func (DialFailed) event() {}
func (Stranger) event()   {}
func (Joined) event()     {}
func (Left) event()       {}
func (Has) event()        {}
func (Withdrawn) event()  {}
func (Interest) event()   {}
func (Choked) event()     {}
func (Allowed) event()    {}
func (Spare) event()      {}
func (Wanted) event()     {}
func (Unwanted) event()   {}
func (Sent) event()       {}
func (Served) event()     {}
func (Suggested) event()  {}
func (Started) event()    {}
func (Progress) event()   {}
func (Received) event()   {}
func (Rejected) event()   {}
func (Belated) event()    {}
func (Declined) event()   {}
func (Dismissed) event()  {}
func (Regroup) event()    {}
func (Written) event()    {}
func (Unwritten) event()  {}
func (Setback) event()    {}
func (Full) event()       {}
func (Stored) event()     {}
func (Failed) event()     {}
func (Compared) event()   {}
func (Lost) event()       {}
func (Regained) event()   {}
func (Checked) event()    {}
func (Reading) event()    {}
func (Tick) event()       {}
