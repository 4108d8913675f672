package conduct

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"orchestra/proto"
	"orchestra/proto/bencode"
)

// runningConductor serves on 127.0.0.1 until the test ends.
func runningConductor(t *testing.T, cfg Config) string {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c.Addr().String()
}

// announceHTTP asks as a BitTorrent client does, and decodes the answer.
func announceHTTP(t *testing.T, addr string, change func(q url.Values)) map[string]any {
	t.Helper()
	q := url.Values{
		"info_hash": {strings.Repeat("\xab", 20)}, "peer_id": {"-XX0001-aaaaaaaaaaaa"},
		"port": {"6881"}, "left": {"100"}, "uploaded": {"0"}, "downloaded": {"0"}, "compact": {"1"},
	}
	if change != nil {
		change(q)
	}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + addr + "/announce?" + q.Encode())
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

func TestGuestsFindEachOther(t *testing.T) {
	addr := runningConductor(t, Config{})
	first := announceHTTP(t, addr, nil)
	if first["peers"] != "" || first["interval"] != int64(60) {
		t.Errorf("first answer %v", first)
	}
	second := func(q url.Values) { q.Set("peer_id", "-XX0001-bbbbbbbbbbbb"); q.Set("port", "6882") }
	if got, want := announceHTTP(t, addr, second)["peers"], "\x7f\x00\x00\x01\x1a\xe1"; got != want {
		t.Errorf("second is told of %q, want %q", got, want)
	}
	full := announceHTTP(t, addr, func(q url.Values) { q.Set("compact", "0") })
	if got := fmt.Sprint(full["peers"]); got != "[map[ip:127.0.0.1 peer id:-XX0001-bbbbbbbbbbbb port:6882]]" {
		t.Errorf("the long form is %s", got)
	}
	announceHTTP(t, addr, func(q url.Values) { second(q); q.Set("event", "stopped") })
	if got := announceHTTP(t, addr, nil)["peers"]; got != "" {
		t.Errorf("told of %q, who left", got)
	}
	if got := announceHTTP(t, addr, func(q url.Values) { q.Set("key", "another") })["failure reason"]; got != refusedKey {
		t.Errorf("another key: %v", got)
	}
}

func TestMembersAndGuestsMeet(t *testing.T) {
	addr := runningConductor(t, Config{})
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(10 * time.Second))
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
	if got, want := announceHTTP(t, addr, nil)["peers"], "\x7f\x00\x00\x01\x27\x11"; got != want {
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
	addr := runningConductor(t, Config{Allow: func(id [20]byte) bool { return id[0] != 0 }})
	for name, change := range map[string]func(q url.Values){
		"short info_hash":   func(q url.Values) { q.Set("info_hash", "ab") },
		"no peer_id":        func(q url.Values) { q.Del("peer_id") },
		"port too large":    func(q url.Values) { q.Set("port", "65536") },
		"other composition": func(q url.Values) { q.Set("info_hash", strings.Repeat("\x00", 20)) },
	} {
		if got := announceHTTP(t, addr, change); got["failure reason"] == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	res, err := http.Get("http://" + addr + "/elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("elsewhere: %s", res.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}
