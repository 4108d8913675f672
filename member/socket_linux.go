package member

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"orchestra/member/store"
)

// sendContent sends a stretch of the content from the file to the socket, at an explicit offset:
// the file's own offset is shared by all links. What lies in several files of a folder goes out of
// one after the other.
func (l *link) sendContent(ctx context.Context, off int64, left int) error {
	raw, err := l.conn.SyscallConn()
	if err != nil {
		return err
	}
	for left > 0 {
		stretch, err := l.m.store.Stretch(off, int64(left))
		if err != nil {
			return err
		}
		sent, err := l.sendStretch(ctx, raw, stretch)
		l.m.store.Release(stretch)
		if err != nil {
			// sendfile does not say which end failed. If it is the file, the part is to be
			// rechecked.
			if disk := l.m.store.ReadAt(make([]byte, 1), off+int64(sent)); disk != nil {
				return disk
			}
			return err
		}
		off, left = off+stretch.Length, left-int(stretch.Length)
	}
	return nil
}

// sendHead leaves the header of a piece to go out in one packet with the content that follows.
func (l *link) sendHead(head []byte) error {
	raw, err := l.conn.SyscallConn()
	if err != nil {
		return err
	}
	l.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	waitErr := raw.Write(func(fd uintptr) bool {
		for len(head) > 0 && err == nil {
			n := 0
			n, err = unix.SendmsgN(int(fd), head, nil, nil, unix.MSG_MORE|unix.MSG_NOSIGNAL)
			switch {
			case errors.Is(err, syscall.EINTR):
				err = nil
			case errors.Is(err, syscall.EAGAIN):
				err = nil
				return false
			case err == nil:
				head = head[n:]
			}
		}
		return true
	})
	return errors.Join(waitErr, err)
}

// sendStretch sends what one file has, and tells how much went out. The deadline is renewed
// whenever the socket took something.
func (l *link) sendStretch(ctx context.Context, raw syscall.RawConn, stretch store.Stretch) (sent int, err error) {
	file, off, length := int(stretch.File.Fd()), stretch.Offset, int(stretch.Length)
	for sent < length {
		l.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		n, err := 0, error(nil)
		waitErr := raw.Write(func(fd uintptr) bool {
			n, err = unix.Sendfile(int(fd), file, &off, length-sent)
			return !errors.Is(err, syscall.EAGAIN)
		})
		switch {
		case waitErr != nil:
			return sent, waitErr
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return sent, err
		case n == 0:
			return sent, io.ErrUnexpectedEOF // the file is shorter than the composition: nothing true can follow
		}
		sent += n
		if !l.wentOut(ctx, n) {
			return sent, ctx.Err()
		}
	}
	return sent, nil
}

// unsent bounds what waits in the socket behind what the network carries, in bytes: what is
// decided later is sent sooner, and a grant that is served leaves little behind that takes turns
// with the next ones. Between two hosts without a limit nothing is lost by it.
//
// Less than a packet stays in the socket for up to 200 ms while sendfile promises more to come,
// and the socket takes more only when less than half of the bound waits. So the bound is two
// packets at least: those of a loopback interface have 64 KiB, and a member that sends a little
// at a time, under a limit, would do so five times a second.
const (
	unsent = 16 << 10
	// unsentAlone is for a peer that nobody takes turns with: the writer wakes once for several
	// packets.
	unsentAlone = 128 << 10
)

// tune sets the options of a connection.
func (l *link) tune() {
	raw, err := l.conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			l.packet = int(info.Pmtu)
		}
	})
	l.holdBack()
}

// abandonAfter ends a connection when what was sent is not acknowledged for so long.
func abandonAfter(conn *net.TCPConn, timeout time.Duration) {
	if raw, err := conn.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(timeout.Milliseconds()))
		})
	}
}

// unacknowledged is for how long nothing was acknowledged, if anything that was sent is not.
func unacknowledged(conn *net.TCPConn) (since time.Duration) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil && info.Unacked > 0 {
			since = time.Duration(info.Last_ack_recv) * time.Millisecond
		}
	})
	return since
}

// holdBack bounds what waits in the socket by whether this peer alone is sent to.
func (l *link) holdBack() {
	most := unsentAlone
	if l.m.unchained.Load() {
		most = max(unsent, 2*l.packet)
	}
	if most == l.unsent {
		return
	}
	l.unsent = most
	if raw, err := l.conn.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, most) })
	}
}

// What peers have in flight to this member should fill its line and no more. The rest stands in the
// queues of this line and of theirs, and what is asked, announced and acknowledged stands behind
// it. A receive buffer of that size is what bounds it.
const (
	flightTime  = 15 * time.Millisecond // beside the round trip
	flightLeast = 44 << 10
	flightMost  = 96 << 10 // more is left to the system
	// flightPackets fit in at least. A buffer for less than a few makes the sender wait until it is
	// empty, and acknowledgements are late then: some hundred milliseconds a packet. Over a
	// loopback interface, one has up to 64 KiB.
	flightPackets = 8
)

// rein bounds what the peer has in flight by its share of the line and the time that the
// connection's round trip takes at best.
func (l *link) rein() {
	share := l.m.share.Load()
	alone := !l.m.unchained.Load()
	if share == 0 || (alone && l.bound == 0) {
		return
	}
	raw, err := l.conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		roundTrip := time.Duration(info.Min_rtt) * time.Microsecond
		flight := (flightTime + roundTrip + roundTrip/4).Seconds() // a quarter more, so that the rate can grow
		bound := max(int(float64(share)*flight), flightLeast, flightPackets*int(info.Snd_mss))
		switch {
		case (bound > flightMost || alone) && l.bound > 0:
			l.bound = 0
			unbind(int(fd))
		case bound <= flightMost && (bound > l.bound+l.bound/8 || bound < l.bound-l.bound/8):
			l.bound = bound
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, bound/2) // which the kernel doubles
		}
	})
}

// roundTrip is the time that a packet to the far end and its acknowledgement took at best.
func roundTrip(conn *net.TCPConn) time.Duration {
	raw, err := conn.SyscallConn()
	if err != nil {
		return unknownRoundTrip
	}
	best := unknownRoundTrip
	raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			best = time.Duration(info.Min_rtt) * time.Microsecond
		}
	})
	return best
}

// unbind lets the system choose the receive buffer's size again. Before Linux 5.16 it cannot: then
// it is as large as it may be.
func unbind(fd int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BUF_LOCK, 0) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)
	}
}

// expect lets the reader sleep until n bytes are here, or a good many of them: packets that trickle
// in then wake it a few times a piece and not a few times a packet. n must be on its way for sure.
// 1 wakes it for anything again.
func (l *link) expect(n int) {
	n = min(n, expectMost)
	if l.bound > 0 {
		n = min(n, l.bound/2)
	}
	if n == l.expected {
		return
	}
	l.expected = n
	if raw, err := l.conn.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { setOption(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, int32(n)) })
	}
}

// expectMost is how many bytes are worth waiting for, well below what a socket's buffer holds.
const expectMost = 128 << 10
