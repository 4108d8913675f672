package proto

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestPeerExchange(t *testing.T) {
	four, six := netip.MustParseAddrPort("192.0.2.1:6881"), netip.MustParseAddrPort("[2001:db8::1]:80")
	p := PeerExchange{
		Added: []netip.AddrPort{four, six}, Flags: []byte{PeerReachable, 2},
		Dropped: []netip.AddrPort{four, six},
	}
	b := p.Append(nil)
	want := "d5:added6:\xc0\x00\x02\x01\x1a\xe17:added.f1:\x106:added618:" +
		"\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01\x00\x50" + "8:added6.f1:\x02" +
		"7:dropped6:\xc0\x00\x02\x01\x1a\xe18:dropped618:" +
		"\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01\x00\x50e"
	if string(b) != want {
		t.Errorf("it is encoded as %q, want %q", b, want)
	}
	if got, err := ParsePeerExchange(b); err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("it comes back as %+v, %v", got, err)
	}
}

func TestPeerExchangeOfOthers(t *testing.T) {
	// One address of no host, one without a port, one cut off; keys of other kinds.
	got, err := ParsePeerExchange([]byte("d7:dropped1:x7:added.f1:\x015:added15:" +
		"\x00\x00\x00\x00\x00\x01" + "\x01\x02\x03\x04\x00\x00" + "abc" + "6:added6i1ee"))
	if err != nil || len(got.Added)+len(got.Dropped) > 0 {
		t.Errorf("it has %+v, %v", got, err)
	}
	many := strings.Repeat("\x01\x02\x03\x04\x00\x01", 1000)
	got, err = ParsePeerExchange([]byte("d5:added6000:" + many + "7:dropped6000:" + many + "e"))
	if err != nil || len(got.Added) != MaxExchanged || len(got.Dropped) != MaxExchanged {
		t.Errorf("of many come %d and %d, %v", len(got.Added), len(got.Dropped), err)
	}
	for _, payload := range []string{"", "le", "d5:added"} {
		if _, err := ParsePeerExchange([]byte(payload)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q is %v", payload, err)
		}
	}
}

func FuzzPeerExchange(f *testing.F) {
	f.Add([]byte("d5:added6:\xc0\x00\x02\x01\x1a\xe17:added.f1:\x10e"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := ParsePeerExchange(payload)
		if err != nil {
			return
		}
		if len(p.Added) > MaxExchanged || len(p.Dropped) > MaxExchanged || len(p.Flags) != len(p.Added) {
			t.Fatalf("%d came, %d flags, %d went", len(p.Added), len(p.Flags), len(p.Dropped))
		}
		again, err := ParsePeerExchange(p.Append(nil))
		if err != nil || len(again.Added) != len(p.Added) || len(again.Dropped) != len(p.Dropped) {
			t.Fatalf("%+v comes back as %+v, %v", p, again, err)
		}
	})
}
