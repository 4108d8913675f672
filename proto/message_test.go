package proto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// unhex returns bytes written in hex with spaces and line ends between.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

// peerMessages has each message between members once.
var peerMessages = []struct {
	m     Message
	frame string
}{
	{KeepAlive{}, "00000000"},
	{Choke{}, "00000001 00"},
	{Unchoke{}, "00000001 01"},
	{Interested{}, "00000001 02"},
	{NotInterested{}, "00000001 03"},
	{Have{0x01020304}, "00000005 04 01020304"},
	{Bitfield{[]byte{0xff, 0x80}}, "00000003 05 ff80"},
	{Bitfield{[]byte{}}, "00000001 05"},
	{Request{1, 2, 0xffffffff}, "0000000d 06 00000001 00000002 ffffffff"},
	{Piece{1, 2, 3}, "0000000c 07 00000001 00000002"},
	{Cancel{1, 2, 3}, "0000000d 08 00000001 00000002 00000003"},
	{Port{0x1ae1}, "00000003 09 1ae1"},
	{Suggest{5}, "00000005 0d 00000005"},
	{HaveAll{}, "00000001 0e"},
	{HaveNone{}, "00000001 0f"},
	{Reject{1, 2, 3}, "0000000d 10 00000001 00000002 00000003"},
	{AllowedFast{5}, "00000005 11 00000005"},
	{Extended{3, []byte("abc")}, "00000005 14 03 616263"},
	{Extended{0, []byte{}}, "00000002 14 00"},
	{Unknown{200}, "00000001 c8"},
}

func TestAppendPeerMessages(t *testing.T) {
	for _, c := range peerMessages {
		got := Append([]byte("before"), c.m)
		want := append([]byte("before"), unhex(t, c.frame)...)
		if !bytes.Equal(got, want) {
			t.Errorf("%#v: frame % x, expected % x", c.m, got, want)
		}
	}
}

// peerStream returns all messages one after the other, and contents of pieces.
func peerStream(t testing.TB) []byte {
	var b []byte
	for _, c := range peerMessages {
		b = Append(b, c.m)
		if p, ok := c.m.(Piece); ok {
			b = append(b, make([]byte, p.Length)...)
		}
	}
	return b
}

func TestReaderReadsEveryMessage(t *testing.T) {
	stream := peerStream(t)
	for name, in := range map[string]io.Reader{
		"at once":        bytes.NewReader(stream),
		"byte by byte":   iotest.OneByteReader(bytes.NewReader(stream)),
		"half by half":   iotest.HalfReader(bytes.NewReader(stream)),
		"end with bytes": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		r := NewReader(in, 100, 0)
		for _, c := range peerMessages {
			m, err := r.Next()
			if err != nil {
				t.Fatalf("%s: %#v: %v", name, c.m, err)
			}
			if !reflect.DeepEqual(m, c.m) {
				t.Fatalf("%s: read %#v, expected %#v", name, m, c.m)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("%s: after the last message: %v, expected io.EOF", name, err)
		}
	}
}

func TestReaderCutAnywhere(t *testing.T) {
	stream := peerStream(t)
	ends := map[int]bool{0: true}
	n := 0
	for _, c := range peerMessages {
		n += len(Append(nil, c.m))
		if p, ok := c.m.(Piece); ok {
			n += p.Length
		}
		ends[n] = true
	}
	for cut := range stream {
		r := NewReader(bytes.NewReader(stream[:cut]), 100, 0)
		var err error
		for err == nil {
			_, err = r.Next()
		}
		want := io.ErrUnexpectedEOF
		if ends[cut] {
			want = io.EOF
		}
		if err != want {
			t.Errorf("cut at byte %d: %v, expected %v", cut, err, want)
		}
		if _, again := r.Next(); again != err {
			t.Errorf("cut at byte %d: the error after %v is %v", cut, err, again)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"frame over the limit":       "00000065 05",
		"frame over 31 bits":         "ffffffff 07",
		"bitfield over 31 bits":      "ffffffff 05",
		"unknown over 31 bits":       "80000000 c8",
		"choke with payload":         "00000002 00 00",
		"have too short":             "00000004 04 000000",
		"have too long":              "00000006 04 00000000 00",
		"request too short":          "0000000c 06 00000000 00000000 000000",
		"request too long":           "0000000e 06 00000000 00000000 00000000 00",
		"reject too long":            "0000000e 10 00000000 00000000 00000000 00",
		"port too long":              "00000004 09 0000 00",
		"have all with payload":      "00000002 0e 00",
		"piece without its begin":    "00000005 07 00000000",
		"extended without its id":    "00000001 14",
		"length known, nothing more": "7fffffff",
	} {
		r := NewReader(bytes.NewReader(unhex(t, in)), 100, 0)
		if m, err := r.Next(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %#v, %v, expected ErrMalformed", name, m, err)
		}
	}
	for name, frame := range map[string][]byte{
		"piece over its limit":    Append(nil, Piece{0, 0, MaxPiece + 1}),
		"extended over its limit": {0, 1, 0, 1, idExtended, 0},
	} {
		r := NewReader(bytes.NewReader(frame), 1<<20, 0)
		if m, err := r.Next(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %#v, %v, expected ErrMalformed", name, m, err)
		}
	}
}

func TestAppendPanicsOnNoMessage(t *testing.T) {
	for _, m := range []Message{nil, &Have{}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%#v was encoded", m)
				}
			}()
			Append(nil, m)
		}()
	}
}

