package secure

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
)

// A hail is what a client's first message carries in the place of the name of a protocol (ALPN): a
// number for one use, and its authentication code. Who has no key can neither make one nor tell
// whether two are of one swarm. A server answers nobody whose hail it does not know; that costs it
// one code for each key.
const (
	nonceSize = 16
	hailSize  = nonceSize + 16
)

func (k *Key) newHail() (string, error) {
	b := make([]byte, nonceSize, hailSize)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return string(append(b, k.code(b)...)), nil
}

func (k *Key) code(nonce []byte) []byte {
	mac := hmac.New(sha256.New, k.hail)
	mac.Write(nonce)
	return mac.Sum(nil)[:hailSize-nonceSize]
}

// hailed reports whether a client's protocols are a hail made with the key.
func (k *Key) hailed(protocols []string) bool {
	if len(protocols) != 1 || len(protocols[0]) != hailSize {
		return false
	}
	b := []byte(protocols[0])
	return hmac.Equal(b[nonceSize:], k.code(b[:nonceSize]))
}
