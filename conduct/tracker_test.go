package conduct

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"orchestra/orch"
)

// scrapeHTTP asks as a BitTorrent client does, and decodes the answer.
func scrapeHTTP(t *testing.T, at string, hashes ...string) map[string]any {
	t.Helper()
	return getBencoded(t, "http://"+at+"/scrape?"+url.Values{"info_hash": hashes}.Encode())
}

func TestScrape(t *testing.T) {
	at := serving(t, Config{}).Addr().String()
	id, other := strings.Repeat("\xab", 20), strings.Repeat("\xcd", 20)
	announceHTTP(t, at, nil)
	announceHTTP(t, at, func(q url.Values) {
		q.Set("peer_id", "-XX0001-bbbbbbbbbbbb")
		q.Set("left", "0")
		q.Set("event", "completed")
	})
	want := fmt.Sprint(map[string]any{id: map[string]any{"complete": 1, "incomplete": 1, "downloaded": 1}})
	got := ""
	for end := time.Now().Add(patience); got != want && time.Now().Before(end); time.Sleep(scrapeEvery / 10) {
		got = fmt.Sprint(scrapeHTTP(t, at, id, other)["files"]) // it may be a moment old
	}
	if got != want {
		t.Errorf("scraped %q, want %q", got, want)
	}
	for name, hashes := range map[string][]string{
		"all": nil, "a short one": {"ab"}, "too many": strings.Split(strings.Repeat(id+",", mostScraped)+id, ","),
	} {
		if got := scrapeHTTP(t, at, hashes...); got["failure reason"] == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A guest that says again and again that it has completed counts once, and one that lacks something
// does not count.
func TestDownloadsAreCountedOnce(t *testing.T) {
	s := newScript(t, testLimits, 1)
	for range 3 {
		guestAt(s, 1, farSeat(1), func(v *webGuest) { v.ann.Parts, v.ann.Have, v.event = 1, 1, visitCompleted })
		guestAt(s, 2, farSeat(2), func(v *webGuest) { v.ann.Parts, v.ann.Have, v.event = 1, 0, visitCompleted })
	}
	s.now = s.now.Add(scrapeEvery)
	if got := s.reg.scrape(s.now, [][20]byte{testID})[0]; got != (census{true, 1, 1, 1}) {
		t.Errorf("counted %+v", got)
	}
	if got := s.reg.scrape(s.now, [][20]byte{{1}})[0]; got != (census{}) {
		t.Errorf("of an unknown composition: %+v", got)
	}
}

// A client may ask several times on one connection.
func TestConnectionIsKept(t *testing.T) {
	at := serving(t, Config{}).Addr().String()
	nc := dial(t, at)
	nc.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(nc)
	for n := range 3 {
		q := url.Values{"info_hash": {strings.Repeat("\xab", 20)}, "peer_id": {fmt.Sprintf("-XX0001-%012d", n)}, "port": {"6881"}}
		fmt.Fprintf(nc, "GET /announce?%s HTTP/1.1\r\nHost: x\r\n\r\n", q.Encode())
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Contains(b, []byte(fmt.Sprintf("5:peers%d:", 6*n))) {
			t.Errorf("answer %d is %q, %v", n, b, err)
		}
	}
}

// udpClient asks a conductor as BEP 15 has it.
type udpClient struct {
	t  *testing.T
	nc net.Conn
	id uint64
}

func newUDPClient(t *testing.T, at string) *udpClient {
	t.Helper()
	nc, err := net.Dial("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &udpClient{t: t, nc: nc}
}

// ask sends a datagram and returns the body of the answer, asking again if nothing comes.
func (c *udpClient) ask(id uint64, action uint32, body []byte) (answered uint32, rest []byte) {
	c.t.Helper()
	out := binary.BigEndian.AppendUint64(nil, id)
	out = binary.BigEndian.AppendUint32(out, action)
	out = append(append(out, "tran"...), body...)
	in := make([]byte, 4096)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		c.nc.Write(out)
		c.nc.SetReadDeadline(time.Now().Add(time.Second))
		if n, err := c.nc.Read(in); err == nil && n >= 8 && string(in[4:8]) == "tran" {
			return binary.BigEndian.Uint32(in), in[8:n]
		}
	}
	c.t.Fatal("no answer")
	return 0, nil
}

func (c *udpClient) connect() {
	c.t.Helper()
	action, body := c.ask(udpMagic, udpConnect, nil)
	if action != udpConnect || len(body) != 8 {
		c.t.Fatalf("connect is answered by %d, %q", action, body)
	}
	c.id = binary.BigEndian.Uint64(body)
}

// announcement is the body of an announce.
func announcement(id [20]byte, peer string, left uint64, event visitEvent, port uint16) []byte {
	b := append(id[:], peer...)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, left)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(event))
	b = append(b, 1, 2, 3, 4) // an address, which is not believed
	b = binary.BigEndian.AppendUint32(b, 77)
	b = binary.BigEndian.AppendUint32(b, 1<<32-1)
	return binary.BigEndian.AppendUint16(b, port)
}

