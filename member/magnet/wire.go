package magnet

import (
	"errors"
	"io"
	"net"
	"syscall"

	"orchestra/proto"
	"orchestra/proto/mse"
)

// A wire is what is said and heard over a connection, as it is or enciphered.
type wire struct {
	net.Conn
	in  io.Reader
	out io.Writer
}

func (w *wire) Read(b []byte) (int, error)  { return w.in.Read(b) }
func (w *wire) Write(b []byte) (int, error) { return w.out.Write(b) }

// What becomes of a plain handshake with BitTorrent clients that are set to require encryption:
// they end the connection, or take what is said for an encrypted handshake and answer with noise.
var (
	errHangsUp = errors.New("it ended the connection without an answer")
	errNoise   = errors.New("what answers is no member")
)

func mayWantEncryption(err error) bool {
	return errors.Is(err, errHangsUp) || errors.Is(err, errNoise)
}

// open says both handshakes: plainly, or the first within an encrypted one, which has room for no
// more with some clients.
func (s *seeker) open(conn net.Conn, encrypted bool) (*wire, error) {
	hello, extension := s.hello()
	if !encrypted {
		_, err := conn.Write(append(hello, extension...))
		return &wire{conn, conn, conn}, err
	}
	agreed, err := mse.Open(conn, s.id, mse.Plain|mse.RC4, hello)
	if err != nil {
		return nil, err
	}
	w := &wire{conn, agreed.Reader(conn), agreed.Writer(conn)}
	_, err = w.Write(extension)
	return w, err
}

// hello is what is said first.
func (s *seeker) hello() (handshake, extension []byte) {
	hs := proto.Handshake{Protocol: proto.BitTorrent, ID: s.id, PeerID: s.self}
	hs.SetExtended()
	ext := proto.ExtHandshake{
		Messages: map[string]int{proto.ExtMetadata: metadataID, proto.ExtPeers: peersID},
		Version:  "Orchestra", Port: int(s.port),
	}
	said := proto.Extended{ID: proto.ExtHandshakeID, Payload: ext.Append(nil)}
	return hs.Append(nil), proto.Append(nil, said)
}

// isHangUp reports whether the far end ended a connection.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}
