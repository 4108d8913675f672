package orch

import (
	"crypto/sha1"
	"crypto/sha256"
	"hash"
)

// Hash is the hash of a composition's checksums. The zero value is SHA1, which
// is BitTorrent's as well.
type Hash uint8

// The hashes that an .orch file can have.
const (
	SHA1 Hash = iota
	SHA256
)

// New starts a checksum.
func (h Hash) New() hash.Hash {
	if h == SHA256 {
		return sha256.New()
	}
	return sha1.New()
}

// Size is the length of a checksum in bytes: 20 or 32.
func (h Hash) Size() int {
	if h == SHA256 {
		return sha256.Size
	}
	return sha1.Size
}

// String is "sha1" or "sha256".
func (h Hash) String() string {
	if h == SHA256 {
		return "sha256"
	}
	return "sha1"
}

// Sum is the checksum of p.
func (h Hash) Sum(p []byte) []byte { return h.AppendSum(nil, p) }

// AppendSum appends the checksum of p to b. It takes no memory if b has room.
func (h Hash) AppendSum(b, p []byte) []byte {
	if h == SHA256 {
		sum := sha256.Sum256(p)
		return append(b, sum[:]...)
	}
	sum := sha1.Sum(p)
	return append(b, sum[:]...)
}

// SumOfZeros is the checksum of n zero bytes.
func (h Hash) SumOfZeros(n int64) []byte {
	var zeros [64 << 10]byte
	sum := h.New()
	for ; n > 0; n -= int64(len(zeros)) {
		sum.Write(zeros[:min(n, int64(len(zeros)))])
	}
	return sum.Sum(nil)
}
