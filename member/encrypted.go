package member

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/time/rate"

	"orchestra/member/swarm"
	"orchestra/proto"
	"orchestra/proto/mse"
)

// methods are how a link with a BitTorrent client may travel after an encrypted handshake.
const methods = mse.Plain | mse.RC4

// Encrypted handshakes that strangers begin, for all of which a member computes: so many at once,
// and so many a second. That takes a fiftieth of a core at most.
const (
	encryptedBurst  = 64
	encryptedSecond = 64
)

func newEncryptedLimit() *rate.Limiter { return rate.NewLimiter(encryptedSecond, encryptedBurst) }

// plainBeginning is how the handshake of BEP 3 begins. An encrypted one is longer, too.
const plainBeginning = "\x13" + proto.BitTorrent

// isTLS reports whether a connection begins as TLS does: with a record that holds a client's hello,
// which looks as random as an encrypted handshake does.
func isTLS(head []byte) bool {
	return len(head) > 5 && head[0] == 0x16 && head[1] == 3 && head[2] <= 4 && head[5] == 1
}

// mayBeEncrypted reports whether a connection that begins so may be an encrypted one, which begins
// with a random number. One of a million is taken for text.
func mayBeEncrypted(head []byte) bool {
	return len(head) == len(plainBeginning) && string(head) != plainBeginning && !isTLS(head) &&
		bytes.ContainsFunc(head, func(r rune) bool { return r >= 0x80 })
}

// hear hears the handshake of a connection that somebody opened, which is within an encrypted one if
// that is how it begins.
func (h *Host) hear(ctx context.Context, socket *net.TCPConn) (*stream, proto.Handshake, error) {
	conn := plainStream(socket)
	head := make([]byte, len(plainBeginning))
	n, _ := io.ReadFull(socket, head) // what is wrong is found again
	conn.ahead = head[:n]
	if !mayBeEncrypted(conn.ahead) {
		hs, err := readHello(conn, proto.BitTorrent)
		return conn, hs, err
	}
	if err := h.encrypted.Wait(ctx); err != nil {
		return nil, proto.Handshake{}, err
	}
	agreed, err := mse.Answer(conn, methods, h.named)
	switch {
	case errors.Is(err, mse.ErrUnknown):
		return nil, proto.Handshake{}, errOtherContent
	case errors.Is(err, mse.ErrNotEncrypted), errors.Is(err, mse.ErrNoMethod):
		return nil, proto.Handshake{}, &answer{swarm.Encrypted, err}
	case err != nil:
		return nil, proto.Handshake{}, err
	}
	conn.agree(agreed)
	hs, err := readHello(conn, proto.BitTorrent)
	if err == nil && hs.ID != agreed.InfoHash {
		err = errOtherContent
	}
	return conn, hs, err
}

// named returns the composition that goes by a name in encrypted handshakes, if one that may be
// found does.
func (h *Host) named(name [20]byte) ([20]byte, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id, ok := h.names[name]
	return id, ok
}

// encrypt makes an encrypted stream of a connection that this member opened, and says its handshake
// within.
func (m *Member) encrypt(conn *stream) error {
	agreed, err := mse.Open(conn, m.id, methods, m.hello())
	switch {
	case isHangUp(err):
		return &answer{swarm.HangsUp, errHangsUp}
	case errors.Is(err, mse.ErrNotEncrypted), errors.Is(err, mse.ErrNoMethod):
		return &answer{swarm.Encrypted, err}
	case err != nil:
		return err
	}
	conn.agree(agreed)
	_, err = conn.Write(m.extension(conn))
	return err
}

// isHangUp reports whether the far end ended a connection.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// agree has a stream go on as an encrypted handshake on it agreed.
func (s *stream) agree(a *mse.Agreed) {
	if a.Method == mse.RC4 {
		s.Conn = &throughConn{s.socket, a.Reader(receiver(s)), a.Writer(sender(s))}
	}
	s.ahead = a.Initial
}

// throughConn is a connection over a socket that is read and written in other ways than the socket.
type throughConn struct {
	*net.TCPConn
	in  io.Reader
	out io.Writer
}

func (c *throughConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *throughConn) Write(p []byte) (int, error) { return c.out.Write(p) }

// encryptedOnly remembers the addresses at which a plain handshake was of no use and an encrypted
// one was.
type encryptedOnly struct {
	mu    sync.Mutex
	addrs map[netip.AddrPort]bool
}

// encryptedMost is how many addresses are remembered. What is forgotten costs one more connection.
const encryptedMost = 1024

func (e *encryptedOnly) has(addr netip.AddrPort) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.addrs[addr]
}

func (e *encryptedOnly) set(addr netip.AddrPort, only bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.addrs, addr)
	if !only {
		return
	}
	if e.addrs == nil {
		e.addrs = map[netip.AddrPort]bool{}
	}
	for old := range e.addrs { // any will do
		if len(e.addrs) < encryptedMost {
			break
		}
		delete(e.addrs, old)
	}
	e.addrs[addr] = true
}

// mayWantEncryption reports whether a dial that failed so may succeed with an encrypted handshake.
func mayWantEncryption(err error) bool {
	fault := faultOf(err)
	return fault == swarm.HangsUp || fault == swarm.Encrypted
}