func TestUDPTracker(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(listen, func(t *testing.T) {
			c := serving(t, Config{Listen: listen, UDP: true, Allow: func(id orch.ID) bool { return id[0] != 9 }})
			at := c.Addr()
			host := "127.0.0.1"
			if at.Addr().Is6() && !at.Addr().IsUnspecified() {
				host = "::1"
			}
			u := newUDPClient(t, net.JoinHostPort(host, fmt.Sprint(at.Port())))
			u.connect()
			id := [20]byte{1}
			if action, body := u.ask(u.id, udpAnnounce, announcement(id, "-XX0001-aaaaaaaaaaaa", 5, visitStarted, 6881)); action != udpAnnounce || len(body) != 12 {
				t.Fatalf("the first is answered by %d, %q", action, body)
			}
			action, body := u.ask(u.id, udpAnnounce, announcement(id, "-XX0001-bbbbbbbbbbbb", 0, visitCompleted, 6882))
			want := append(net.ParseIP(host).To16(), 0x1a, 0xe1)
			if host == "127.0.0.1" {
				want = []byte{127, 0, 0, 1, 0x1a, 0xe1}
			}
			if action != udpAnnounce || len(body) < 12 || !bytes.Equal(body[12:], want) {
				t.Fatalf("the second is answered by %d, %x, want the addresses %x", action, body, want)
			}
			another := announcement(id, "-XX0001-bbbbbbbbbbbb", 0, visitRegular, 6882)
			another[len(another)-7]++ // of the key
			if action, body := u.ask(u.id, udpAnnounce, another); action != udpAnnounce {
				t.Errorf("the same client with another key is answered by %d, %q", action, body)
			}
			if n := binary.BigEndian.Uint32(body); n < 60 || n > 70 {
				t.Errorf("the interval is %d s", n)
			}
			const counted = "[1 1 1 0 0 0]"
			got := ""
			for end := time.Now().Add(patience); got != counted && time.Now().Before(end); time.Sleep(scrapeEvery / 10) {
				action, body = u.ask(u.id, udpScrape, append(id[:], make([]byte, 20)...))
				numbers := make([]uint32, 6)
				if err := binary.Read(bytes.NewReader(body), binary.BigEndian, numbers); err != nil || action != udpScrape {
					t.Fatalf("a scrape is answered by %d, %x", action, body)
				}
				got = fmt.Sprint(numbers) // it may be a moment old
			}
			if got != counted {
				t.Errorf("scraped %s, want %s", got, counted)
			}
			if action, body := u.ask(u.id, udpAnnounce, announcement([20]byte{9}, "-XX0001-cccccccccccc", 5, visitStarted, 6883)); action != udpError || string(body) != refusedComposition {
				t.Errorf("another composition: %d, %q", action, body)
			}
		})
	}
}

// Whoever has no connection id of its own address lists nobody, and hears of nobody.
func TestUDPConnectionIsOfAnAddress(t *testing.T) {
	c := serving(t, Config{UDP: true})
	first, second := newUDPClient(t, c.Addr().String()), newUDPClient(t, c.Addr().String())
	first.connect()
	for name, id := range map[string]uint64{"another's id": first.id, "a guess": 1, "the magic": udpMagic} {
		if action, body := second.ask(id, udpAnnounce, announcement([20]byte{1}, "-XX0001-aaaaaaaaaaaa", 5, 0, 6881)); action != udpError {
			t.Errorf("%s: %d, %q", name, action, body)
		}
	}
	from := second.nc.LocalAddr().(*net.UDPAddr).AddrPort()
	now := time.Now()
	id := c.udp.connection(from, now)
	if !c.udp.connected(id, from, now.Add(udpConnected)) || c.udp.connected(id, from, now.Add(2*udpConnected)) {
		t.Error("a connection id is good for another time than it should be")
	}
}

func FuzzDatagram(f *testing.F) {
	head := binary.BigEndian.AppendUint64(nil, udpMagic)
	f.Add(append(head, 0, 0, 0, 0, 't', 'r', 'a', 'n'))
	f.Add(append(append(head, 0, 0, 0, 1, 't', 'r', 'a', 'n'), announcement([20]byte{1}, "-XX0001-aaaaaaaaaaaa", 5, 1, 6881)...))
	f.Add(append(append(head, 0, 0, 0, 2, 't', 'r', 'a', 'n'), make([]byte, 40)...))
	c := &Conductor{cfg: Config{}, inbox: make(chan event)}
	go func() {
		for ev := range c.inbox {
			switch ev := ev.(type) {
			case *visited:
				ev.answer = answer{found: []found{{four: addrAt("10.0.0.1:1"), six: addrAt("[2001:db8::1]:1")}}}
				ev.done <- struct{}{}
			case scraped:
				ev.reply <- make([]census, len(ev.ids))
			}
		}
	}()
	u := &udpTracker{c: c}
	f.Fuzz(func(t *testing.T, in []byte) {
		from := addrAt("10.1.2.3:4567")
		if len(in) >= udpHead && binary.BigEndian.Uint32(in[8:]) != udpConnect {
			binary.BigEndian.PutUint64(in, u.connection(from, time.Now()))
		}
		out := u.answer(t.Context(), in, from, nil)
		if len(out) > 0 && (len(in) < udpHead || !bytes.Equal(out[4:8], in[12:16])) {
			t.Errorf("%x is answered by %x", in, out)
		}
	})
}
