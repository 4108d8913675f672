package magnet

import (
	"bytes"
	"context"
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

// open says the handshake: plainly, or within an encrypted one. No more is said before the far end
// has answered, which some clients do not take.
func (s *seeker) open(conn net.Conn, encrypted bool) (*wire, error) {
	hello, _ := s.hello()
	if !encrypted {
		_, err := conn.Write(hello)
		return &wire{conn, conn, conn}, err
	}
	agreed, err := mse.Open(conn, s.id, mse.Plain|mse.RC4, hello)
	if err != nil {
		return nil, err
	}
	return &wire{conn, agreed.Reader(conn), agreed.Writer(conn)}, nil
}

// plainBeginning is how a connection begins that is not encrypted.
const plainBeginning = "\x13" + proto.BitTorrent

// hear makes of a connection that somebody opened what its beginning says it is: plain, or an
// encrypted one about what is sought.
func (s *seeker) hear(ctx context.Context, conn net.Conn) (*wire, error) {
	head := make([]byte, len(plainBeginning))
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil, err
	}
	w := &wire{conn, io.MultiReader(bytes.NewReader(head), conn), conn}
	if string(head) == plainBeginning {
		return w, nil
	}
	if err := s.encrypted.Wait(ctx); err != nil {
		return nil, err
	}
	agreed, err := mse.Answer(w, mse.Plain|mse.RC4, func(name [20]byte) ([20]byte, bool) {
		return s.id, name == mse.Name(s.id)
	})
	if err != nil {
		return nil, err
	}
	in := io.MultiReader(bytes.NewReader(agreed.Initial), agreed.Reader(conn))
	return &wire{conn, in, agreed.Writer(conn)}, nil
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
