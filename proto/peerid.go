package proto

import (
	"fmt"
	"io"
	"strings"
)

// PeerID names one run of a program in a swarm.
type PeerID [20]byte

// peerIDPrefix says program and version in the form that most BitTorrent
// clients use (BEP 20).
const peerIDPrefix = "-OR0100-"

// peerIDAlphabet has 64 characters, so that each takes six random bits.
const peerIDAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"

// NewPeerID returns an id with this program's prefix and 72 bits from random.
func NewPeerID(random io.Reader) (PeerID, error) {
	var p PeerID
	n := copy(p[:], peerIDPrefix)
	if _, err := io.ReadFull(random, p[n:]); err != nil {
		return PeerID{}, fmt.Errorf("peer id: no randomness: %w", err)
	}
	for i, c := range p[n:] {
		p[n+i] = peerIDAlphabet[c%64]
	}
	return p, nil
}

// String returns the id as trackers write it: letters, digits and -._~ as they
// are, every other byte as %XX. It is safe to show.
func (p PeerID) String() string {
	const hex = "0123456789ABCDEF"
	s := make([]byte, 0, 3*len(p))
	for _, c := range p {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z',
			c == '-', c == '.', c == '_', c == '~':
			s = append(s, c)
		default:
			s = append(s, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(s)
}

// Stable reports whether the id is the same on every connection of its member, and may so be
// checked: whether it is one of NewPeerID. Some programs (libtorrent) tell a tracker one id and use
// others on their connections.
func (p PeerID) Stable() bool { return strings.HasPrefix(string(p[:]), peerIDPrefix[:3]) }
