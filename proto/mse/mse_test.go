package mse

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

// An end is one end of a connection that holds what was said until it is read.
type end struct{ in, out *held }

func (e end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e end) Write(p []byte) (int, error) { return e.out.write(p) }
func (e end) Close()                      { e.in.close(); e.out.close() }

func connected() (end, end) {
	a, b := newHeld(), newHeld()
	return end{a, b}, end{b, a}
}

type held struct {
	mu     sync.Mutex
	more   *sync.Cond
	buf    bytes.Buffer
	closed bool
}

func newHeld() *held {
	h := new(held)
	h.more = sync.NewCond(&h.mu)
	return h
}

func (h *held) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.buf.Len() == 0 && !h.closed {
		h.more.Wait()
	}
	return h.buf.Read(p)
}

func (h *held) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, io.ErrClosedPipe
	}
	h.more.Broadcast()
	return h.buf.Write(p)
}

func (h *held) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.more.Broadcast()
}

var content = [20]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}

// knows finds the info-hashes that it is given.
func knows(all ...[20]byte) func([20]byte) ([20]byte, bool) {
	return func(name [20]byte) ([20]byte, bool) {
		for _, h := range all {
			if Name(h) == name {
				return h, true
			}
		}
		return [20]byte{}, false
	}
}

func TestPrime(t *testing.T) {
	if prime.BitLen() != 8*keySize || !prime.ProbablyPrime(20) {
		t.Error("it is none")
	}
}

func TestMethods(t *testing.T) {
	const both = Plain | RC4
	for _, test := range []struct {
		offered, accepted, want Method // 0: they do not agree
	}{
		{Plain, Plain, Plain},
		{RC4, RC4, RC4},
		{both, both, Plain},
		{both, RC4, RC4},
		{both, Plain, Plain},
		{RC4, both, RC4},
		{Plain, both, Plain},
		{both | 0x40, both, Plain},
		{Plain, RC4, 0},
		{RC4, Plain, 0},
		{0, both, 0},
		{0x40, both, 0},
	} {
		here, there := connected()
		initial := strings.Repeat("initial", 20)
		type outcome struct {
			a   *Agreed
			err error
		}
		answered := make(chan outcome)
		go func() {
			a, err := Answer(there, test.accepted, knows([20]byte{1}, content, [20]byte{2}))
			if err != nil {
				there.Close()
			}
			answered <- outcome{a, err}
		}()
		opened, err := Open(here, content, test.offered, []byte(initial))
		acceptor := <-answered
		if test.want == 0 {
			if err == nil || !errors.Is(acceptor.err, ErrNoMethod) {
				t.Errorf("%v and %v: %v and %v", test.offered, test.accepted, err, acceptor.err)
			}
			continue
		}
		if err != nil || acceptor.err != nil {
			t.Fatalf("%v and %v: %v and %v", test.offered, test.accepted, err, acceptor.err)
		}
		a := acceptor.a
		if a.Method != test.want || opened.Method != test.want {
			t.Errorf("%v and %v agree on %v and %v, want %v",
				test.offered, test.accepted, opened.Method, a.Method, test.want)
		}
		if a.InfoHash != content || string(a.Initial) != initial {
			t.Errorf("%x was meant, with %q", a.InfoHash, a.Initial)
		}
		for _, way := range []struct {
			from, to *Agreed
			w, r     end
		}{{opened, a, here, there}, {a, opened, there, here}} {
			// more than is enciphered at a time
			said := bytes.Repeat([]byte("what is said then"), 5000)
			kept := bytes.Clone(said)
			if n, err := way.from.Writer(way.w).Write(said); n != len(said) || err != nil {
				t.Fatal(n, err)
			}
			if !bytes.Equal(said, kept) {
				t.Error("what is written is changed")
			}
			wire := bytes.Clone(way.w.out.buf.Bytes())
			if plain := bytes.Contains(wire, []byte("what is said")); plain != (test.want == Plain) {
				t.Errorf("%v: plain on the wire: %v", test.want, plain)
			}
			heard := make([]byte, len(said))
			if _, err := io.ReadFull(way.to.Reader(way.r), heard); err != nil || !bytes.Equal(heard, said) {
				t.Errorf("%v: something else is heard, %v", test.want, err)
			}
		}
	}
}

