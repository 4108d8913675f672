package proto

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

var (
	keyA  = [16]byte([]byte("sixteen bytes ok"))
	peerA = PeerID([]byte("-OR0100-aaaaaaaaaaaa"))
	peerB = PeerID([]byte("-OR0100-bbbbbbbbbbbb"))
)

const (
	hexKeyA  = "7369787465656e206279746573206f6b"
	hexPeerA = "2d4f52303130302d616161616161616161616161"
	hexPeerB = "2d4f52303130302d626262626262626262626262"
	hexV6    = "06 20010db8000000000000000000000001 2711"
)

// conductorMessages has each message of a conductor connection.
func conductorMessages() []struct {
	m     Message
	frame string // without its length
} {
	return []struct {
		m     Message
		frame string
	}{
		{KeepAlive{}, ""},
		{
			Announce{keyA, 10001, addrs("10.0.0.1:10001", "[2001:db8::1]:10001"), "a.b:80", 9, 3, 50},
			"40" + hexKeyA + "2711 00000009 00000003 32 02 04 0a000001 2711" + hexV6 + "06 612e623a3830",
		},
		{Announce{}, "40" + strings.Repeat("00", 16) + "0000 00000000 00000000 00 00 00"},
		{Progress{3, 1 << 40, 1<<64 - 1}, "41 00000003 0000010000000000 ffffffffffffffff"},
		{Complain{peerA, 7}, "42" + hexPeerA + "00000007"},
		{Welcome{netip.MustParseAddrPort("192.0.2.1:50000")}, "50 04 c0000201 c350"},
		{Welcome{}, "50 00"},
		{
			Joined{[]Member{{peerA, addrs("192.0.2.1:1")}, {peerB, addrs("[2001:db8::1]:10001", "0.0.0.0:0")}}},
			"51 02" + hexPeerA + "01 04 c0000201 0001" + hexPeerB + "02" + hexV6 + "04 00000000 0000",
		},
		{Joined{[]Member{}}, "51 00"},
		{Left{[]PeerID{peerA, peerB}}, "52 02" + hexPeerA + hexPeerB},
		{Left{[]PeerID{}}, "52 00"},
		{Reachable{true, netip.MustParseAddrPort("192.0.2.1:10001")}, "53 01 04 c0000201 2711"},
		{Reachable{}, "53 00 00"},
		{Refused{"nö"}, "54 03 6ec3b6"},
		{Refused{}, "54 00"},
		{Named{[8]byte([]byte("a place!")), "lab-ö"}, "43 6120706c61636521 06 6c61622dc3b6"},
		{Named{}, "43 0000000000000000 00"},
		{Titled{"ö.iso"}, "46 06 c3b62e69736f"},
		{Titled{}, "46 00"},
		{Await{200}, "44 000000c8"},
		{Ask{1000}, "45 03e8"},
		{Copies{1<<32 - 1}, "55 ffffffff"},
		{
			Status{[20]byte(peerA), 2, 187, 200, 13, 40, 5},
			"56" + hexPeerA + "0002 000000bb 000000c8 0000000d 00000028 0005",
		},
		{Status{Left: LeftUnknown}, "56" + strings.Repeat("00", 34) + "ffffffff 0000"},
		{
			Standings{[]Standing{{3, 9, 7, netip.MustParseAddrPort("192.0.2.1:1"), "a"}, {9, 9, 0, netip.AddrPort{}, ""}}},
			"57 02 00000003 00000009 00000007 04 c0000201 0001 01 61 00000009 00000009 00000000 00 00",
		},
		{Standings{[]Standing{}}, "57 00"},
		{
			About{[20]byte(peerA), 7, 3, 2, "a"},
			"5a" + hexPeerA + "00000007 00000003 00000002 01 61",
		},
		{About{}, "5a" + strings.Repeat("00", 33)},
		{Listed{101}, "58 00000065"},
		{Accused{9}, "59 00000009"},
		{Listed{1<<32 - 1}, "58 ffffffff"},
		{Watch{2}, "5b 02"},
		{Content{1 << 40, 1 << 24, "ö 0.4"}, "47 0000010000000000 01000000 06 c3b620302e34"},
		{Holds{258, []byte{0x80, 1}}, "48 00000102 0002 8001"},
		{Holds{0, []byte{}}, "48 00000000 0000"},
		{Received{[]Source{{peerA, 1 << 33}}}, "49 01" + hexPeerA + "0000000200000000"},
		{Received{[]Source{}}, "49 00"},
		{Waits{"nö"}, "4a 03 6ec3b6"},
		{Open{258, [20]byte(peerB), peerA}, "60 0102" + hexPeerB + hexPeerA},
		{Within{3, []byte{0x59, 0, 0, 0, 9}}, "61 0003 59 00000009"},
		{Shut{65535}, "62 ffff"},
		{Unknown{99}, "63"},
	}
}

