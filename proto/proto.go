// Package proto is the wire: the handshakes, frames and messages that members
// exchange with each other and with the conductor, as types that encode
// themselves and are decoded from what came in. docs/protocol.md specifies it.
//
// Members speak BitTorrent among themselves: BEP 3, the messages of BEP 6 and
// the extension handshake of BEP 10. The connection to a conductor has the same
// framing and messages of its own.
//
// The package works on io.Reader and []byte. It opens no connection, starts no
// goroutine, knows no clock and decides nothing. What it decodes came from a
// stranger: a length is checked before memory is taken for it, and bytes left
// over in a frame are an error. Whether a number makes sense for a composition
// (a part that it does not have, a range beyond a part) is for the caller, who
// knows the composition; End and CheckBits help.
package proto

import (
	"errors"
	"fmt"
	"time"
)

// Times that both ends of a connection count on.
const (
	HandshakeTimeout = 10 * time.Second // from the connection to the remote's whole handshake
	// a member sends its conductor something at least this often
	PingInterval = 30 * time.Second
	// a conductor connection on which nothing came for so long is dead
	SilenceTimeout = 75 * time.Second
)

// Sizes of content on the wire, in bytes.
const (
	Block      = 16 << 10  // what a request to a BitTorrent client asks for
	MaxBlock   = 128 << 10 // a request of at most so much is answered by one piece message
	MaxPiece   = 256 << 10 // content in one piece message
	MaxRequest = 256 << 20 // content that one request may cover, see ExtHandshake.MaxRequest
)

// How many others a member has connections to, where its user says nothing. The
// conductor hands out members, and weighs what they say, by these numbers.
const (
	Dials      = 8   // that it opens, more if it has few for long
	MeshPeers  = 20  // that it keeps
	ChainPeers = 100 // that it keeps while members pass on in a chain
)

// ErrMalformed is in the chain of every error that says that the remote broke
// the protocol; errors without it are the connection's own.
var ErrMalformed = errors.New("malformed message")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

// badLength is the error for a frame of a fixed-size message.
func badLength(id byte, length, want int) error {
	return malformed("message %d in a frame of %d bytes, expected %d", id, length, want)
}

func frameTooLong(length uint32, limit int) error {
	return malformed("a frame of %d bytes, at most %d are taken", length, limit)
}
