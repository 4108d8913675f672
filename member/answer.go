package member

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
	"orchestra/proto/secure"
)

// An answer is why who answers a dial is not who was meant.
type answer struct {
	fault swarm.Fault
	err   error
}

func (a *answer) Error() string { return a.err.Error() }
func (a *answer) Unwrap() error { return a.err }

var (
	errOtherContent = &answer{swarm.OtherContent, errors.New("it speaks of another composition")}
	errAnother      = &answer{swarm.Another, errors.New("another member answers there")}
	errImpostor     = &answer{swarm.Another, errors.New("it claims the peer id of another member")}
	errSecure       = errors.New("it speaks as the members of a private swarm do, and there is none here")
	errHangsUp      = errors.New("it ended the connection without an answer")
)

const (
	// strangeMost is how much is read of what is no handshake, to see what it is, and strangeWait
	// how long that is waited for.
	strangeMost = 2 << 10
	strangeWait = 300 * time.Millisecond
	probeWait   = 3 * time.Second
)

// readHello reads the handshake of who answers. If that is none, the error tells what it seems to
// be.
func readHello(conn net.Conn, protocol string) (proto.Handshake, error) {
	var said bytes.Buffer
	hs, err := proto.ReadHandshake(io.TeeReader(conn, &said), protocol)
	switch {
	case err == nil:
		return hs, nil
	case errors.Is(err, proto.ErrNotHandshake):
		conn.SetReadDeadline(time.Now().Add(strangeWait))
		_, _ = io.CopyN(&said, conn, strangeMost) // what comes of it will do
		return hs, &answer{whatAnswers(said.Bytes()), err}
	case said.Len() == 0 && isHangUp(err):
		return hs, &answer{swarm.HangsUp, errHangsUp}
	}
	return hs, err
}

// whatAnswers guesses by the first bytes what program sent them. They are never shown.
func whatAnswers(said []byte) swarm.Fault {
	head, body, _ := bytes.Cut(said, []byte("\r\n\r\n"))
	switch {
	case bytes.HasPrefix(head, []byte("HTTP/")):
		switch {
		case bytes.Contains(head, []byte("\r\nServer: Orchestra")):
			return swarm.Conducts
		case isBencoded(body):
			return swarm.Tracker
		}
		return swarm.Web
	case isBencoded(head):
		return swarm.Tracker
	case bytes.HasPrefix(head, []byte("<")):
		return swarm.Web
	case isNoise(said):
		return swarm.Encrypted
	}
	return swarm.SomethingElse
}

// isBencoded reports whether p begins as a tracker's answer does (BEP 3).
func isBencoded(p []byte) bool { return len(p) > 2 && p[0] == 'd' && '0' <= p[1] && p[1] <= '9' }

// isNoise reports whether p looks like the beginning of an encrypted handshake of BitTorrent
// clients, whose bytes are random. Other protocols begin with letters, or with small numbers.
func isNoise(p []byte) bool {
	p = p[:min(len(p), 96)]
	high := 0
	for _, b := range p {
		if b >= 0x80 {
			high++
		}
	}
	return len(p) >= 20 && high >= len(p)/4
}

// probing is an announcement that changes nothing: some trackers answer what is less than one like
// any web server.
var probing = "GET /announce?info_hash=" + strings.Repeat("%00", 20) + "&peer_id=-OR0100-000000000000" +
	"&port=1&uploaded=0&downloaded=0&left=1&compact=1&event=stopped HTTP/1.0\r\n\r\n"

// probe asks who did not answer as was meant, as one asks a web server or a tracker, and tells
// whether that is what it is, or a conductor.
func probe(ctx context.Context, dial dialFunc, addr string) swarm.Fault {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return swarm.NoFault
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := io.WriteString(conn, probing); err != nil {
		return swarm.NoFault
	}
	said, _ := io.ReadAll(io.LimitReader(conn, strangeMost))
	switch fault := whatAnswers(said); fault {
	case swarm.Web, swarm.Tracker, swarm.Conducts:
		return fault
	}
	return swarm.NoFault
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// faultOf tells what a failed dial, or greeting, says of who was dialled.
func faultOf(err error) swarm.Fault {
	var is *answer
	var wait net.Error
	switch {
	case errors.As(err, &is):
		return is.fault
	case errors.Is(err, secure.ErrOtherKey):
		return swarm.OtherKey
	case isOutOfDescriptors(err):
		return swarm.OwnLimits
	case isRefused(err):
		return swarm.NobodyListens
	case isNoWay(err):
		return swarm.NoWay
	case errors.As(err, &wait) && wait.Timeout():
		return swarm.NoAnswer
	}
	return swarm.Unclear
}

func isAny(err error, errnos ...syscall.Errno) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	for _, e := range errnos {
		if no == e {
			return true
		}
	}
	return false
}

// isOutOfDescriptors reports whether this process, or its machine, can open nothing more.
func isOutOfDescriptors(err error) bool { return isAny(err, errnoDescriptors...) }

func isRefused(err error) bool { return isAny(err, errnoRefused...) }

func isNoWay(err error) bool { return isAny(err, errnoNoWay...) }