func TestEndIsWide(t *testing.T) {
	const most = 1<<32 - 1
	for _, m := range []interface{ End() int64 }{
		Request{0, most, most}, Cancel{0, most, most}, Reject{0, most, most},
	} {
		if got := m.End(); got != 2*most {
			t.Errorf("%T: End %d, expected %d", m, got, int64(2*most))
		}
	}
	if got := (Piece{0, most, 1}).End(); got != most+1 {
		t.Errorf("Piece: End %d, expected %d", got, int64(most+1))
	}
}

func TestCheckBits(t *testing.T) {
	for _, c := range []struct {
		bits  string
		parts int
		ok    bool
	}{
		{"", 0, true},
		{"00", 0, false},
		{"80", 1, true},
		{"c0", 1, false},
		{"81", 1, false},
		{"", 1, false},
		{"fe", 7, true},
		{"ff", 7, false},
		{"ff", 8, true},
		{"ff00", 8, false},
		{"ff", 9, false},
		{"ff80", 9, true},
		{"ff40", 9, false},
		{"ff8000", 9, false},
	} {
		err := CheckBits(unhex(t, c.bits), c.parts)
		if (err == nil) != c.ok {
			t.Errorf("bits %q for %d parts: %v", c.bits, c.parts, err)
		}
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("bits %q for %d parts: %v, expected ErrMalformed", c.bits, c.parts, err)
		}
	}
}

func TestMaxFrame(t *testing.T) {
	if got, want := MaxFrame(1), 9+MaxPiece; got != want {
		t.Errorf("for 1 part: %d, expected %d", got, want)
	}
	if got, want := MaxFrame(80_000_001), 1+10_000_001; got != want {
		t.Errorf("for 80,000,001 parts: %d, expected %d", got, want)
	}
}

func TestPeerID(t *testing.T) {
	p, err := NewPeerID(bytes.NewReader([]byte{0, 1, 9, 10, 35, 36, 61, 62, 63, 64, 128, 255}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.String(), "-OR0100-019AZaz._00_"; got != want {
		t.Errorf("peer id %s, expected %s", got, want)
	}
	if _, err := NewPeerID(strings.NewReader("too short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with little randomness: %v, expected io.ErrUnexpectedEOF", err)
	}
	odd := PeerID{0, '\n', 0x1b, '%', ' ', '"', 0x7f, 0x80, 0xff, '~', 'a'}
	if got, want := odd.String(), "%00%0A%1B%25%20%22%7F%80%FF~a"+strings.Repeat("%00", 9); got != want {
		t.Errorf("peer id %s, expected %s", got, want)
	}
}

func addrs(list ...string) []netip.AddrPort {
	var out []netip.AddrPort
	for _, s := range list {
		out = append(out, netip.MustParseAddrPort(s))
	}
	return out
}
