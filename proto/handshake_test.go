package proto

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func handshakes() []Handshake {
	h := Handshake{ID: [20]byte([]byte("ID of a composition.")), PeerID: PeerID([]byte("-OR0100-abcdefghijkl"))}
	h.Protocol = Orchestra
	bt := h
	bt.Protocol = BitTorrent
	bt.SetFast()
	bt.SetExtended()
	return []Handshake{h, bt}
}

func TestHandshakeRoundTrip(t *testing.T) {
	for _, h := range handshakes() {
		in := io.MultiReader(bytes.NewReader(h.Append(nil)), strings.NewReader("rest"))
		got, err := ReadHandshake(iotest.OneByteReader(in), BitTorrent, Orchestra)
		if err != nil {
			t.Fatal(err)
		}
		if got != h {
			t.Errorf("read %#v, expected %#v", got, h)
		}
		if rest, _ := io.ReadAll(in); string(rest) != "rest" {
			t.Errorf("%q is left after the handshake, expected %q", rest, "rest")
		}
	}
}

func TestHandshakeBits(t *testing.T) {
	var h Handshake
	if h.Fast() || h.Extended() {
		t.Error("the zero handshake has bits")
	}
	h.SetFast()
	if h.Reserved != [8]byte{7: 0x04} || !h.Fast() || h.Extended() {
		t.Errorf("after SetFast: % x", h.Reserved)
	}
	h.SetExtended()
	if h.Reserved != [8]byte{5: 0x10, 7: 0x04} || !h.Fast() || !h.Extended() {
		t.Errorf("after SetExtended: % x", h.Reserved)
	}
}

func TestHandshakeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in        string
		protocols []string
		taken     int // bytes read before it is refused
	}{
		"first byte":         {"GET / HTTP/1.1\r\n", []string{BitTorrent, Orchestra}, 1},
		"zero":               {"\x00orchestra", []string{BitTorrent, Orchestra}, 1},
		"other protocol":     {"\x09orchestra" + strings.Repeat("x", 48), []string{BitTorrent}, 1},
		"same length":        {"\x09orchestrA" + strings.Repeat("x", 48), []string{Orchestra}, 10},
		"no protocol wanted": {"\x09orchestra", nil, 1},
	} {
		in := strings.NewReader(c.in)
		_, err := ReadHandshake(in, c.protocols...)
		if !errors.Is(err, ErrNotHandshake) {
			t.Errorf("%s: %v, expected ErrNotHandshake", name, err)
		}
		if taken := len(c.in) - in.Len(); taken != c.taken {
			t.Errorf("%s: %d bytes were read, expected %d", name, taken, c.taken)
		}
	}
}

func TestHandshakeCutAnywhere(t *testing.T) {
	for _, h := range handshakes() {
		b := h.Append(nil)
		for cut := range b {
			_, err := ReadHandshake(bytes.NewReader(b[:cut]), h.Protocol)
			if cut == 0 && err != io.EOF || cut > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut at byte %d: %v", h.Protocol, cut, err)
			}
		}
	}
}
