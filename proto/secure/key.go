// Package secure keeps a private swarm private: its key, what is derived from it, and TLS between
// those who have it. docs/security.md says what it protects from.
//
// Whoever holds the key is of the swarm; there is no other authority and no names. The key itself
// is never sent. A client's first message proves by a code for one use that it has the key
// (hail.go), so that a server says nothing to a stranger and knows which of its keys is meant. Then
// both show certificates that only holders of the key can make, for keys of their own that they
// made for this run (identity.go). What follows is TLS 1.3: nobody who gets the key later can read
// it. The handshake is crypto/tls's, and the records that follow it are sealed and opened here
// (record.go).
//
// The package opens no connections and no files.
package secure

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	secretSize = 32
	checkSize  = 4 // bytes of a checksum at the end of a key's text

	// TextSize is how long the text of a key is.
	TextSize = (secretSize + checkSize) / 3 * 4

	// salt keeps what is derived here apart from what anybody else derives, and a later way of
	// deriving apart from this one.
	salt = "orchestra private swarm 1"
)

// A Key is the secret of a private swarm. It prints as what tells it apart, never as itself.
type Key struct {
	secret [secretSize]byte

	id     [16]byte           // tells it apart
	hail   []byte             // authenticates a client's first message
	signer ed25519.PrivateKey // signs certificates
	peer   []byte             // makes peer ids of certificates' keys
	path   []byte             // makes names of what is published
}

// NewKey makes a key up.
func NewKey() (*Key, error) {
	var secret [secretSize]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("a key: no randomness: %w", err)
	}
	return derive(secret)
}

// derive makes all that is made of a secret. Each is derived for its own purpose, so that none
// tells anything of another.
func derive(secret [secretSize]byte) (*Key, error) {
	prk, err := hkdf.Extract(sha256.New, secret[:], []byte(salt))
	if err != nil {
		return nil, err
	}
	k := &Key{secret: secret}
	var seed []byte
	for _, d := range []struct {
		to   *[]byte
		what string
	}{{&k.hail, "hail"}, {&seed, "certificates"}, {&k.peer, "peer ids"}, {&k.path, "paths"}} {
		if *d.to, err = hkdf.Expand(sha256.New, prk, d.what, sha256.Size); err != nil {
			return nil, err
		}
	}
	id, err := hkdf.Expand(sha256.New, prk, "key id", len(k.id))
	if err != nil {
		return nil, err
	}
	copy(k.id[:], id)
	k.signer = ed25519.NewKeyFromSeed(seed)
	return k, nil
}

// ID tells the key apart from others, in hex digits. It tells nothing else of it.
func (k *Key) ID() string { return hex.EncodeToString(k.id[:]) }

// Is reports whether both are the same key; nil is none.
func (k *Key) Is(other *Key) bool {
	if k == nil || other == nil {
		return k == other
	}
	return subtle.ConstantTimeCompare(k.secret[:], other.secret[:]) == 1
}

// String is what may be shown.
func (k *Key) String() string { return "key " + k.ID() }

// Format writes what may be shown, whatever the verb.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// Text is the key itself, for the file or the URL that carries it: letters, digits, - and _.
func (k *Key) Text() string {
	b := append(k.secret[:len(k.secret):len(k.secret)], check(k.secret)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func check(secret [secretSize]byte) []byte {
	sum := sha256.Sum256(append([]byte(salt+" text"), secret[:]...))
	return sum[:checkSize]
}

var errMistyped = errors.New("it is no key: its checksum is wrong, so something in it was changed or mistyped")

// ParseKey reads the text of a key, with blanks around it or not. The error does not repeat it.
func ParseKey(text string) (*Key, error) {
	text = strings.TrimSpace(text)
	if len(text) != TextSize {
		return nil, fmt.Errorf("it is no key: a key has %d characters, and this has %d", TextSize, len(text))
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which the decoder skips
		return nil, errors.New("it is no key: a key has letters, digits, - and _ alone")
	}
	secret := [secretSize]byte(b)
	if subtle.ConstantTimeCompare(b[secretSize:], check(secret)) == 0 {
		return nil, errMistyped
	}
	return derive(secret)
}
