package member

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"orchestra/member/link"
	"orchestra/member/store"
)

// sendContent sends a stretch of the content from the file to the socket, at an explicit offset:
// the file's own offset is shared by all links. What lies in several files of a folder goes out of
// one after the other. What goes through a cipher is copied.
func (c *connection) sendContent(ctx context.Context, off int64, left int) error {
	if !c.conn.plain() {
		return c.copyContent(ctx, off, left)
	}
	raw, err := c.conn.socket.SyscallConn()
	if err != nil {
		return err
	}
	for left > 0 {
		stretch, err := c.m.store.Stretch(off, int64(left))
		if err != nil {
			return err
		}
		if stretch.File == nil { // zeros that pad
			if err := c.copyContent(ctx, off, int(stretch.Length)); err != nil {
				return err
			}
			off, left = off+stretch.Length, left-int(stretch.Length)
			continue
		}
		sent, err := c.sendStretch(ctx, raw, stretch)
		c.m.store.Release(stretch)
		if err != nil {
			// sendfile does not say which end failed. If it is the file, the part is to be
			// rechecked.
			if disk := c.m.store.ReadAt(make([]byte, 1), off+int64(sent)); disk != nil {
				return disk
			}
			return err
		}
		off, left = off+stretch.Length, left-int(stretch.Length)
	}
	return nil
}

// sendHead leaves the header of a piece to go out in one packet with the content that follows.
func (c *connection) sendHead(head []byte) error {
	if !c.conn.plain() {
		return c.copyHead(head)
	}
	raw, err := c.conn.socket.SyscallConn()
	if err != nil {
		return err
	}
	c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
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
func (c *connection) sendStretch(ctx context.Context, raw syscall.RawConn, stretch store.Stretch) (sent int, err error) {
	file, off, length := int(stretch.File.Fd()), stretch.Offset, int(stretch.Length)
	for sent < length {
		c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
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
			// the file is shorter than the composition: nothing true can follow
			return sent, io.ErrUnexpectedEOF
		}
		sent += n
		if !c.wentOut(ctx, n) {
			return sent, ctx.Err()
		}
	}
	return sent, nil
}

// What waits in the socket is bounded by [link.Unsent]. Between two hosts without a limit nothing
// is lost by it.
//
// Less than a packet stays in the socket for up to 200 ms while sendfile promises more to come,
// and the socket takes more only when less than half of the bound waits. So the bound is two
// packets at least: those of a loopback interface have 64 KiB, and a member that sends a little
// at a time, under a limit, would do so five times a second.
// tune sets the options of a connection.
func (c *connection) tune() {
	raw, err := c.conn.socket.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			c.packet = int(info.Pmtu)
		}
	})
	c.holdBack()
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
func (c *connection) holdBack() {
	most := link.UnsentAlone
	if c.m.unchained.Load() {
		most = max(link.Unsent, 2*c.packet)
	}
	if most == c.unsent {
		return
	}
	c.unsent = most
	if raw, err := c.conn.socket.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, most) })
	}
}

// rein bounds what the peer has in flight by its share of the line and the time that the
// connection's round trip takes at best ([link.InFlight]). A receive buffer of that size is what
// bounds it.
func (c *connection) rein() {
	share := c.m.share.Load()
	alone := !c.m.unchained.Load()
	if share == 0 || (alone && c.bound == 0) {
		return
	}
	raw, err := c.conn.socket.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		bound := link.InFlight(share, time.Duration(info.Min_rtt)*time.Microsecond, int(info.Snd_mss))
		switch {
		case (bound == 0 || alone) && c.bound > 0:
			c.bound = 0
			unbind(int(fd))
		case bound > 0 && (bound > c.bound+c.bound/8 || bound < c.bound-c.bound/8):
			c.bound = bound
			// which the kernel doubles
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, bound/2)
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
// 1 wakes it for anything again. A cipher reads ahead: what it expects may be here already.
func (c *connection) expect(n int) {
	if !c.conn.plain() {
		return
	}
	n = min(n, expectMost)
	if c.bound > 0 {
		n = min(n, c.bound/2)
	}
	if n == c.expected {
		return
	}
	c.expected = n
	if raw, err := c.conn.socket.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { setOption(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, int32(n)) })
	}
}

// expectMost is how many bytes are worth waiting for, well below what a socket's buffer holds.
const expectMost = 128 << 10
