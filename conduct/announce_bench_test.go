package conduct

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// BenchmarkAnnounce tells how many announcements a second a conductor answers on this machine while
// the load comes from it as well, in the same process, from clients that wait for each answer.
//
// Nothing of the load is spared. Each announcement is one of so many clients in turn, and a whole
// request or datagram of its own: with the info-hash, the peer id, the port and the key of that
// client, what it has moved, what is left to it, and an event: it starts, goes on, completes, stops
// and starts again. Each answer is read whole, and every key and length in it is checked. A client
// announces itself more often than real ones do, so the conductor passes over most of what is new
// in it, but counts, chooses and answers all the same.
//
// What does not change for a client is put together before the clock starts. Over HTTP there are
// the headers that libcurl sends. In "pipelined", eight requests are sent before the answers are
// read, which no known client does; "new" has a connection for each, and asks that it be closed.
func BenchmarkAnnounce(b *testing.B) {
	for _, load := range []announceLoad{
		{name: "http", conns: 8},
		{name: "http-1000", conns: 1000},
		{name: "http-large", conns: 8, clients: 10_000, swarms: 1},
		{name: "http-pipelined", conns: 8, depth: 8},
		{name: "http-new", conns: 8, anew: true},
		{name: "udp", conns: 8, udp: true},
		{name: "udp-large", conns: 8, udp: true, clients: 10_000, swarms: 1},
	} {
		b.Run(load.name, load.run)
	}
}

// An announceLoad is how clients announce themselves.
type announceLoad struct {
	name            string
	conns           int
	clients, swarms int // 0: 5,000 clients of ten compositions
	depth           int // requests that are sent at a time; 0: one
	anew, udp       bool
}

