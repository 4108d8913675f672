package member

import (
	"bytes"
	"context"
	"io"
	"net"

	"orchestra/proto"
	"orchestra/proto/secure"
)

// plainBeginning is how the handshake of BEP 3 begins. What may come instead is longer, but for
// tlsBeginning bytes, by which TLS is known.
const (
	plainBeginning = "\x13" + proto.BitTorrent
	tlsBeginning   = 6
)

// isTLS reports whether a connection begins as TLS does: with a record that holds a client's hello.
func isTLS(head []byte) bool {
	return len(head) >= tlsBeginning &&
		head[0] == secure.FirstByte && head[1] == 3 && head[2] <= 4 && head[5] == 1
}

// mayBeEncrypted reports whether a connection that does not begin as TLS does may be an encrypted
// one of BitTorrent clients, which begins with a random number. One of a million is taken for text.
func mayBeEncrypted(head []byte) bool {
	return len(head) == len(plainBeginning) && string(head) != plainBeginning &&
		bytes.ContainsFunc(head, func(r rune) bool { return r >= 0x80 })
}

// hear hears the handshake of a connection that somebody opened, which is made a secure or an
// encrypted one before if that is how it begins.
func (h *Host) hear(ctx context.Context, socket *net.TCPConn) (*stream, proto.Handshake, error) {
	conn := plainStream(socket)
	head := make([]byte, len(plainBeginning))
	n, err := io.ReadAtLeast(socket, head, tlsBeginning)
	if err == nil && !isTLS(head[:n]) {
		var more int
		more, _ = io.ReadFull(socket, head[n:]) // readHello finds what is wrong
		n += more
	}
	conn.ahead = head[:n]
	means, err := h.undress(ctx, conn)
	if err != nil {
		return nil, proto.Handshake{}, err
	}
	hs, err := readHello(conn, proto.BitTorrent)
	if err == nil && means != nil && hs.ID != *means {
		err = errOtherContent
	}
	return conn, hs, err
}

// undress makes a connection a secure or an encrypted one if it begins so. The latter tells which
// composition it is about.
func (h *Host) undress(ctx context.Context, conn *stream) (means *[20]byte, err error) {
	switch {
	case isTLS(conn.ahead):
		return nil, h.hearSecure(ctx, conn)
	case mayBeEncrypted(conn.ahead) && h.open():
		id, err := h.hearEncrypted(ctx, conn)
		return &id, err
	}
	return nil, nil
}
