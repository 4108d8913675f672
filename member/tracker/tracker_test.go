package tracker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"orchestra/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var sample = Announcement{
	ID: [20]byte{1, ' ', '&', 0xff}, PeerID: proto.PeerID{'-', 'O', 'R'}, Port: 10001, Key: 0xab, Event: Started, Want: 50,
	Uploaded: 1, Downloaded: 2, Left: 3, TrackerID: "x y",
}

// serving answers each request with a body, and keeps the latest one.
func serving(t *testing.T, answer func(w http.ResponseWriter, req *http.Request)) (at string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(srv.Close)
	return srv.URL
}

func client(t *testing.T) *Client {
	c := &Client{Agent: "test"}
	t.Cleanup(c.Close)
	return c
}

func TestHTTP(t *testing.T) {
	var got url.Values
	var own string
	at := serving(t, func(w http.ResponseWriter, req *http.Request) {
		got, own = req.URL.Query(), req.URL.Query().Get("passkey")
		fmt.Fprint(w, "d8:completei1e8:intervali900e12:min intervali60e5:peers12:\x0a\x00\x00\x01\x01\x02\x0a\x00\x00\x02\x00\x00"+
			"6:peers618:\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x03\x0410:tracker id3:abc15:warning message4:slowe")
	})
	answer, err := client(t).Announce(t.Context(), at+"/announce?passkey=p", sample)
	want := Answer{
		Peers:    []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:258"), netip.MustParseAddrPort("[2001:db8::1]:772")},
		Interval: 15 * time.Minute, Least: time.Minute, Warning: "slow", TrackerID: "abc",
	}
	if diff := cmp.Diff(want, answer, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); err != nil || diff != "" {
		t.Errorf("answer (-want +got): %v %s", err, diff)
	}
	for key, want := range map[string]string{
		"info_hash": string(sample.ID[:]), "peer_id": string(sample.PeerID[:]), "port": "10001", "key": "000000ab", "event": "started",
		"numwant": "50", "uploaded": "1", "downloaded": "2", "left": "3", "compact": "1", "trackerid": "x y",
	} {
		if got.Get(key) != want {
			t.Errorf("%s is %q, want %q", key, got.Get(key), want)
		}
	}
	if own != "p" {
		t.Errorf("the tracker's own query is %q", own)
	}
}

func TestHTTPAnswers(t *testing.T) {
	body := ""
	at := serving(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/announce/conducts" {
			w.Header().Set("Server", "Orchestra")
		}
		fmt.Fprint(w, body)
	})
	c := client(t)
	for name, test := range map[string]struct{ body, want string }{
		"a list":          {"d8:intervali60e5:peersld2:ip8:10.0.0.94:porti7eed2:ip4:name4:porti7eed2:ip8:10.0.0.84:porti70000eeee", "[10.0.0.9:7]"},
		"nobody":          {"d8:intervali60e5:peers0:e", "[]"},
		"no interval":     {"d5:peers0:e", "[]"},
		"refused":         {"d14:failure reason2:noe", `it refused: "no"`},
		"never":           {"d14:failure reason2:no8:retry in5:nevere", `it refused: "no"`},
		"cut off":         {"d8:intervali60e5:peers5:aaaaae", "its list of peers is cut off"},
		"a page":          {"<html>", "it does not answer like a tracker"},
		"no dictionary":   {"le", "it does not answer like a tracker"},
		"without end":     {"d5:peers" + strings.Repeat("9", longest+1), "its answer has no end"},
		"hosts of no one": {"d5:peers12:\x00\x00\x00\x00\x01\x02\xe0\x00\x00\x01\x01\x02e", "[]"},
	} {
		body = test.body
		answer, err := c.Announce(t.Context(), at+"/announce", sample)
		got := fmt.Sprint(answer.Peers)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		if err == nil && (answer.Interval < leastInterval || answer.Conducts) {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	body = "d14:failure reason2:no8:retry in1:5e"
	var refused *RefusedError
	if _, err := c.Announce(t.Context(), at+"/announce", sample); !errors.As(err, &refused) || refused.After != 5*time.Minute {
		t.Errorf("retry in: %v", err)
	}
	body = "d5:peers0:e"
	if answer, err := c.Announce(t.Context(), at+"/announce/conducts", sample); err == nil && answer.Conducts {
		t.Error("what is no tracker's path was asked on this machine")
	}
	body = "d5:peers" + strings.Repeat("x", 10)
	if _, err := c.Announce(t.Context(), "gopher://x/announce", sample); err == nil {
		t.Error("a scheme that is not known was taken")
	}
}

// A torrent cannot have a member ask for anything else on its own network than for an announcement,
// and a tracker elsewhere cannot send it there.
func TestNothingElseIsAskedFor(t *testing.T) {
	asked := 0
	inside := serving(t, func(w http.ResponseWriter, req *http.Request) { asked++; fmt.Fprint(w, "d5:peers0:e") })
	outside := serving(t, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, inside+"/reboot?now", http.StatusFound)
	})
	c := client(t)
	for _, address := range []string{inside + "/reboot?now", outside + "/announce"} {
		if _, err := c.Announce(t.Context(), address, sample); err == nil {
			t.Errorf("%s was asked for", address)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests came through", asked)
	}
}

