package member

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ends are the two ends of a connection.
func ends(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	near, far = accepted.(*net.TCPConn), dialled.(*net.TCPConn)
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// TestDirect moves more than the sockets hold, both ways at once, to a far end that reads in its
// own time.
func TestDirect(t *testing.T) {
	near, far := ends(t)
	content := randomBytes(32 << 20)
	echoed := make(chan error, 1)
	go func() {
		_, err := io.Copy(far, far)
		far.CloseWrite()
		echoed <- err
	}()
	go func() {
		if n, err := sender(plainStream(near)).Write(content); n != len(content) || err != nil {
			t.Errorf("wrote %d bytes: %v", n, err)
		}
		near.CloseWrite()
	}()
	in := receiver(plainStream(near))
	if n, err := in.Read(nil); n != 0 || err != nil {
		t.Errorf("no room: %d %v", n, err)
	}
	got, err := io.ReadAll(in)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("read %d bytes: %v", len(got), err)
	}
	if err := <-echoed; err != nil {
		t.Error(err)
	}
	if n, err := in.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d %v", n, err)
	}
}

// TestDirectEnds has the errors of a connection: its deadlines, its end here and there.
func TestDirectEnds(t *testing.T) {
	near, far := ends(t)
	in, out := receiver(plainStream(near)), sender(plainStream(near))
	near.SetDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := in.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing to read: %d %v", n, err)
	}
	near.SetDeadline(time.Time{})
	come := make(chan error, 1)
	go func() {
		_, err := far.Read(make([]byte, 1))
		near.SetDeadline(time.Now()) // some of it was written
		come <- err
	}()
	if n, err := out.Write(make([]byte, 64<<20)); n == 0 || n == 64<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody reads on: %d %v", n, err)
	}
	if err := <-come; err != nil {
		t.Error(err)
	}
	near.SetDeadline(time.Time{})
	far.SetLinger(0)
	far.Close()
	if n, err := in.Read(make([]byte, 1)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %d %v", n, err)
	}
	if n, err := out.Write([]byte{1}); n != 0 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("written after a reset: %d %v", n, err)
	}
	near.Close()
	if n, err := in.Read(make([]byte, 1)); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %d %v", n, err)
	}
	if _, err := io.ReadFull(receiver(plainStream(near)), make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("made of a closed one: %v", err)
	}
}

func TestSetOption(t *testing.T) {
	near, _ := ends(t)
	raw, err := near.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		setOption(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, 1234)
		if n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT); n != 1234 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	})
}
