package link

import (
	"maps"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Reqq is how many requests of a peer may wait here.
const Reqq = 1024

// The ids of the extended messages that this member takes.
const (
	dontHaveID = 1
	badID      = 2
	dismissID  = 3
	spareID    = 4
	regroupID  = 5
	metadataID = 6
	peersID    = 7
)

var messages = map[string]int{
	proto.ExtDontHave: dontHaveID, proto.ExtBad: badID,
	proto.ExtDismiss: dismissID, proto.ExtSpare: spareID,
	proto.ExtRegroup: regroupID,
}

// Offered is what this member says of its end of a link in the extension handshake.
func Offered() proto.ExtHandshake {
	return proto.ExtHandshake{Reqq: Reqq, MaxRequest: swarm.RunSize, Messages: maps.Clone(messages)}
}

// OfferMetadata says besides that this member gives away the info dictionary, of so many bytes
// (BEP 9).
func OfferMetadata(ext *proto.ExtHandshake, size int) {
	ext.Messages[proto.ExtMetadata], ext.Metadata = metadataID, size
}

// OfferPeers says besides that this member is to be told of others (BEP 11).
func OfferPeers(ext *proto.ExtHandshake) { ext.Messages[proto.ExtPeers] = peersID }

// Terms are what the handshakes agreed on: what the peer takes.
type Terms struct {
	Fast   bool   // BEP 6
	MaxRun uint32 // bytes one request may cover; 0: single blocks
	Reqq   int    // requests that may wait there

	// The ids of extended messages there; 0: the peer takes none. They say that a part is gone (BEP
	// 54), that a part was bad, that the peer is sent to no longer before all others, who could
	// send more, and whether a chain is to be formed anew.
	DontHave, Bad, Dismiss, Spare, Regroup int

	// The same of those of foreign clients: pieces of the info dictionary (BEP 9), and who else is
	// there (BEP 11).
	Metadata, Peers int
}

// NewTerms are those of a peer that says nothing about them.
func NewTerms(fast bool) Terms { return Terms{Fast: fast, Reqq: 250} }

// Take takes in what the peer says of its end, for content of parts of a size.
func (t *Terms) Take(ext proto.ExtHandshake, partSize int64) {
	t.later(ext)
	t.DontHave, t.Bad = ext.Messages[proto.ExtDontHave], ext.Messages[proto.ExtBad]
	t.Dismiss, t.Spare = ext.Messages[proto.ExtDismiss], ext.Messages[proto.ExtSpare]
	t.Regroup = ext.Messages[proto.ExtRegroup]
	t.MaxRun = uint32(min(ext.MaxRequest, swarm.RunSize))
	if t.MaxRun < swarm.RunSize && int64(t.MaxRun) < partSize {
		t.MaxRun = 0
	}
}

// later takes in what the peer says when the link is up: the rest is agreed on before, or not at
// all.
func (t *Terms) later(ext proto.ExtHandshake) {
	if ext.Reqq > 0 {
		t.Reqq = ext.Reqq
	}
	if id, ok := ext.Messages[proto.ExtMetadata]; ok {
		t.Metadata = id
	}
	if id, ok := ext.Messages[proto.ExtPeers]; ok {
		t.Peers = id
	}
}