// What an implementation in another language says with the same keys.
const (
	goldenYa = "96e112dab29e8c5272accb9b17b26887ce54a144a4e3b697c7d159b7a817e556" +
		"b0918db2b4c658e02a87f7e5fb14b18a553e084cbf3dad2d30f16596ccb982d4" +
		"06258c61b30c5c1dae2ddc60bdbd48d79896312aad63238c39e1a633821eb693"
	goldenYb = "d32ae8cedd0de9ca4fe67e35626bb8c7cdb0966727d899f6a62fdb2b68817f9d" +
		"dc4b684e3eb34030b8dba4e028b7cff3264020340cb4eab61923cdc4e4216ba8" +
		"73368d83f0a38e497f1f6b4e3d2012eb91a3ee6056f966f9eae732089b6fa46e"
	goldenProvide = "78fffb0f23055a793ff7609f359e04e383ec35057866a7ec9280fa9770074e99" +
		"efb2c91fe6600eb780f1f31783ba99b2dde8fdfbcfb0cbde5b9c1e32caea2085" +
		"60a3ea886576250d33ca5025"
	goldenSelect   = "6a36fe9f24b4fd18c8114089a330"
	goldenOpener   = "a1c91e18f09ecaea83181d2b8232a3852e25690b65"
	goldenAcceptor = "0a322651dad5480185a87bc787d43c33ee71f8ca067584"
)

// randomness is a private key of 20 numbers from the first one on, and a pad.
func randomness(first byte, pad []byte) io.Reader {
	var b []byte
	for i := range byte(privateSize) {
		b = append(b, first+i)
	}
	b = append(b, byte(len(pad)>>8), byte(len(pad)))
	return bytes.NewReader(append(b, pad...))
}

