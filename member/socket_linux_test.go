package member

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"orchestra/member/link"
)

// What a peer may have in flight follows the share of the line, and a fast line is the system's
// business.
func TestRein(t *testing.T) {
	// as on a network, and not those of a loopback interface
	packets := func(_, _ string, c syscall.RawConn) (err error) {
		controlErr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1400) })
		return errors.Join(controlErr, err)
	}
	l, _ := pairOver(t, []byte("content"), Config{}, packets)
	raw, err := l.conn.socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	option := func(name int) (n int) {
		t.Helper()
		raw.Control(func(fd uintptr) { n, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, name) })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	locked := func() bool { t.Helper(); return option(unix.SO_BUF_LOCK)&2 != 0 } // SOCK_RCVBUF_LOCK
	l.m.unchained.Store(true)
	l.rein()
	if l.bound != 0 || locked() {
		t.Errorf("bounded to %d before the share is known", l.bound)
	}
	for _, test := range []struct {
		share int64 // bytes a second
		bound int   // at least; 0: none
	}{{800_000, 44 << 10}, {5 << 20, 15 * 5 << 20 / 1000}, {1 << 30, 0}, {100_000, 44 << 10}} {
		l.m.share.Store(test.share)
		l.rein()
		if l.bound < test.bound || l.bound > test.bound*5/4 || locked() != (test.bound > 0) {
			t.Errorf("share %d: bound %d, locked %v, want a bound of %d", test.share, l.bound, locked(), test.bound)
		}
		if got := option(unix.SO_RCVBUF); test.bound > 0 && got != l.bound/2*2 {
			t.Errorf("share %d: receive buffer of %d, want %d", test.share, got, l.bound)
		}
	}
	if l.bound == 0 {
		t.Fatal("no bound, when peers have little")
	}
	l.expect(1 << 20)
	if l.expected > l.bound/2 {
		t.Errorf("waits for %d bytes, when %d may be in flight", l.expected, l.bound)
	}
	l.m.unchained.Store(false)
	for range 2 {
		if l.rein(); l.bound != 0 || locked() {
			t.Errorf("bounded to %d when one peer alone sends", l.bound)
		}
	}
}

// More waits in the socket of a peer that alone is sent to.
func TestHoldBack(t *testing.T) {
	l, _ := pair(t, []byte("content"), Config{})
	raw, err := l.conn.socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		unchained bool
		want      int
	}{{false, link.UnsentAlone}, {true, link.Unsent}, {true, link.Unsent}, {false, link.UnsentAlone}} {
		l.m.unchained.Store(test.unchained)
		l.holdBack()
		var got int
		raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT) })
		if err != nil || got != test.want {
			t.Errorf("%d bytes may wait (%v), want %d", got, err, test.want)
		}
	}
}

// A receive buffer that holds less than a few packets stalls the connection: over a loopback
// interface, where they have 64 KiB, there is no bound however slow the line seems.
func TestReinOfLargePackets(t *testing.T) {
	l, _ := pair(t, []byte("content"), Config{})
	l.m.unchained.Store(true)
	l.m.share.Store(800_000)
	if l.rein(); l.bound != 0 {
		t.Errorf("bounded to %d", l.bound)
	}
}
