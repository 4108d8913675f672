package secure

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// secrets are those that TLS 1.3 agrees on for what follows the handshake. TLS hands them out as
// lines of a log, of which this is the writer: they go no further, and are forgotten once keys are
// made of them.
type secrets struct{ client, server []byte }

// Write takes one line: a label, the client's random bytes and the secret, the latter in hex.
func (s *secrets) Write(line []byte) (int, error) {
	fields := bytes.Fields(line)
	if len(fields) != 3 {
		return 0, errors.New("a secret of TLS comes otherwise than expected")
	}
	var to *[]byte
	switch string(fields[0]) {
	case "CLIENT_TRAFFIC_SECRET_0":
		to = &s.client
	case "SERVER_TRAFFIC_SECRET_0":
		to = &s.server
	default: // of the handshake, or for other uses
		return len(line), nil
	}
	var err error
	*to, err = hex.AppendDecode(nil, fields[2])
	return len(line), err
}

// traffic is what one direction of a connection is sealed with: TLS_AES_128_GCM_SHA256 (RFC 8446,
// 5.2, 5.3 and 7.3).
type traffic struct {
	secret []byte
	aead   cipher.AEAD
	iv     [ivSize]byte
	nonce  [ivSize]byte // of the record at hand
	number uint64       // of the next record
}

const (
	ivSize = 12
	// recordsPerKey is less than the 2^24.5 records that a key is good for (RFC 8446, 5.5).
	recordsPerKey = 1 << 24
)

func newTraffic(secret []byte) (*traffic, error) {
	key, err := expandLabel(secret, "key", 16)
	if err != nil {
		return nil, err
	}
	iv, err := expandLabel(secret, "iv", ivSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &traffic{secret: secret, aead: aead, iv: [ivSize]byte(iv)}, nil
}

// update makes the keys that follow these. They tell nothing of these.
func (t *traffic) update() error {
	secret, err := expandLabel(t.secret, "traffic upd", sha256.Size)
	if err != nil {
		return err
	}
	next, err := newTraffic(secret)
	if err != nil {
		return err
	}
	*t = *next
	return nil
}

// expandLabel is HKDF-Expand-Label with an empty context (RFC 8446, 7.1).
func expandLabel(secret []byte, label string, size int) ([]byte, error) {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(size))
	info = append(info, byte(len(label)))
	info = append(info, label...)
	return hkdf.Expand(sha256.New, secret, string(append(info, 0)), size)
}

// step makes the nonce of the next record.
func (t *traffic) step() []byte {
	t.nonce = t.iv
	number := t.nonce[ivSize-8:]
	binary.BigEndian.PutUint64(number, binary.BigEndian.Uint64(number)^t.number)
	t.number++
	return t.nonce[:]
}

// seal appends a record that holds content of a kind. No more than contentMost bytes fit in one.
func (t *traffic) seal(to []byte, kind byte, content []byte) []byte {
	at := len(to)
	to = append(to, kindContent, 3, 3)
	to = binary.BigEndian.AppendUint16(to, uint16(len(content)+1+tagSize))
	to = append(append(to, content...), kind)
	head, inner := to[at:at+headerSize], to[at+headerSize:]
	return t.aead.Seal(to[:at+headerSize], t.step(), inner, head)
}

// open returns what a whole record holds. It is put where there is room, or if there is none where
// it was.
func (t *traffic) open(room, record []byte) (kind byte, content []byte, wrong *fault) {
	head, sealed := record[:headerSize], record[headerSize:]
	if cap(room) < len(sealed)-tagSize {
		room = sealed[:0]
	}
	inner, err := t.aead.Open(room[:0], t.step(), sealed, head)
	if err != nil {
		return 0, nil, errForged
	}
	inner = bytes.TrimRight(inner, "\x00") // it may be padded
	if len(inner) == 0 {
		return 0, nil, errKind
	}
	return inner[len(inner)-1], inner[:len(inner)-1], nil
}
