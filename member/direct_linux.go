package member

import (
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a socket can do without waiting is asked of the system past Go's scheduler. The scheduler is
// told of other calls, since they may take long; the first one after an idle time wakes its monitor
// thread, which then looks every 20 µs whether the call has ended. On a slow line, where a member
// wakes for each few packets, that took a fifth of its CPU.

// direct is one direction of a socket: an [io.Reader] or [io.Writer] for one goroutine at a time.
type direct struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // of calls, made once

	trap  uintptr // SYS_READ or SYS_WRITE
	p     []byte
	n     int
	errno syscall.Errno
}

func receiver(conn *stream) io.Reader {
	if conn.plain() {
		if d := newDirect(conn.socket, unix.SYS_READ); d != nil {
			return d
		}
	}
	return conn.Conn
}

func sender(conn *stream) io.Writer {
	if conn.plain() {
		if d := newDirect(conn.socket, unix.SYS_WRITE); d != nil {
			return d
		}
	}
	return conn.Conn
}

// newDirect gives nil for a connection that has no socket any more.
func newDirect(conn *net.TCPConn, trap uintptr) *direct {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	d := &direct{raw: raw, trap: trap}
	d.try = d.call
	return d
}

// call tries once; false: the socket is not ready.
func (d *direct) call(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall(d.trap, fd, uintptr(unsafe.Pointer(&d.p[0])), uintptr(len(d.p)))
		if errno == unix.EINTR {
			continue
		}
		d.n, d.errno = int(n), errno
		return errno != unix.EAGAIN
	}
}

// Read is that of the connection, with its deadline.
func (d *direct) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	d.p = p
	err := d.done(d.raw.Read(d.try))
	if d.n == 0 && err == nil {
		err = io.EOF
	}
	return d.n, err
}

// Write is that of the connection, with its deadline.
func (d *direct) Write(p []byte) (written int, err error) {
	for written < len(p) && err == nil {
		d.p = p[written:]
		err = d.done(d.raw.Write(d.try))
		written += d.n
	}
	return written, err
}

// done is what came of a call, after it was waited for.
func (d *direct) done(err error) error {
	d.p = nil
	if err == nil && d.errno != 0 {
		err = d.errno
	}
	if err != nil {
		d.n = 0
	}
	return err
}

// setOption sets an option of a socket.
func setOption(fd uintptr, level, option int, value int32) {
	unix.RawSyscall6(unix.SYS_SETSOCKOPT, fd, uintptr(level), uintptr(option), uintptr(unsafe.Pointer(&value)), unsafe.Sizeof(value), 0)
}
