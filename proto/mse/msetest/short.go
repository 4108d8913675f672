// Package msetest has for tests what the far end of an encrypted handshake does
// seldom.
package msetest

import (
	"io"
	"math/big"
)

// keySize is how long public keys and secrets are.
const keySize = 96

var prime, _ = new(big.Int).SetString("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1"+
	"29024e088a67cc74020bbea63b139b22514a08798e3404dd"+
	"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245"+
	"e485b576625e7ec6f44c42e9a63a36210000000000090563", 16)

// AnswerShort hears the key of who opens a connection and answers with one with
// which their secret begins with a zero, as one of 256 does.
func AnswerShort(conn io.ReadWriter) error {
	var public [keySize]byte
	if _, err := io.ReadFull(conn, public[:]); err != nil {
		return err
	}
	opener := new(big.Int).SetBytes(public[:])
	for x := big.NewInt(1 << 10); ; x.Add(x, big.NewInt(1)) {
		secret := new(big.Int).Exp(opener, x, prime)
		if secret.BitLen() > 8*(keySize-1) {
			continue
		}
		answer := new(big.Int).Exp(big.NewInt(2), x, prime)
		_, err := conn.Write(answer.FillBytes(public[:]))
		return err
	}
}
