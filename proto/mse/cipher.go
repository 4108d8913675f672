package mse

import (
	"crypto/rc4"
	"io"
	"sync"
)

// discarded is how many bytes of each key stream are used for nothing: those at
// the beginning of RC4 tell of the key.
const discarded = 1024

// ciphers returns those of the two directions, by the words of their keys.
func ciphers(secret []byte, infoHash [20]byte, in, out string) (_, _ *rc4.Cipher) {
	return newCipher(secret, infoHash, in), newCipher(secret, infoHash, out)
}

func newCipher(secret []byte, infoHash [20]byte, word string) *rc4.Cipher {
	key := hash(word, secret, infoHash[:])
	c, err := rc4.NewCipher(key[:])
	if err != nil {
		panic(err) // the length of the key is right
	}
	var waste [discarded]byte
	c.XORKeyStream(waste[:], waste[:])
	return c
}

// Reader returns what the far end says after the handshake, of what comes from
// r. It is used by one goroutine at a time.
func (a *Agreed) Reader(r io.Reader) io.Reader {
	if a.Method == Plain {
		return r
	}
	return &decipherer{r, a.in}
}

// Writer returns where to say what follows the handshake, so that it goes to w.
// It is used by one goroutine at a time, and of no use after an error.
func (a *Agreed) Writer(w io.Writer) io.Writer {
	if a.Method == Plain {
		return w
	}
	return &encipherer{w, a.out}
}

type decipherer struct {
	r      io.Reader
	cipher *rc4.Cipher
}

func (d *decipherer) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.cipher.XORKeyStream(p[:n], p[:n])
	return n, err
}

type encipherer struct {
	w      io.Writer
	cipher *rc4.Cipher
}

// step is how much is enciphered at a time.
const step = 16 << 10

var steps = sync.Pool{New: func() any { return new([step]byte) }}

func (e *encipherer) Write(p []byte) (written int, err error) {
	room := steps.Get().(*[step]byte)
	defer steps.Put(room)
	for len(p) > 0 && err == nil {
		n := min(len(p), step)
		e.cipher.XORKeyStream(room[:n], p[:n])
		var took int
		took, err = e.w.Write(room[:n])
		written, p = written+took, p[n:]
	}
	return written, err
}
