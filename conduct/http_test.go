package conduct

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"orchestra/orch"
	"orchestra/proto"
	"orchestra/proto/bencode"
)

// announceHTTP asks as a BitTorrent client does, and decodes the answer.
func announceHTTP(t *testing.T, at string, change func(q url.Values)) map[string]any {
	t.Helper()
	q := url.Values{
		"info_hash": {strings.Repeat("\xab", 20)}, "peer_id": {"-XX0001-aaaaaaaaaaaa"},
		"port": {"6881"}, "left": {"100"}, "uploaded": {"0"}, "downloaded": {"0"}, "compact": {"1"},
	}
	if change != nil {
		change(q)
	}
	return getBencoded(t, "http://"+at+"/announce?"+q.Encode())
}

// getBencoded decodes what is at a URL.
func getBencoded(t *testing.T, address string) map[string]any {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	v, err := bencode.Decode(b)
	if err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return v.(map[string]any)
}

// inside reports whether a number is in a range, its ends counted.
func inside(v any, least, most int64) bool {
	n, ok := v.(int64)
	return ok && least <= n && n <= most
}

func TestGuestsFindEachOther(t *testing.T) {
	at := serving(t, Config{}).Addr().String()
	first := announceHTTP(t, at, nil)
	if first["peers"] != "" || !inside(first["interval"], 60, 70) {
		t.Errorf("first answer %v", first)
	}
	second := func(q url.Values) { q.Set("peer_id", "-XX0001-bbbbbbbbbbbb"); q.Set("port", "6882") }
	if got, want := announceHTTP(t, at, second)["peers"], "\x7f\x00\x00\x01\x1a\xe1"; got != want {
		t.Errorf("second is told of %q, want %q", got, want)
	}
	full := announceHTTP(t, at, func(q url.Values) { q.Set("compact", "0") })
	if got := fmt.Sprint(full["peers"]); got != "[map[ip:127.0.0.1 peer id:-XX0001-bbbbbbbbbbbb port:6882]]" {
		t.Errorf("the long form is %s", got)
	}
	announceHTTP(t, at, func(q url.Values) { second(q); q.Set("event", "stopped") })
	if got := announceHTTP(t, at, nil)["peers"]; got != "" {
		t.Errorf("told of %q, who left", got)
	}
	if got := announceHTTP(t, at, func(q url.Values) { q.Set("key", "another") })["failure reason"]; got != refusedKey {
		t.Errorf("another key: %v", got)
	}
}

func TestMembersAndGuestsMeet(t *testing.T) {
	at := serving(t, Config{}).Addr().String()
	nc, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	id := [20]byte([]byte(strings.Repeat("\xab", 20)))
	hello := proto.Handshake{Protocol: proto.Orchestra, ID: id, PeerID: proto.PeerID{'m'}}.Append(nil)
	nc.Write(proto.Append(hello, proto.Announce{Port: 10001, Parts: 3, Want: 50}))
	if _, err := proto.ReadHandshake(nc, proto.Orchestra); err != nil {
		t.Fatal(err)
	}
	in := proto.NewConductorReader(nc)
	if msg, err := in.Next(); err != nil {
		t.Fatal(msg, err)
	}
	if got, want := announceHTTP(t, at, nil)["peers"], "\x7f\x00\x00\x01\x27\x11"; got != want {
		t.Errorf("the guest is told of %q, want %q", got, want)
	}
	for {
		msg, err := in.Next()
		if err != nil {
			t.Fatal("the member was not told of the guest:", err)
		}
		if j, ok := msg.(proto.Joined); ok {
			if got := fmt.Sprint(j.Members[0].Addrs); got != "[127.0.0.1:6881]" {
				t.Errorf("the guest is at %s", got)
			}
			return
		}
	}
}

func TestMalformedAnnouncements(t *testing.T) {
	at := serving(t, Config{Allow: func(id orch.ID) bool { return id[0] != 0 }}).Addr().String()
	for name, change := range map[string]func(q url.Values){
		"short info_hash":   func(q url.Values) { q.Set("info_hash", "ab") },
		"no peer_id":        func(q url.Values) { q.Del("peer_id") },
		"port too large":    func(q url.Values) { q.Set("port", "65536") },
		"other composition": func(q url.Values) { q.Set("info_hash", strings.Repeat("\x00", 20)) },
	} {
		if got := announceHTTP(t, at, change); got["failure reason"] == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	for path, want := range map[string]int{
		"/elsewhere": http.StatusNotFound, "/announce/x": http.StatusNotFound,
		"/announce?" + strings.Repeat("x", httpHeader+5000): http.StatusRequestHeaderFieldsTooLarge,
	} {
		client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Get("http://" + at + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%.20s: %s, want %d", path, res.Status, want)
		}
	}
}

// Half a request, a request one byte at a time that never ends, and one whose answer is not waited
// for: all end.
func TestHalfARequestEnds(t *testing.T) {
	c := serving(t, Config{HandshakeTimeout: 100 * time.Millisecond})
	for _, text := range []string{"G", "GET /announce", "GET /announce HTTP/1.1\r\nHost: x\r\n", "GARBAGE\r\n\r\n", "POST /announce HTTP/1.1\r\nHost: x\r\n\r\n"} {
		nc := dial(t, c.Addr().String())
		nc.SetReadDeadline(time.Now().Add(patience))
		if _, err := nc.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the connection of %q stands", text)
		}
	}
}