func TestGolden(t *testing.T) {
	padA, padB := bytes.Repeat([]byte{0xaa}, 3), bytes.Repeat([]byte{0xbb}, 300)
	decoded := func(s string) string {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	said := func(e end) string { return e.out.buf.String() }

	// The opener, to whom the acceptor's words are played.
	here, there := connected()
	io.WriteString(there, decoded(goldenYb)+string(padB)+decoded(goldenSelect)+decoded(goldenAcceptor))
	a, err := open(here, content, Plain|RC4, []byte("\x13BitTorrent protocol"), randomness(1, padA))
	if err != nil || a.Method != RC4 {
		t.Fatal(a, err)
	}
	io.WriteString(a.Writer(here), "hello from the opener")
	opener := decoded(goldenYa) + string(padA) + decoded(goldenProvide) + decoded(goldenOpener)
	if got := said(here); got != opener {
		t.Errorf("the opener says %x,\nwant %x", got, opener)
	}
	if heard, _ := io.ReadAll(io.LimitReader(a.Reader(here), 23)); string(heard) != "hello from the acceptor" {
		t.Errorf("the opener hears %q", heard)
	}

	// And the other way round.
	here, there = connected()
	io.WriteString(there, opener)
	a, err = answer(here, RC4, knows(content), randomness(101, padB))
	if err != nil || string(a.Initial) != "\x13BitTorrent protocol" {
		t.Fatal(a, err)
	}
	io.WriteString(a.Writer(here), "hello from the acceptor")
	acceptor := decoded(goldenYb) + string(padB) + decoded(goldenSelect) + decoded(goldenAcceptor)
	if got := said(here); got != acceptor {
		t.Errorf("the acceptor says %x,\nwant %x", got, acceptor)
	}
	if heard, _ := io.ReadAll(io.LimitReader(a.Reader(here), 21)); string(heard) != "hello from the opener" {
		t.Errorf("the acceptor hears %q", heard)
	}
}

// Who means content that is not here gets no answer to that, and the pads are
// passed whatever their length.
func TestUnknownContent(t *testing.T) {
	here, there := connected()
	failed := make(chan error)
	go func() {
		_, err := Answer(there, Plain|RC4, knows([20]byte{1}))
		there.Close()
		failed <- err
	}()
	if _, err := Open(here, content, RC4, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the opener has %v", err)
	}
	if err := <-failed; err != ErrUnknown {
		t.Errorf("the acceptor has %v", err)
	}
}

// What is no such handshake is read no further than it could be one.
func TestReadPast(t *testing.T) {
	mark := []byte("aabaab12")
	for _, test := range []struct {
		pad string
		err error
	}{
		{"", nil},
		{"a", nil},
		{"aab", nil}, // could begin the mark
		{"aabaaaab", nil},
		{strings.Repeat("aab", 170), nil},
		{strings.Repeat("x", maxPad), nil},
		{strings.Repeat("x", maxPad+1), ErrNotEncrypted},
	} {
		r := strings.NewReader(test.pad + string(mark) + "rest")
		if err := readPast(r, mark); !errors.Is(err, test.err) {
			t.Errorf("after a pad of %d: %v, want %v", len(test.pad), err, test.err)
		} else if rest, _ := io.ReadAll(r); err == nil && string(rest) != "rest" {
			t.Errorf("after a pad of %d %q is left", len(test.pad), rest)
		}
	}
	r := strings.NewReader(strings.Repeat("x", 5000))
	if err := readPast(r, mark); !errors.Is(err, ErrNotEncrypted) || r.Len() < 5000-maxPad-len(mark) {
		t.Errorf("%v, with %d bytes left", err, r.Len())
	}
	if err := readPast(strings.NewReader("aab"), mark); err != io.ErrUnexpectedEOF {
		t.Errorf("a mark that does not come is %v", err)
	}
}

// A public key of which everybody knows the secret is none.
func TestPublicKeys(t *testing.T) {
	key, err := newPrivateKey(randomness(1, nil))
	if err != nil {
		t.Fatal(err)
	}
	of := func(less byte) []byte {
		b := prime.Bytes()
		b[len(b)-1] -= less
		return b
	}
	for _, public := range [][]byte{
		make([]byte, keySize), append(make([]byte, keySize-1), 1), of(0), of(1),
		bytes.Repeat([]byte{0xff}, keySize),
	} {
		if _, err := key.secret(public); !errors.Is(err, ErrNotEncrypted) {
			t.Errorf("%x: %v", public, err)
		}
	}
	for _, public := range [][]byte{append(make([]byte, keySize-1), 2), of(2)} {
		if _, err := key.secret(public); err != nil {
			t.Errorf("%x: %v", public, err)
		}
	}
}

// keyFor returns the randomness of a private key whose secret with a public key
// is short, or is not.
func keyFor(t *testing.T, public []byte, short bool) []byte {
	t.Helper()
	for n := range 1 << 16 {
		random := sha1.Sum([]byte{byte(n), byte(n >> 8)})
		key, err := newPrivateKey(bytes.NewReader(random[:]))
		if err != nil {
			t.Fatal(err)
		}
		secret, err := key.secret(public)
		if err != nil {
			t.Fatal(err)
		}
		if isShort(secret) == short {
			return random[:]
		}
	}
	t.Fatal("there is none")
	return nil
}

// Clients hash a secret that begins with a zero in two ways, so none is used: the
// acceptor takes another key, and the opener another connection.
func TestShortSecrets(t *testing.T) {
	opener, err := newPrivateKey(randomness(1, nil))
	if err != nil {
		t.Fatal(err)
	}
	short, long := keyFor(t, opener.public(), true), keyFor(t, opener.public(), false)
	publicOf := func(random []byte) []byte {
		key, err := newPrivateKey(bytes.NewReader(random))
		if err != nil {
			t.Fatal(err)
		}
		return key.public()
	}

	here, there := connected()
	there.Write(opener.public())
	there.Write(make([]byte, maxPad+20)) // so that it ends
	random := bytes.NewReader(slices.Concat(short, long, []byte{0, 0}))
	if _, err := answer(here, RC4, knows(content), random); !errors.Is(err, ErrNotEncrypted) {
		t.Errorf("the acceptor has %v", err)
	}
	if said := here.out.buf.Bytes(); !bytes.Equal(said, publicOf(long)) {
		t.Errorf("it says %x, want its second key", said)
	}

	here, there = connected()
	there.Write(publicOf(short))
	if _, err := open(here, content, RC4, nil, randomness(1, nil)); !errors.Is(err, ErrAgain) {
		t.Errorf("the opener has %v", err)
	}
	if said := here.out.buf.Bytes(); !bytes.Equal(said, opener.public()) {
		t.Errorf("it says %d bytes, not its key alone", len(said))
	}
}

// script plays what a stranger says, and hears nothing.
type script struct{ io.Reader }

func (script) Write(p []byte) (int, error) { return len(p), nil }

// corrupted returns an opener's words for the acceptor with key 101, changed
// under the cipher.
func corrupted(at int, by ...byte) []byte {
	words, _ := hex.DecodeString(goldenYa + goldenProvide)
	for i, b := range by {
		words[keySize+40+at+i] ^= b
	}
	return words
}

// Lengths within the handshake are checked before anything is read for them.
func TestLengths(t *testing.T) {
	for name, test := range map[string]struct {
		at   int
		by   []byte
		want error
	}{
		"as it should be": {0, nil, nil},
		"another VC":      {0, []byte{1}, ErrNotEncrypted},
		"no method":       {8, []byte{0, 0, 0, 3}, ErrNoMethod},
		"a long pad":      {12, []byte{2, 1}, ErrNotEncrypted},
		"much initial":    {14, []byte{0x10, 20 ^ 1}, ErrNotEncrypted},
		"a pad to come":   {12, []byte{2, 0}, io.ErrUnexpectedEOF},
		"more to come":    {14, []byte{0, 20 ^ 21}, io.ErrUnexpectedEOF},
	} {
		conn := script{bytes.NewReader(corrupted(test.at, test.by...))}
		_, err := answer(conn, RC4, knows(content), randomness(101, nil))
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, err := Open(script{}, content, RC4, make([]byte, maxInitial+1)); err == nil {
		t.Error("more is said within the handshake than is heard")
	}
}

// A stranger may say anything: what it says after a key is changed here, so that
// the words within are reached.
func FuzzAnswer(f *testing.F) {
	f.Add(corrupted(0), []byte{})
	f.Add([]byte("\x13BitTorrent protocol"), []byte{0, 0, 1})
	f.Add(corrupted(0), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2})
	f.Add(corrupted(0), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, words, by []byte) {
		words = bytes.Clone(words)
		for i, b := range by {
			if at := keySize + 40 + i; at < len(words) {
				words[at] ^= b
			}
		}
		r := bytes.NewReader(words)
		a, err := answer(script{r}, Plain|RC4, knows(content), randomness(101, nil))
		most := keySize + maxPad + 20 + 20 + 14 + maxPad + 2 + maxInitial
		if read := len(words) - r.Len(); read > most {
			t.Fatalf("%d bytes are read", read)
		}
		if err == nil && (a.InfoHash != content || (a.Method != Plain && a.Method != RC4)) {
			t.Fatalf("%+v", a)
		}
	})
}

// And so may who answers.
func FuzzOpen(f *testing.F) {
	key, _ := hex.DecodeString(goldenYb)
	words, _ := hex.DecodeString(goldenSelect)
	f.Add(append(key, words...))
	f.Fuzz(func(t *testing.T, words []byte) {
		r := bytes.NewReader(words)
		a, err := open(script{r}, content, Plain|RC4, nil, randomness(1, nil))
		if read := len(words) - r.Len(); read > keySize+maxPad+8+6+maxPad {
			t.Fatalf("%d bytes are read", read)
		}
		if err == nil && a.Method != Plain && a.Method != RC4 {
			t.Fatalf("%+v", a)
		}
	})
}

func BenchmarkHandshake(b *testing.B) {
	for b.Loop() {
		conn := script{bytes.NewReader(corrupted(0))}
		if _, err := answer(conn, RC4, knows(content), randomness(101, nil)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCipher(b *testing.B) {
	c := newCipher(make([]byte, keySize), content, "keyA")
	p := make([]byte, step)
	b.SetBytes(step)
	for b.Loop() {
		c.XORKeyStream(p, p)
	}
}
