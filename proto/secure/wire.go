package secure

import (
	"encoding/binary"
	"net"
)

// A wire is what TLS reads during the handshake: each record, and nothing of the next one. So what
// follows the handshake is still to be read when it is over, by whoever does that then.
type wire struct {
	net.Conn
	head []byte // of the record at hand, as far as it came; empty once left is known
	left int    // bytes of the record that follow its header
	over bool   // the handshake is, and TLS goes on to read: as much as it likes
}

// Read reads no further than to the end of a header, or of a record.
func (w *wire) Read(p []byte) (n int, err error) {
	if w.over {
		return w.Conn.Read(p)
	}
	if w.left > 0 {
		n, err = w.Conn.Read(p[:min(len(p), w.left)])
		w.left -= n
		return n, err
	}
	n, err = w.Conn.Read(p[:min(len(p), headerSize-len(w.head))])
	w.head = append(w.head, p[:n]...)
	if len(w.head) == headerSize {
		w.left = int(binary.BigEndian.Uint16(w.head[3:]))
		w.head = w.head[:0]
	}
	return n, err
}