func (l announceLoad) run(b *testing.B) {
	if l.clients == 0 {
		l.clients, l.swarms = 5000, 10
	}
	l.depth = max(l.depth, 1)
	c := serving(b, Config{UDP: l.udp, MaxPerAddress: 1 << 20, MaxMembers: 1 << 20})
	everybody := newAnnouncers(l.clients, l.swarms)
	ask := func(who []int) func() error {
		switch at := c.Addr().String(); {
		case l.udp:
			return everybody.askUDP(at, who)
		default:
			return everybody.askHTTP(at, who, l.depth, l.anew)
		}
	}
	var all []func() error
	for n := range l.conns {
		var who []int
		for i := n; i < l.clients; i += l.conns {
			who = append(who, i)
		}
		all = append(all, ask(who))
	}
	for _, ask := range all { // then all are there
		for range l.clients / l.conns / l.depth {
			if err := ask(); err != nil {
				b.Fatal(err)
			}
		}
	}
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for n, ask := range all {
		share := b.N / l.conns
		if n < b.N%l.conns {
			share++
		}
		wg.Go(func() {
			for ; share > 0; share -= l.depth {
				if err := ask(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "announces/s")
}

// Announcers are clients, and what is known of each.
type announcers []announcer

type announcer struct {
	request  []byte // of HTTP, as far as it stays the same
	datagram []byte
	turns    int
}

func newAnnouncers(clients, swarms int) announcers {
	random := rand.New(rand.NewPCG(1, 2))
	ids := make([][20]byte, swarms)
	for i := range ids {
		for j := range ids[i] {
			ids[i][j] = byte(random.Uint32())
		}
	}
	all := make(announcers, clients)
	for n := range all {
		c, id := &all[n], ids[n%swarms]
		peer := fmt.Sprintf("-TR4050-%012d", n)
		c.request = append(c.request, "GET /announce?info_hash="...)
		for _, d := range id {
			if '0' <= d && d <= '9' || 'a' <= d && d <= 'z' || 'A' <= d && d <= 'Z' {
				c.request = append(c.request, d)
			} else {
				c.request = fmt.Appendf(c.request, "%%%02X", d)
			}
		}
		c.request = fmt.Appendf(c.request, "&peer_id=%s&port=%d&key=%08X", peer, 1024+n, random.Uint32())
		c.request = append(c.request, "&numwant=50&compact=1&supportcrypto=1"...)
		c.datagram = announcement(id, peer, 1, 0, uint16(1024+n))
	}
	return all
}

// say takes a turn of a client: what it tells of itself.
func (c *announcer) say() (moved, left uint64, event visitEvent) {
	c.turns++
	moved, left = uint64(c.turns)<<14, 1<<30
	switch turn := c.turns % 16; {
	case turn == 1:
		event = visitStarted
	case turn == 0:
		left, event = 0, visitStopped
	case turn == 12:
		left, event = 0, visitCompleted
	case turn > 12:
		left = 0
	}
	return moved, left, event
}

var announcedEvents = [...]string{
	visitRegular: "", visitCompleted: "&event=completed",
	visitStarted: "&event=started", visitStopped: "&event=stopped",
}

// askHTTP returns what announces clients in turn, so many at a time.
func (all announcers) askHTTP(at string, who []int, depth int, anew bool) func() error {
	out, in := make([]byte, 0, 4096), make([]byte, 16<<10)
	tail := " HTTP/1.1\r\nHost: " + at + "\r\nUser-Agent: Transmission/4.0.5\r\nAccept: */*\r\n" +
		"Accept-Encoding: deflate, gzip, br, zstd\r\n\r\n"
	if anew {
		tail = tail[:len(tail)-2] + "Connection: close\r\n\r\n"
	}
	var nc net.Conn
	turn := 0
	return func() (err error) {
		if nc == nil {
			if nc, err = net.Dial("tcp", at); err != nil {
				return err
			}
		}
		out = out[:0]
		for range depth {
			c := &all[who[turn%len(who)]]
			turn++
			moved, left, event := c.say()
			out = append(out, c.request...)
			out = strconv.AppendUint(append(out, "&uploaded="...), moved, 10)
			out = strconv.AppendUint(append(out, "&downloaded="...), moved, 10)
			out = strconv.AppendUint(append(out, "&left="...), left, 10)
			out = append(append(out, announcedEvents[event]...), tail...)
		}
		if _, err = nc.Write(out); err != nil {
			return err
		}
		have := 0
		for range depth {
			n := 0
			for {
				if n, err = announcedLength(in[:have]); err != nil {
					return err
				} else if n > 0 && n <= have {
					break
				}
				more, err := nc.Read(in[have:])
				if err != nil {
					return err
				}
				have += more
			}
			if err := checkAnnounced(in[:n]); err != nil {
				return fmt.Errorf("%w: %q", err, in[:n])
			}
			have = copy(in, in[n:have])
		}
		if anew {
			if n, err := nc.Read(in); n > 0 || err != io.EOF {
				return fmt.Errorf("%d bytes, %v, after the last answer", n, err)
			}
			err, nc = nc.Close(), nil
		}
		return err
	}
}

var (
	headEnd    = []byte("\r\n\r\n")
	headLength = []byte("\r\nContent-Length: ")
	headBegins = []byte("HTTP/1.1 200 OK\r\n")
)

// announcedLength returns how long the answer at the beginning of b is, with its headers; 0 where
// that is not there yet.
func announcedLength(b []byte) (int, error) {
	end := bytes.Index(b, headEnd)
	if end < 0 {
		return 0, nil
	}
	at := bytes.Index(b[:end], headLength)
	if at < 0 || !bytes.HasPrefix(b, headBegins) {
		return 0, fmt.Errorf("answered %q", b)
	}
	length := 0
	for _, c := range b[at+len(headLength) : end] {
		if c < '0' || c > '9' {
			break
		}
		length = 10*length + int(c-'0')
	}
	return end + len(headEnd) + length, nil
}

// checkAnnounced checks all of an answer.
func checkAnnounced(b []byte) error {
	b = b[bytes.Index(b, headEnd)+len(headEnd):]
	ok := true
	expect := func(text string) {
		if ok = ok && len(b) >= len(text) && string(b[:len(text)]) == text; ok {
			b = b[len(text):]
		}
	}
	number := func(ends byte) (n int) {
		digits := 0
		for digits < len(b) && '0' <= b[digits] && b[digits] <= '9' {
			n = 10*n + int(b[digits]-'0')
			digits++
		}
		if ok = ok && digits > 0 && digits < len(b) && b[digits] == ends; ok {
			b = b[digits+1:]
		}
		return n
	}
	list := func(each int) (n int) {
		n = number(':')
		if ok = ok && n%each == 0 && n/each <= maxPeers && n <= len(b); ok {
			b = b[n:]
		}
		return n / each
	}
	expect("d8:completei")
	complete := number('e')
	expect("10:downloadedi")
	number('e')
	expect("10:incompletei")
	complete += number('e')
	expect("8:intervali")
	interval := number('e')
	expect("12:min intervali10e5:peers")
	peers := list(6)
	expect("6:peers6")
	list(18)
	expect("e")
	if !ok || len(b) > 0 || interval < 60 || interval > 70 || peers > 0 && complete == 0 {
		return errors.New("not the answer to an announce")
	}
	return nil
}

// askUDP returns what announces clients in turn.
func (all announcers) askUDP(at string, who []int) func() error {
	in, out := make([]byte, udpLongest), []byte(nil)
	var nc net.Conn
	id, turn := uint64(0), 0
	return func() (err error) {
		if nc == nil {
			if nc, err = net.Dial("udp", at); err != nil {
				return err
			}
			out = binary.BigEndian.AppendUint64(out[:0], udpMagic)
			out = append(out, 0, 0, 0, udpConnect, 't', 'r', 'a', 'n')
			if err = exchange(nc, out, in[:16]); err != nil {
				return err
			}
			id = binary.BigEndian.Uint64(in[8:])
		}
		c := &all[who[turn%len(who)]]
		turn++
		moved, left, event := c.say()
		binary.BigEndian.PutUint64(c.datagram[40:], moved)
		binary.BigEndian.PutUint64(c.datagram[48:], left)
		binary.BigEndian.PutUint64(c.datagram[56:], moved)
		binary.BigEndian.PutUint32(c.datagram[64:], uint32(event))
		out = binary.BigEndian.AppendUint64(out[:0], id)
		out = binary.BigEndian.AppendUint32(out, udpAnnounce)
		out = binary.BigEndian.AppendUint32(out, uint32(turn))
		out = append(out, c.datagram...)
		return exchange(nc, out, in)
	}
}

// exchange sends a datagram and reads and checks the answer. One that is lost is sent again.
func exchange(nc net.Conn, out, in []byte) error {
	for range 5 {
		if _, err := nc.Write(out); err != nil {
			return err
		}
		nc.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := nc.Read(in)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			continue
		}
		if err != nil {
			return err
		}
		action := binary.BigEndian.Uint32(out[8:])
		switch {
		case n < 16 || binary.BigEndian.Uint32(in) != action || !bytes.Equal(in[4:8], out[12:16]):
		case action == udpConnect:
			return nil
		case n >= 20 && (n-20)%6 == 0 && (n-20)/6 <= maxPeers && binary.BigEndian.Uint32(in[8:])-60 <= 10:
			return nil
		}
		return fmt.Errorf("answered %q", in[:n])
	}
	return errors.New("no answer")
}
