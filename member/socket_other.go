//go:build !linux

package member

import (
	"net"

	"orchestra/proto"
)

// sendPiece writes the header of the one piece and its content.
func (l *link) sendPiece(pieces []proto.Piece) error {
	p := pieces[0]
	var head [13]byte
	if err := l.write(proto.Append(head[:0], p)); err != nil {
		return err
	}
	return l.copyPiece(p)
}

// copyPiece writes content by way of a buffer, where the system cannot send it from the file.
func (l *link) copyPiece(p proto.Piece) error {
	buf := make([]byte, 64<<10)
	for off, left := l.offset(p), p.Length; left > 0; {
		n := min(left, len(buf))
		if err := l.m.store.ReadAt(buf[:n], off); err != nil {
			return err
		}
		if err := l.write(buf[:n]); err != nil {
			return err
		}
		off, left = off+int64(n), left-n
	}
	return nil
}

// tune sets the options of a connection: the defaults are right here.
func tune(*net.TCPConn) {}

// expect is for systems that can let a reader sleep until enough is here.
func (l *link) expect(int) {}
