package link

import (
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// What decides how fast content moves over a link.

// What is said to the peer waits for a piece to end, so a bulk request goes out in pieces that take
// about pieceTime each, and have leastPiece bytes at least.
const (
	pieceTime  = 30 * time.Millisecond
	leastPiece = 64 << 10
)

// batchBlocks is how many single blocks go out together at most.
const batchBlocks = 16

// Unsent bounds what waits in the socket behind what the network carries, in bytes: what is decided
// later is sent sooner, and a grant that is served leaves little behind that takes turns with the
// next ones. UnsentAlone is for a peer that nobody takes turns with: the writer wakes once for
// several packets.
const (
	Unsent      = 16 << 10
	UnsentAlone = 128 << 10
)

// What peers have in flight to this member should fill its line and no more. The rest stands in the
// queues of this line and of theirs, and what is asked, announced and acknowledged stands behind
// it.
const (
	flightTime  = 15 * time.Millisecond // beside the round trip
	flightLeast = 44 << 10
	flightMost  = 96 << 10 // more is left to the system
	// flightPackets fit in at least. A buffer for less than a few makes the sender wait until it is
	// empty, and acknowledgements are late then: some hundred milliseconds a packet. Over a
	// loopback interface, one has up to 64 KiB.
	flightPackets = 8
)

// InFlight is how many bytes a peer is to have in flight whose share of the line is so many bytes a
// second, over a connection with such a round trip at best and packets of such a size; 0: as many
// as the system lets it.
func InFlight(share int64, roundTrip time.Duration, packet int) int {
	if roundTrip > swarm.Near { // little of it stands in a queue, and a flow needs room to speed up
		return 0
	}
	// A quarter more, so that the rate can grow.
	flight := (flightTime + roundTrip + roundTrip/4).Seconds()
	bound := max(int(float64(share)*flight), flightLeast, flightPackets*packet)
	if bound > flightMost {
		return 0
	}
	return bound
}

// pace is how fast content moves.
type pace struct {
	piece   piece
	moved   int64         // payload bytes that came and were not told of
	movedAt time.Duration // when the core was told last
	went    int64         // the same of bytes that went out
	wentAt  time.Duration

	size int           // bytes of a bulk request that go into the next piece
	cut  []proto.Piece // memory for what Next gives
}

func newPace() pace {
	return pace{movedAt: -swarm.ReportEvery, wentAt: -swarm.ReportEvery, size: leastPiece}
}

// Fit makes the next pieces larger or smaller, by the time that the last one took.
func (l *Link) Fit(took time.Duration) {
	switch {
	case took < pieceTime/2:
		l.size = min(2*l.size, proto.MaxPiece)
	case took > 2*pieceTime:
		l.size = max(l.size/2, leastPiece)
	}
}