func TestConductorMessages(t *testing.T) {
	var stream []byte
	for _, c := range conductorMessages() {
		frame := unhex(t, c.frame)
		got := Append(nil, c.m)
		if !bytes.Equal(got[lengthSize:], frame) || int(got[3]) != len(frame) {
			t.Errorf("%#v: frame % x, expected % x", c.m, got, frame)
		}
		m, err := DecodeConductor(frame)
		if err != nil || !reflect.DeepEqual(m, c.m) {
			t.Errorf("% x: %#v, %v, expected %#v", frame, m, err, c.m)
		}
		stream = append(stream, got...)
		_, unknown := c.m.(Unknown)
		_, within := c.m.(Within) // which has its frame checked by who reads that
		if len(frame) == 0 || unknown || within {
			continue
		}
		if m, err := DecodeConductor(append(frame, 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%T with a byte left over: %#v, %v", c.m, m, err)
		}
		for cut := 1; cut < len(frame); cut++ {
			if m, err := DecodeConductor(frame[:cut]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%T cut at byte %d: %#v, %v", c.m, cut, m, err)
			}
		}
	}
	r := NewConductorReader(iotest.OneByteReader(bytes.NewReader(stream)))
	for _, c := range conductorMessages() {
		if m, err := r.Next(); err != nil || !reflect.DeepEqual(m, c.m) {
			t.Fatalf("read %#v, %v, expected %#v", m, err, c.m)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last message: %v, expected io.EOF", err)
	}
}

func TestDecodeConductorRefuses(t *testing.T) {
	addr := "04 c0000201 0001"
	for name, in := range map[string]string{
		"an empty message within":    "61 0003",
		"within half a channel":      "61 00",
		"have beyond parts":          "40" + hexKeyA + "2711 00000002 00000003 32 00 00",
		"holds of 1,025 bytes":       "48 00000000 0401" + strings.Repeat("00", 1025),
		"holds of 65,535 bytes":      "48 00000000 ffff 00",
		"received from 17":           "49 11" + strings.Repeat("00", 17*28),
		"received of two, there one": "49 02" + strings.Repeat("00", 28),
		"a version of 65 bytes":      "47" + strings.Repeat("00", 12) + "41" + strings.Repeat("61", 65),
		"a reason that is no UTF-8":  "4a 01 ff",
		"five addresses":             "40" + hexKeyA + "2711 00000002 00000001 32 05" + strings.Repeat(addr, 5) + "00",
		"advertise with a space":     "40" + hexKeyA + "2711 00000002 00000001 32 00 03 61 20 62",
		"advertise with an escape":   "40" + hexKeyA + "2711 00000002 00000001 32 00 01 1b",
		"no address in a list":       "40" + hexKeyA + "2711 00000002 00000001 32 01 00" + strings.Repeat("00", 8),
		"address family 5":           "50 05 c0000201 c350",
		"IPv4 mapped into IPv6":      "50 06 00000000000000000000ffffc0000201 c350",
		"member without an address":  "51 01" + hexPeerA + "00" + addr,
		"51 members":                 "51 33" + strings.Repeat(hexPeerA+"01"+addr, 51),
		"more members than bytes":    "51 02" + hexPeerA + "01" + addr,
		"51 that left":               "52 33" + strings.Repeat(hexPeerA, 51),
		"outcome 2":                  "53 02 00",
		"reason is no UTF-8":         "54 01 ff",
		"label is no UTF-8":          "43 0000000000000000 01 ff",
		"label of 65 bytes":          "43 0000000000000000 41" + strings.Repeat("61", 65),
		"title is no UTF-8":          "46 01 ff",
		"more clients complete":      "5a" + hexPeerA + "00000000 00000001 00000002 00",
		"51 standings":               "57 33" + strings.Repeat("00000000 00000000 00000000 00 00", 51),
		"more standings than bytes":  "57 02 00000000 00000000 00000000 00 00",
		"standing beyond parts":      "57 01 00000002 00000001 00000000 00 00",
		"too many rows":              "56" + hexPeerA + "0000 00000000 00000000 00000000 00000000 03e9",
		"too many compositions":      "56" + hexPeerA + "03e8 00000000 00000000 00000000 00000000 0000",
		"more complete than known":   "56" + hexPeerA + "0000 00000002 00000001 00000000 00000000 0000",
	} {
		if m, err := DecodeConductor(unhex(t, in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %#v, %v, expected ErrMalformed", name, m, err)
		}
	}
}

func TestConductorReaderLimits(t *testing.T) {
	r := NewConductorReader(bytes.NewReader(unhex(t, "00002001 63")))
	if _, err := r.Next(); !errors.Is(err, ErrMalformed) {
		t.Errorf("a frame over the limit: %v, expected ErrMalformed", err)
	}
	long := append(unhex(t, "00002000 63"), make([]byte, MaxConductorFrame-1)...)
	long = Append(long, Left{[]PeerID{peerA}})
	r = NewConductorReader(iotest.HalfReader(bytes.NewReader(long)))
	if m, err := r.Next(); m != (Unknown{99}) || err != nil {
		t.Errorf("a frame at the limit: %#v, %v", m, err)
	}
	if m, err := r.Next(); err != nil || !reflect.DeepEqual(m, Left{[]PeerID{peerA}}) {
		t.Errorf("then %#v, %v", m, err)
	}
	r = NewConductorReader(bytes.NewReader(unhex(t, "00000003 52 00")))
	for range 2 {
		if _, err := r.Next(); err != io.ErrUnexpectedEOF {
			t.Errorf("a frame cut short: %v, expected io.ErrUnexpectedEOF", err)
		}
	}
}

// What is over a limit is not sent, so that the remote never ends the
// connection for it.
func TestAppendKeepsLimits(t *testing.T) {
	six := addrs("192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1", "192.0.2.4:1", "192.0.2.5:1", "192.0.2.6:1")
	full := Member{peerA, addrs(
		"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8::4]:1",
	)}
	sixty := make([]Member, 60)
	for i := range sixty {
		sixty[i] = full
	}
	mixed := []netip.AddrPort{{}, netip.MustParseAddrPort("[::ffff:192.0.2.1]:1"), netip.MustParseAddrPort("[fe80::1%eth0]:1")}
	for _, c := range []struct{ m, want Message }{
		{Announce{Addrs: six}, Announce{Addrs: six[:4]}},
		{Announce{Addrs: mixed}, Announce{Addrs: addrs("192.0.2.1:1", "[fe80::1]:1")}},
		{Announce{Advertise: strings.Repeat("a", 256)}, Announce{}},
		{Joined{sixty}, Joined{sixty[:50]}},
		{Joined{[]Member{{peerA, nil}, {peerB, six}, {peerA, mixed[:1]}}}, Joined{[]Member{{peerB, six[:4]}}}},
		{Left{make([]PeerID, 300)}, Left{make([]PeerID, 50)}},
		{Refused{strings.Repeat("a", 300)}, Refused{strings.Repeat("a", 255)}},
		{Refused{strings.Repeat("ö", 300)}, Refused{strings.Repeat("ö", 127)}},
		{Refused{"\xff"}, Refused{"?"}},
		{Named{Label: strings.Repeat("ö", 40)}, Named{Label: strings.Repeat("ö", 32)}},
		{Named{Label: "a\xff"}, Named{Label: "a?"}},
		{Titled{strings.Repeat("ö", 200)}, Titled{strings.Repeat("ö", 127)}},
		{About{Title: "a\xff"}, About{Title: "a?"}},
		{
			Standings{make([]Standing, 60)},
			Standings{make([]Standing, 50)},
		},
	} {
		frame := Append(nil, c.m)
		if len(frame)-lengthSize > MaxConductorFrame {
			t.Errorf("%T in a frame of %d bytes", c.m, len(frame))
		}
		if got, err := DecodeConductor(frame[lengthSize:]); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v\narrives as %#v, %v", c.m, got, err)
		}
		if r, ok := c.want.(Refused); ok && !utf8.ValidString(r.Reason) {
			t.Errorf("reason %q", r.Reason)
		}
	}
	rows := make([]Standing, MaxMembers)
	for i := range rows {
		rows[i] = Standing{Addr: full.Addrs[0], Label: strings.Repeat("a", MaxLabel)}
	}
	if got := len(Append(nil, Standings{rows})); got > MaxConductorFrame {
		t.Errorf("full standings have %d bytes", got)
	}
	if got, want := len(Append(nil, Joined{sixty}))-lengthSize, 4852; got != want {
		t.Errorf("the longest message has %d bytes, expected %d as MaxConductorFrame says", got, want)
	}
}