// udpTracker answers as BEP 15 has it, and loses the first datagram of each kind.
func udpTracker(t *testing.T, answer func(in []byte) []byte) (at string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-done })
	go func() {
		defer close(done)
		in := make([]byte, 2048)
		for {
			n, from, err := pc.ReadFrom(in)
			if err != nil {
				return
			}
			if out := answer(in[:n]); out != nil {
				pc.WriteTo(out, from)
			}
		}
	}()
	return "udp://" + pc.LocalAddr().String() + "/announce?k=1"
}

func TestUDP(t *testing.T) {
	var mu sync.Mutex // of what follows
	ids, lost := uint64(100), map[uint32]bool{}
	var heard []byte
	connects := 0
	at := udpTracker(t, func(in []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		id, action, transaction := binary.BigEndian.Uint64(in), binary.BigEndian.Uint32(in[8:]), in[12:16]
		if !lost[action] {
			lost[action] = true
			return nil
		}
		out := append(binary.BigEndian.AppendUint32(nil, action), transaction...)
		switch {
		case action == actionConnect && id == magic:
			connects++
			ids++
			return binary.BigEndian.AppendUint64(out, ids)
		case action == actionAnnounce && id == ids:
			heard = append([]byte(nil), in...)
			return append(out, 0, 0, 3, 0x84, 0, 0, 0, 1, 0, 0, 0, 2, 10, 0, 0, 1, 1, 2, 10)
		}
		return append(append(binary.BigEndian.AppendUint32(nil, actionError), transaction...), "old id"...)
	})
	c := client(t)
	for range 2 {
		answer, err := c.Announce(t.Context(), at, sample)
		if err != nil || fmt.Sprint(answer.Peers) != "[10.0.0.1:258]" || answer.Interval != 15*time.Minute {
			t.Fatalf("%+v, %v", answer, err)
		}
	}
	mu.Lock()
	if connects != 1 {
		t.Errorf("it connected %d times for two questions", connects)
	}
	if len(heard) < 98 || string(heard[16:36]) != string(sample.ID[:]) || binary.BigEndian.Uint32(heard[80:]) != uint32(Started) ||
		binary.BigEndian.Uint16(heard[96:]) != 10001 || string(heard[98:]) != "\x02\x0d/announce?k=1\x00" {
		t.Errorf("it heard %q", heard)
	}
	ids += 10 // the tracker was started anew
	mu.Unlock()
	if _, err := c.Announce(t.Context(), at, sample); err != nil {
		t.Error("a connection id that is too old is not renewed:", err)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("d8:intervali900e5:peers6:\x0a\x00\x00\x01\x01\x02e"))
	f.Add([]byte("d14:failure reason2:no8:retry in5:nevere"))
	f.Add([]byte("d5:peersld2:ip8:10.0.0.94:porti7eeee"))
	f.Add([]byte{0, 0, 3, 0x84, 0, 0, 0, 1, 0, 0, 0, 2, 10, 0, 0, 1, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, parse := range []func([]byte) (Answer, error){
			parseHTTP,
			func(b []byte) (Answer, error) { return parseUDP(b, true) },
			func(b []byte) (Answer, error) { return parseUDP(b, false) },
		} {
			answer, err := parse(b)
			if err != nil {
				continue
			}
			if len(answer.Peers) > mostPeers || answer.Interval < 0 || answer.Least < 0 {
				t.Errorf("%q: %+v", b, answer)
			}
			for _, at := range answer.Peers {
				if !at.IsValid() || at.Port() == 0 {
					t.Errorf("%q tells of %v", b, at)
				}
			}
		}
	})
}
