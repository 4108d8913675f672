package mse

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
)

// The Diffie-Hellman exchange. A private key is used once, so that it does not
// matter that math/big does not take the same time for each.
const (
	keySize     = 96 // bytes of a public key, and of the secret
	privateSize = 20 // bytes of a private key
)

var (
	prime, _ = new(big.Int).SetString("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1"+
		"29024e088a67cc74020bbea63b139b22514a08798e3404dd"+
		"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245"+
		"e485b576625e7ec6f44c42e9a63a36210000000000090563", 16)
	generator = big.NewInt(2)
	largest   = new(big.Int).Sub(prime, big.NewInt(2)) // that tells anything
)

type privateKey struct{ x *big.Int }

func newPrivateKey(random io.Reader) (privateKey, error) {
	var b [privateSize]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return privateKey{}, fmt.Errorf("no randomness: %w", err)
	}
	return privateKey{new(big.Int).SetBytes(b[:])}, nil
}

// public returns the public key.
func (k privateKey) public() []byte {
	return new(big.Int).Exp(generator, k.x, prime).FillBytes(make([]byte, keySize))
}

// secret returns what this end and the far one have in common. A public key of
// which everybody knows what comes out is refused.
func (k privateKey) secret(public []byte) ([]byte, error) {
	y := new(big.Int).SetBytes(public)
	if y.Cmp(generator) < 0 || y.Cmp(largest) > 0 {
		return nil, fmt.Errorf("%w: it has a public key that is none", ErrNotEncrypted)
	}
	return y.Exp(y, k.x, prime).FillBytes(make([]byte, keySize)), nil
}

// answerTo returns a private key for who has said a public one, and their
// secret, which is not short.
func answerTo(public []byte, random io.Reader) (key privateKey, secret []byte, err error) {
	for secret == nil || isShort(secret) {
		if key, err = newPrivateKey(random); err != nil {
			return key, nil, err
		}
		if secret, err = key.secret(public); err != nil {
			return key, nil, err
		}
	}
	return key, secret, nil
}

// isShort reports whether a secret begins with a zero. Most clients take all of
// its bytes, and some (rtorrent) none of the zeros that it begins with, so that
// two ends do not understand each other with one of 256 secrets. Nothing that
// comes before tells which of the two somebody does.
func isShort(secret []byte) bool { return secret[0] == 0 }

// newPad returns random bytes of a random length.
func newPad(random io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(random, size[:]); err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	pad := make([]byte, binary.BigEndian.Uint16(size[:])%(maxPad+1))
	if _, err := io.ReadFull(random, pad); err != nil {
		return nil, fmt.Errorf("no randomness: %w", err)
	}
	return pad, nil
}

// readPast reads up to the end of a mark that comes after a pad, and not a byte
// beyond it.
func readPast(r io.Reader, mark []byte) error {
	seen := make([]byte, len(mark)) // the last bytes that were read
	for read, need := 0, len(mark); ; {
		if read+need > maxPad+len(mark) {
			return fmt.Errorf("%w: its pad does not end", ErrNotEncrypted)
		}
		copy(seen, seen[need:])
		if err := readFull(r, seen[len(seen)-need:]); err != nil {
			return err
		}
		read += need
		if need = missing(seen, mark); need == 0 {
			return nil
		}
	}
}

// missing returns how many bytes must come at least until those that were seen
// last may be the mark.
func missing(seen, mark []byte) int {
	for n := range mark {
		if string(seen[n:]) == string(mark[:len(mark)-n]) {
			return n
		}
	}
	return len(mark)
}

// readFull fills p. That the connection ended is the clean end nowhere in the
// handshake but before its first byte, which the caller reads.
func readFull(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
