package proto

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// Both connections begin with a handshake from each end, the dialling one
// first:
//
//	bytes  field
//	1      length of the protocol's name: 19 or 9
//	19, 9  the name: "BitTorrent protocol" between members (BEP 3),
//	       "orchestra" between a member and its conductor
//	8      reserved bits; what is not known is ignored
//	20     ID of the composition: the info-hash
//	20     peer id of the sender
//
// Reserved bits, the highest of the first byte counted as 0: bit 43 is the
// extension protocol (BEP 10), bit 61 the fast extension (BEP 6); to and from a
// conductor bit 63 says that the sender knows names, see Named.
const (
	BitTorrent = "BitTorrent protocol"
	Orchestra  = "orchestra"
)

const (
	extendedByte, extendedBit = 5, 0x10
	fastByte, fastBit         = 7, 0x04
	namesByte, namesBit       = 7, 0x01
	titlesByte, titlesBit     = 7, 0x02
)

// afterName is the length of what follows the protocol's name.
const afterName = 8 + 20 + 20

// A Handshake is the first thing each end of a connection sends.
type Handshake struct {
	Protocol string   // BitTorrent or Orchestra; at most 255 bytes
	Reserved [8]byte  // extensions that the sender knows
	ID       [20]byte // of the composition
	PeerID   PeerID   // of the sender
}

// ErrNotHandshake is the error for a connection that began with something
// else than an expected handshake.
var ErrNotHandshake = errors.New("not a handshake")

// SetFast says that the sender knows the messages of BEP 6.
func (h *Handshake) SetFast() { h.Reserved[fastByte] |= fastBit }

// Fast reports whether the sender knows the messages of BEP 6.
func (h Handshake) Fast() bool { return h.Reserved[fastByte]&fastBit != 0 }

// SetExtended says that the sender knows the extension protocol of BEP 10.
func (h *Handshake) SetExtended() { h.Reserved[extendedByte] |= extendedBit }

// Extended reports whether the sender knows the extension protocol of BEP 10.
func (h Handshake) Extended() bool { return h.Reserved[extendedByte]&extendedBit != 0 }

// SetNames says that the sender knows Named, Await and Copies: a member's
// Announce is followed by Named, and a conductor counts copies.
func (h *Handshake) SetNames() { h.Reserved[namesByte] |= namesBit }

// Names reports whether the sender knows Named, Await and Copies.
func (h Handshake) Names() bool { return h.Reserved[namesByte]&namesBit != 0 }

// SetTitles says that a member's Named is followed by Titled. It goes with
// SetNames.
func (h *Handshake) SetTitles() { h.Reserved[titlesByte] |= titlesBit }

// Titles reports whether a member's Named is followed by Titled.
func (h Handshake) Titles() bool { return h.Reserved[titlesByte]&titlesBit != 0 }

// Append appends the handshake's encoding to b.
func (h Handshake) Append(b []byte) []byte {
	b = append(b, byte(len(h.Protocol)))
	b = append(b, h.Protocol...)
	b = append(b, h.Reserved[:]...)
	b = append(b, h.ID[:]...)
	return append(b, h.PeerID[:]...)
}

// ReadHandshake reads a handshake of one of the protocols and not a byte
// beyond it. It takes no more than it needs to tell that what comes is none
// of them: ErrNotHandshake comes after one byte if that fits no protocol. The
// error is io.EOF if the connection ended before the first byte, and has
// io.ErrUnexpectedEOF in its chain if it ended later.
func ReadHandshake(r io.Reader, protocols ...string) (Handshake, error) {
	var buf [255 + afterName]byte
	if _, err := io.ReadFull(r, buf[:1]); err != nil {
		return Handshake{}, err
	}
	n := int(buf[0])
	if !slices.ContainsFunc(protocols, func(p string) bool { return len(p) == n }) {
		return Handshake{}, fmt.Errorf("%w: it begins with byte %d", ErrNotHandshake, n)
	}
	if err := readRest(r, buf[:n]); err != nil {
		return Handshake{}, err
	}
	h := Handshake{Protocol: string(buf[:n])}
	if !slices.Contains(protocols, h.Protocol) {
		return Handshake{}, fmt.Errorf("%w: it names the protocol %.40q", ErrNotHandshake, buf[:n])
	}
	rest := buf[:afterName]
	if err := readRest(r, rest); err != nil {
		return Handshake{}, err
	}
	rest = rest[copy(h.Reserved[:], rest):]
	rest = rest[copy(h.ID[:], rest):]
	copy(h.PeerID[:], rest)
	return h, nil
}

// readRest fills p; that the connection ended is never the clean end.
func readRest(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	return nil
}
