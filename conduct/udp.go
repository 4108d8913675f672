package conduct

import (
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"time"

	"orchestra/proto"
)

// UDP trackers answer datagrams (BEP 15). Whoever announces first asks for a connection id, which
// is sent to the address that it asks from: so nobody lists others, and an answer that is longer
// than its question goes to nobody else. The id is a code of that address and the time, and takes
// no memory.

// Actions and lengths of BEP 15, in bytes.
const (
	udpConnect  = 0
	udpAnnounce = 1
	udpScrape   = 2
	udpError    = 3

	udpMagic      = 0x41727101980
	udpHead       = 16   // connection id, action, transaction id
	udpAnnounced  = 98   // an announcement at least; extensions (BEP 41) may follow
	udpLongest    = 2048 // of a datagram that is read
	udpMostHashes = 74

	// udpConnected is how long a connection id is good at least; it is good for less than twice as
	// long.
	udpConnected = time.Minute

	udpWorkers = 4 // datagrams that are answered at a time
)

// A udpTracker answers datagrams.
type udpTracker struct {
	c      *Conductor
	socket *net.UDPConn
	secret [32]byte
	local  netip.AddrPort
}

// listenUDP makes a tracker on the port of the listener.
func (c *Conductor) listenUDP() error {
	at := c.ln.Addr().(*net.TCPAddr)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
	if err != nil {
		return &ListenError{Addr: "UDP " + at.String(), Err: err}
	}
	t := &udpTracker{c: c, socket: socket, local: c.Addr()}
	if _, err := crand.Read(t.secret[:]); err != nil {
		return errors.Join(err, socket.Close())
	}
	c.udp = t
	return nil
}

// run answers until the context ends.
func (t *udpTracker) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { t.socket.Close() })
	defer stop()
	for range udpWorkers - 1 {
		t.c.wg.Go(func() { t.answerAll(ctx) })
	}
	t.answerAll(ctx)
}

func (t *udpTracker) answerAll(ctx context.Context) {
	in, out := make([]byte, udpLongest), make([]byte, 0, udpLongest)
	for {
		n, from, err := t.socket.ReadFromUDPAddrPort(in)
		switch {
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			t.c.rare.Warn().Err(err).Msg("cannot read a datagram")
			continue
		}
		if out = t.answer(ctx, in[:n], from, out[:0]); len(out) > 0 {
			// One that is lost is asked for again.
			_, _ = t.socket.WriteToUDPAddrPort(out, from)
		}
	}
}

// answer appends the answer to a datagram to out. What is none of BEP 15 has no answer.
func (t *udpTracker) answer(ctx context.Context, in []byte, from netip.AddrPort, out []byte) []byte {
	if len(in) < udpHead {
		return out
	}
	id, action, transaction := binary.BigEndian.Uint64(in), binary.BigEndian.Uint32(in[8:]), in[12:16]
	if action == udpConnect {
		if id != udpMagic {
			return out
		}
		out = udpAnswer(out, udpConnect, transaction)
		return binary.BigEndian.AppendUint64(out, t.connection(from, time.Now()))
	}
	if !t.connected(id, from, time.Now()) {
		return append(udpAnswer(out, udpError, transaction), "the connection id is not of this address, or too old"...)
	}
	switch action {
	case udpAnnounce:
		return t.announce(ctx, in, from, out)
	case udpScrape:
		return t.scrape(ctx, in, out)
	}
	return append(udpAnswer(out, udpError, transaction), "the action is not known"...)
}

func udpAnswer(out []byte, action uint32, transaction []byte) []byte {
	return append(binary.BigEndian.AppendUint32(out, action), transaction...)
}

// connection is the connection id of an address at a time: a code of both under the secret. Only
// a quarter of the sum is told, so nobody can go on from it to that of a longer text.
func (t *udpTracker) connection(from netip.AddrPort, now time.Time) uint64 {
	var room [128]byte
	b, _ := netip.AddrPortFrom(from.Addr().Unmap(), from.Port()).AppendBinary(append(room[:0], t.secret[:]...))
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(now.UnixNano()/int64(udpConnected))))
	return binary.BigEndian.Uint64(sum[:])
}

func (t *udpTracker) connected(id uint64, from netip.AddrPort, now time.Time) bool {
	return id == t.connection(from, now) || id == t.connection(from, now.Add(-udpConnected))
}

// announce lists a guest, and tells it of others: IPv4 addresses to one that asks from IPv4, IPv6
// addresses to the others.
func (t *udpTracker) announce(ctx context.Context, in []byte, from netip.AddrPort, out []byte) []byte {
	transaction := in[12:16]
	v, err := parseDatagram(in, newSeat(from, t.local))
	if err != nil {
		return append(udpAnswer(out, udpError, transaction), err.Error()...)
	}
	d := t.c.takeDesk()
	d.visit.guest = v
	if !t.c.visit(ctx, d.visit) {
		return out
	}
	defer t.c.putDesk(d)
	a := &d.visit.answer
	switch {
	case a.refused != "":
		return append(udpAnswer(out, udpError, transaction), a.refused...)
	}
	out = udpAnswer(out, udpAnnounce, transaction)
	out = binary.BigEndian.AppendUint32(out, uint32(seconds(interval())))
	out = binary.BigEndian.AppendUint32(out, uint32(a.census.incomplete))
	out = binary.BigEndian.AppendUint32(out, uint32(a.census.complete))
	if from.Addr().Unmap().Is4() {
		return a.four(out)
	}
	return a.six(out)
}

// parseDatagram reads an announcement (BEP 15). An IP address in it is not believed. Nor is its key
// read: aria2 makes up another one each time, and the connection id has proved the address.
func parseDatagram(in []byte, s seat) (v webGuest, err error) {
	if len(in) < udpAnnounced {
		return v, errors.New("the announcement is too short")
	}
	v.seat = s
	copy(v.id[:], in[16:])
	copy(v.peer[:], in[36:])
	left, event := binary.BigEndian.Uint64(in[64:]), binary.BigEndian.Uint32(in[80:])
	if event <= uint32(visitStopped) {
		v.event = visitEvent(event)
	}
	v.ann = proto.Announce{
		Key:  guestKey(nil, s),
		Port: binary.BigEndian.Uint16(in[96:]), Parts: 1, Want: maxPeers,
	}
	if want := int32(binary.BigEndian.Uint32(in[92:])); want >= 0 {
		v.ann.Want = uint8(min(want, maxPeers))
	}
	if left == 0 {
		v.ann.Have = 1
	}
	return v, nil
}

// scrape tells how many share some compositions.
func (t *udpTracker) scrape(ctx context.Context, in, out []byte) []byte {
	transaction := in[12:16]
	hashes := in[udpHead:]
	if n := len(hashes); n == 0 || n%20 != 0 || n/20 > udpMostHashes {
		return append(udpAnswer(out, udpError, transaction), "a scrape names up to 74 compositions"...)
	}
	var ids [][20]byte
	for ; len(hashes) > 0; hashes = hashes[20:] {
		ids = append(ids, [20]byte(hashes))
	}
	all, ok := t.c.scrape(ctx, ids)
	if !ok {
		return out
	}
	out = udpAnswer(out, udpScrape, transaction)
	for _, n := range all {
		out = binary.BigEndian.AppendUint32(out, uint32(n.complete))
		out = binary.BigEndian.AppendUint32(out, uint32(n.downloads))
		out = binary.BigEndian.AppendUint32(out, uint32(n.incomplete))
	}
	return out
}
