// Package mse is the handshake by which BitTorrent clients hide what they
// speak (message stream encryption, also called protocol encryption), and the
// cipher after it. It runs before the handshake of BEP 3:
//
//	opener                                        acceptor
//	Ya, PadA ────────────────────────────────────>
//	                <──────────────────────────── Yb, PadB
//	H('req1', S), H('req2', SKEY) ^ H('req3', S),
//	E(VC, provide, len PadC, PadC, len IA), E(IA) >
//	                <──────────────────────────── E(VC, select, len PadD, PadD)
//
// Ya and Yb are 96 bytes of a Diffie-Hellman exchange, S is its secret, SKEY
// the info-hash, H is SHA-1, VC eight zero bytes, and E is RC4 with a key of S
// and SKEY for each direction. IA is the first that the opener has to say. What
// follows is as the acceptor selects of what the opener provides: under the same
// RC4, or plain. See https://wiki.vuze.com/w/Message_Stream_Encryption.
//
// It hides the protocol from those who look at the wire for its words. It does
// not protect: neither end proves who it is, whoever sits between them can be
// both, who knows the info-hash can speak, and RC4 and a prime of 768 bits are
// weak.
package mse

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"strings"
)

// A Method is how what follows the handshake travels. Those that an end offers
// are a set.
type Method uint32

// The methods that there are.
const (
	Plain Method = 1 << iota // as it is
	RC4                      // under the cipher of the handshake
)

// String names the methods of a set.
func (m Method) String() string {
	var names []string
	if m&Plain != 0 {
		names = append(names, "plain")
	}
	if m&RC4 != 0 {
		names = append(names, "RC4")
	}
	if other := m &^ (Plain | RC4); other != 0 || m == 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(other)))
	}
	return strings.Join(names, " or ")
}

const (
	// maxPad is how long each of the pads may be.
	maxPad = 512
	// maxInitial is how much the opener may say within the handshake. Clients
	// say their handshake of 68 bytes there, and few say more.
	maxInitial = 4 << 10
)

var (
	// ErrNotEncrypted is the error for a connection that does not go on as the
	// handshake does.
	ErrNotEncrypted = errors.New("not an encrypted handshake")
	// ErrUnknown is the error for an opener that has an info-hash in mind that
	// the acceptor does not know.
	ErrUnknown = errors.New("it means content that is not here")
	// ErrNoMethod is the error for two ends that have no method in common.
	ErrNoMethod = errors.New("the ends have no method in common")
	// ErrAgain is the error for an opener that has got a secret with the far end
	// of which clients do not make the same. Another connection has another one.
	ErrAgain = errors.New("its secret begins with a zero, which clients take in two ways")
)

// Name is what stands for an info-hash in the handshake: an acceptor finds by
// it which one the opener means.
func Name(infoHash [20]byte) [20]byte { return hash("req2", infoHash[:]) }

func hash(word string, parts ...[]byte) (sum [20]byte) {
	h := sha1.New()
	h.Write([]byte(word))
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}
