package mse

import (
	"crypto/rand"
	"crypto/rc4"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
)

// An Agreed is what comes of a handshake.
type Agreed struct {
	InfoHash [20]byte
	Method   Method // Plain or RC4
	Initial  []byte // what the opener said within the handshake, for the acceptor

	in, out *rc4.Cipher
}

// Open opens an encrypted connection to somebody who shares a torrent. The
// methods are those that the far end may select from; what is initial is said
// within the handshake. Not a byte beyond the handshake is read. How long it
// may take is the caller's to bound. The error is io.EOF if the connection
// ended before the far end said anything, and [ErrAgain] for one of 256: the
// caller opens another connection then.
func Open(conn io.ReadWriter, infoHash [20]byte, offered Method, initial []byte) (*Agreed, error) {
	return open(conn, infoHash, offered, initial, rand.Reader)
}

func open(
	conn io.ReadWriter, infoHash [20]byte, offered Method, initial []byte, random io.Reader,
) (*Agreed, error) {
	if len(initial) > maxInitial {
		return nil, fmt.Errorf("%d bytes are too many within a handshake", len(initial))
	}
	key, err := newPrivateKey(random)
	if err != nil {
		return nil, err
	}
	if err := sayPublic(conn, key, random); err != nil {
		return nil, err
	}
	var public [keySize]byte
	if _, err := io.ReadFull(conn, public[:]); err != nil {
		return nil, err
	}
	secret, err := key.secret(public[:])
	if err != nil {
		return nil, err
	}
	if isShort(secret) {
		return nil, ErrAgain
	}
	a := &Agreed{InfoHash: infoHash}
	a.in, a.out = ciphers(secret, infoHash, "keyB", "keyA")

	req1, req3, name := hash("req1", secret), hash("req3", secret), Name(infoHash)
	said := append(make([]byte, 0, 128+len(initial)), req1[:]...)
	said = append(said, name[:]...)
	subtle.XORBytes(said[len(req1):], said[len(req1):], req3[:])
	hidden := len(said)
	said = append(said, make([]byte, 8)...) // VC
	said = binary.BigEndian.AppendUint32(said, uint32(offered))
	said = binary.BigEndian.AppendUint16(said, 0) // PadC
	said = binary.BigEndian.AppendUint16(said, uint16(len(initial)))
	said = append(said, initial...)
	a.out.XORKeyStream(said[hidden:], said[hidden:])
	if _, err := conn.Write(said); err != nil {
		return nil, err
	}

	var mark [8]byte // VC, as the far end enciphers it
	a.in.XORKeyStream(mark[:], mark[:])
	if err := readPast(conn, mark[:]); err != nil {
		return nil, err
	}
	var head [6]byte
	if err := a.read(conn, head[:]); err != nil {
		return nil, err
	}
	a.Method = Method(binary.BigEndian.Uint32(head[:]))
	if a.Method&offered == 0 || (a.Method != Plain && a.Method != RC4) {
		return nil, fmt.Errorf("%w: it selects %v of %v", ErrNoMethod, a.Method, offered)
	}
	return a, a.passPad(conn, binary.BigEndian.Uint16(head[4:]))
}

// Answer answers who opened an encrypted connection. It selects plain if both
// ends take that, since nobody is then kept from sending files as they are, and
// RC4 otherwise. find returns the info-hash that goes by a [Name], if it is
// known here. Else it is as with Open.
func Answer(
	conn io.ReadWriter, accepted Method, find func(name [20]byte) (infoHash [20]byte, ok bool),
) (*Agreed, error) {
	return answer(conn, accepted, find, rand.Reader)
}

func answer(
	conn io.ReadWriter, accepted Method, find func(name [20]byte) ([20]byte, bool), random io.Reader,
) (*Agreed, error) {
	var public [keySize]byte
	if _, err := io.ReadFull(conn, public[:]); err != nil {
		return nil, err
	}
	key, secret, err := answerTo(public[:], random)
	if err != nil {
		return nil, err
	}
	if err := sayPublic(conn, key, random); err != nil {
		return nil, err
	}
	req1, req3 := hash("req1", secret), hash("req3", secret)
	if err := readPast(conn, req1[:]); err != nil {
		return nil, err
	}
	var name [20]byte
	if err := readFull(conn, name[:]); err != nil {
		return nil, err
	}
	subtle.XORBytes(name[:], name[:], req3[:])
	infoHash, ok := find(name)
	if !ok {
		return nil, ErrUnknown
	}
	a := &Agreed{InfoHash: infoHash}
	a.in, a.out = ciphers(secret, infoHash, "keyA", "keyB")

	var head [14]byte // VC, provide, len PadC
	if err := a.read(conn, head[:]); err != nil {
		return nil, err
	}
	if [8]byte(head[:]) != [8]byte{} {
		return nil, fmt.Errorf("%w: it has another key", ErrNotEncrypted)
	}
	offered := Method(binary.BigEndian.Uint32(head[8:]))
	switch both := offered & accepted; {
	case both&Plain != 0:
		a.Method = Plain
	case both&RC4 != 0:
		a.Method = RC4
	default:
		return nil, fmt.Errorf("%w: it provides %v", ErrNoMethod, offered)
	}
	if err := a.passPad(conn, binary.BigEndian.Uint16(head[12:])); err != nil {
		return nil, err
	}
	var size [2]byte
	if err := a.read(conn, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(size[:])
	if n > maxInitial {
		return nil, fmt.Errorf("%w: it says %d bytes within it", ErrNotEncrypted, n)
	}
	a.Initial = make([]byte, n)
	if err := a.read(conn, a.Initial); err != nil {
		return nil, err
	}
	said := make([]byte, 8, 14) // VC
	said = binary.BigEndian.AppendUint32(said, uint32(a.Method))
	said = binary.BigEndian.AppendUint16(said, 0) // PadD
	a.out.XORKeyStream(said, said)
	_, err = conn.Write(said)
	return a, err
}

// sayPublic says a public key and a pad.
func sayPublic(w io.Writer, key privateKey, random io.Reader) error {
	pad, err := newPad(random)
	if err != nil {
		return err
	}
	_, err = w.Write(append(key.public(), pad...))
	return err
}

// read reads what is enciphered.
func (a *Agreed) read(r io.Reader, p []byte) error {
	if err := readFull(r, p); err != nil {
		return err
	}
	a.in.XORKeyStream(p, p)
	return nil
}

// passPad passes over a pad that is enciphered.
func (a *Agreed) passPad(r io.Reader, n uint16) error {
	if n > maxPad {
		return fmt.Errorf("%w: it has a pad of %d bytes", ErrNotEncrypted, n)
	}
	return a.read(r, make([]byte, n))
}