func guestAt(s *script, n int, at seat, change func(v *webGuest)) []found {
	s.t.Helper()
	v := webGuest{
		arrival: arrival{
			0, testID, proto.PeerID{'-', 'X', 'X', byte(n)}, at, plain(n), proto.Named{}, "",
		},
	}
	if change != nil {
		change(&v)
	}
	a, out := s.reg.receive(s.now, v, nil, nil)
	s.did(out)
	if a.refused != "" {
		s.t.Fatalf("guest %d is refused: %s", n, a.refused)
	}
	s.check()
	return a.found
}

// A guest is listed for two intervals from its latest announce; members are told when it comes and
// when it is gone, once each.
func TestGuestIsListedForTwoIntervals(t *testing.T) {
	s := newScript(t, testLimits, 1)
	m, _ := s.join(peerN(1), farSeat(1), plain(1))
	if got := guestAt(s, 2, farSeat(2), nil); len(got) != 1 || got[0].peer != peerN(1) {
		t.Errorf("the guest was told of %v", got)
	}
	wait := func(d time.Duration) {
		for end := s.now.Add(d); s.now.Before(end); {
			s.now = s.now.Add(time.Second)
			if int(s.now.Unix())%30 == 0 {
				s.did(s.reg.ping(s.now, m, nil))
			}
			s.did(s.reg.expire(s.now, nil))
		}
		s.check()
	}
	for i, wantKnown := range []int{1, 1, 0} {
		wait([]time.Duration{visitEvery, visitSilence - time.Second, time.Second}[i])
		if got := len(s.known[m]); got != wantKnown {
			t.Errorf("wait %d: the member knows %d, want %d", i, got, wantKnown)
		}
		if i == 0 {
			if out := s.did(guestAgain(s)); count(out, func(tell) bool { return true }) != 0 {
				t.Errorf("announcing again told the member %v", out)
			}
		}
	}
	guestAt(s, 2, farSeat(2), nil)
	guestAt(s, 2, farSeat(2), func(v *webGuest) { v.event = visitStopped })
	if len(s.known[m]) != 0 || len(s.reg.expiry) != 1 {
		t.Error("a guest that stopped is listed")
	}
}

func guestAgain(s *script) []effect {
	v := webGuest{
		arrival: arrival{
			0, testID, proto.PeerID{'-', 'X', 'X', 2}, farSeat(2), plain(2), proto.Named{}, "",
		},
	}
	_, out := s.reg.receive(s.now, v, nil, nil)
	return out
}

// A guest where no dial back is answered is told of others, but they are not told of it; nor is one
// that says port 0.
func TestGuestIsDialledBack(t *testing.T) {
	s := newScript(t, testLimits, 1)
	v := webGuest{
		arrival: arrival{
			0, testID, proto.PeerID{'-', 'X', 'X', 2}, farSeat(2), plain(2), proto.Named{}, "",
		},
	}
	_, out := s.reg.receive(s.now, v, nil, nil)
	if count(out, func(d dialBack) bool { return d.host == farSeat(2).from.Addr().String()+":10001" }) != 1 {
		t.Fatalf("effects %v, want a dial back", out)
	}
	s.answer(s.did(out), false)
	guestAt(s, 3, farSeat(3), func(v *webGuest) { v.ann.Port = 0 })
	m, _ := s.join(peerN(1), farSeat(1), plain(1))
	if len(s.known[m]) != 0 {
		t.Errorf("a member was told of %v", s.known[m])
	}
	if got := guestAt(s, 4, farSeat(4), nil); len(got) != 1 {
		t.Errorf("a guest was told of %v", got)
	}
}

// A guest may not take a member's place, nor another guest's without its key.
func TestGuestTakesNobodysPlace(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.join(peerN(1), farSeat(1), plain(1))
	visit := func(peer proto.PeerID, query string, at seat, stopped bool) string {
		v, _, err := parseVisit([]byte("info_hash="+url.QueryEscape(string(testID[:]))+
			"&peer_id="+url.QueryEscape(string(peer[:]))+"&port=7"+query), nil, at)
		if err != nil {
			t.Fatal(err)
		}
		if stopped {
			v.event = visitStopped
		}
		a, out := s.reg.receive(s.now, v, nil, nil)
		s.did(out)
		s.check()
		return a.refused
	}
	keyed, bare := proto.PeerID{'k'}, proto.PeerID{'b'}
	for _, c := range []struct {
		name  string
		peer  proto.PeerID
		query string
		at    int
		want  string
	}{
		{"a member's place", peerN(1), "&key=x", 1, refusedKey},
		{"a key", keyed, "&key=x", 2, ""},
		{"the same key, elsewhere", keyed, "&key=x", 3, ""},
		{"another key", keyed, "&key=y", 3, refusedKey},
		{"no key", keyed, "", 3, refusedKey},
		{"never a key", bare, "", 4, ""},
		{"never a key, again", bare, "", 4, ""},
		{"never a key, elsewhere", bare, "", 5, refusedKey},
		{"a key from nowhere", bare, "&key=from+10.1.0.4", 5, refusedKey},
	} {
		if got := visit(c.peer, c.query, farSeat(c.at), false); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if c.want != "" {
			if visit(c.peer, c.query, farSeat(c.at), true); s.reg.comps[testID].byPeer[c.peer] == nil {
				t.Errorf("%s: stopped it", c.name)
			}
		}
	}
}
