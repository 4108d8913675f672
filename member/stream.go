package member

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"

	"orchestra/proto"
	"orchestra/proto/secure"
)

// A stream is what the bytes of a link go through: the socket itself, or a cipher over it. What the
// system can do with a socket (send a file, wait for so many bytes) needs a plain one; options of
// the socket are set whatever it carries.
type stream struct {
	net.Conn              // of what is said and heard
	socket   *net.TCPConn // that it travels over
	ahead    []byte       // what was read of it before the link is up, and is to be read again
}

// key is the key of the private swarm that the stream is of; nil: of none.
func (s *stream) key() *secure.Key {
	if c, ok := s.Conn.(*secure.Conn); ok {
		return c.Key()
	}
	return nil
}

// proves reports whether the far end may call itself so: in a private swarm it has proven who it
// is.
func (s *stream) proves(id proto.PeerID) bool {
	c, ok := s.Conn.(*secure.Conn)
	return !ok || c.PeerID() == id
}

func plainStream(socket *net.TCPConn) *stream { return &stream{Conn: socket, socket: socket} }

// plain reports whether what is said goes into the socket as it is.
func (s *stream) plain() bool { return s.Conn == net.Conn(s.socket) }

// Read reads what was read ahead first.
func (s *stream) Read(p []byte) (int, error) {
	if len(s.ahead) > 0 {
		n := copy(p, s.ahead)
		s.ahead = s.ahead[n:]
		return n, nil
	}
	return s.Conn.Read(p)
}

// incoming returns what a link reads from: what was read ahead, then the rest in the best way that
// there is. The first read of a link takes all of the former.
func (s *stream) incoming() io.Reader {
	ahead := s.ahead
	s.ahead = nil
	if len(ahead) == 0 {
		return receiver(s)
	}
	return io.MultiReader(bytes.NewReader(ahead), receiver(s))
}

// directConn is a plain stream that is read and written by its own ways ([receiver], [sender]).
func directConn(s *stream) net.Conn { return &throughConn{s.socket, s.incoming(), sender(s)} }

// throughConn is a connection over a socket that is read and written in other ways than the socket.
type throughConn struct {
	*net.TCPConn
	in  io.Reader
	out io.Writer
}

func (c *throughConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *throughConn) Write(p []byte) (int, error) { return c.out.Write(p) }

// Close closes the socket. A cipher's own farewell could wait for the far end.
func (s *stream) Close() error { return s.socket.Close() }

// writeAll writes what lies in several places: in one call of the system, or as one piece for a
// cipher.
func (s *stream) writeAll(parts net.Buffers) error {
	if s.plain() {
		_, err := parts.WriteTo(s.socket)
		return err
	}
	_, err := s.Write(slices.Concat(parts...))
	return err
}

// copyStep is how much content is read from the disk, to be written, at a time. In a private swarm
// 64 KiB take more calls of the system, and 256 KiB leave the processor's cache on the way.
const copyStep = 128 << 10

// copies are buffers for it, and for the header of a piece.
var copies = sync.Pool{New: func() any {
	b := make([]byte, 0, copyStep)
	return &b
}}

// copyHead leaves the header of a piece to go out with the content that follows.
func (c *connection) copyHead(head []byte) error {
	c.head = append(c.head[:0], head...)
	return nil
}

// copyContent writes a stretch of the content by way of a buffer.
func (c *connection) copyContent(ctx context.Context, off int64, left int) error {
	room := copies.Get().(*[]byte)
	defer copies.Put(room)
	for left > 0 {
		n := min(left, copyStep-len(c.head)) // whole records, if it is to be sealed
		buf := append((*room)[:0], c.head...)
		c.head = c.head[:0]
		content := buf[len(buf) : len(buf)+n]
		if err := c.m.store.ReadAt(content, off); err != nil {
			return err
		}
		if err := c.write(buf[:len(buf)+n]); err != nil {
			return err
		}
		off, left = off+int64(n), left-n
		if !c.wentOut(ctx, n) {
			return ctx.Err()
		}
	}
	return nil
}

// remoteAddr is the far end of a connection.
func remoteAddr(conn net.Conn) netip.AddrPort {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}
