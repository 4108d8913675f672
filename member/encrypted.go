package member

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"

	"orchestra/member/swarm"
	"orchestra/proto/mse"
)

// methods are how a link with a BitTorrent client may travel after an encrypted handshake.
const methods = mse.Plain | mse.RC4

// Encrypted handshakes that strangers begin, for all of which a host computes: so many at once, and
// so many a second. That takes a twentieth of a core at most; and all that may be greeted at a time
// have their turn before they are given up.
const (
	encryptedBurst  = 128
	encryptedSecond = 128
)

func newEncryptedLimit() *rate.Limiter { return rate.NewLimiter(encryptedSecond, encryptedBurst) }

// hearEncrypted answers an encrypted handshake, and returns the composition that it is about: one
// that has no key.
func (h *Host) hearEncrypted(ctx context.Context, conn *stream) (id [20]byte, err error) {
	if err := h.encrypted.Wait(ctx); err != nil {
		return id, err
	}
	agreed, err := mse.Answer(conn, methods, h.named)
	switch {
	case errors.Is(err, mse.ErrUnknown):
		return id, errOtherContent
	case errors.Is(err, mse.ErrNotEncrypted), errors.Is(err, mse.ErrNoMethod):
		return id, &answer{swarm.Encrypted, err}
	case err != nil:
		return id, fmt.Errorf("in its encrypted handshake: %w", err)
	}
	conn.agree(agreed)
	return agreed.InfoHash, nil
}

// open reports whether somebody without a key may find a member here.
func (h *Host) open() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.names) > 0
}

// named returns the composition that goes by a name in encrypted handshakes, if one that may be
// found does.
func (h *Host) named(name [20]byte) (id [20]byte, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id, ok = h.names[name]
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
		return fmt.Errorf("in an encrypted handshake: %w", err)
	}
	conn.agree(agreed)
	return nil
}

// isHangUp reports whether the far end ended a connection.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		isAny(err, errnoHangUp...)
}

// agree has a stream go on as an encrypted handshake on it agreed.
func (s *stream) agree(a *mse.Agreed) {
	if a.Method == mse.RC4 {
		s.Conn = &throughConn{s.socket, a.Reader(receiver(s)), a.Writer(sender(s))}
	}
	s.ahead = a.Initial
}

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
