package proto

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestExtHandshakeRoundTrip(t *testing.T) {
	for _, c := range []struct {
		h    ExtHandshake
		want string
	}{
		{ExtHandshake{}, "d1:mdee"},
		{
			ExtHandshake{
				Messages: map[string]int{"ut_pex": 1, "ut_metadata": 0}, Version: "Orchestra 1.0", Reqq: 250, Port: 10001,
				MaxRequest: 1 << 20, YourIP: netip.MustParseAddr("192.0.2.1"), UploadOnly: true,
			},
			"d1:md11:ut_metadatai0e6:ut_pexi1ee11:orch_maxreqi1048576e1:pi10001e4:reqqi250e" +
				"11:upload_onlyi1e1:v13:Orchestra 1.06:yourip4:\xc0\x00\x02\x01e",
		},
		{
			ExtHandshake{YourIP: netip.MustParseAddr("2001:db8::1")},
			"d1:mde6:yourip16:\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01e",
		},
	} {
		got := c.h.Append([]byte("before"))
		if string(got) != "before"+c.want {
			t.Errorf("%#v: %q, expected %q", c.h, got, c.want)
		}
		if h, err := ParseExtHandshake([]byte(c.want)); err != nil || !reflect.DeepEqual(h, c.h) {
			t.Errorf("%q: %#v, %v, expected %#v", c.want, h, err, c.h)
		}
	}
}

func TestExtHandshakeTakesWhatMakesSense(t *testing.T) {
	for in, want := range map[string]ExtHandshake{
		"de":                                    {},
		"d1:mi5ee":                              {},
		"d1:md1:ai-1e1:bi256e1:c1:xee":          {},
		"d1:md1:ai255eee":                       {Messages: map[string]int{"a": 255}},
		"d1:pi0ee":                              {},
		"d1:pi65535ee":                          {Port: 65535},
		"d1:pi65536ee":                          {},
		"d1:pi01ee":                             {Port: 1},
		"d1:v1:x1:pi7e1:md1:bi2e1:ai1eee":       {Version: "x", Port: 7, Messages: map[string]int{"a": 1, "b": 2}},
		"d1:pi7e1:pi8ee":                        {Port: 8},
		"d1:p4:1000e":                           {},
		"d4:reqqi-1ee":                          {},
		"d4:reqqi9223372036854775807ee":         {Reqq: MaxReqq},
		"d11:orch_maxreqi16383ee":               {},
		"d11:orch_maxreqi16384ee":               {MaxRequest: 16384},
		"d11:orch_maxreqi9223372036854775807ee": {MaxRequest: MaxRequest},
		"d11:upload_onlyi0ee":                   {},
		"d11:upload_onlyi7ee":                   {UploadOnly: true},
		"d6:yourip3:abce":                       {},
		"d6:yourip16:\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01e": {YourIP: netip.MustParseAddr("192.0.2.1")},
		"d1:v200:" + strings.Repeat("x", 200) + "e":                                     {Version: strings.Repeat("x", MaxVersion)},
		"d7:unknownd4:deepli1eeee":                                                      {},
	} {
		if got, err := ParseExtHandshake([]byte(in)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %#v, %v, expected %#v", in, got, err, want)
		}
	}
}

func TestExtHandshakeRefuses(t *testing.T) {
	for _, in := range []string{
		"", "d", "i1e", "le", "dex", "d1:v1:xe1", "d1:v2:xe", "d1:v9999999999:xe",
		"d1:v17000:" + strings.Repeat("x", 17000) + "e",
		strings.Repeat("l", 10000) + strings.Repeat("e", 10000),
	} {
		if got, err := ParseExtHandshake([]byte(in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.40q: %#v, %v, expected ErrMalformed", in, got, err)
		}
	}
}

func TestExtHandshakeSendsWhatMakesSense(t *testing.T) {
	h := ExtHandshake{Messages: map[string]int{"a": -1, "b": 256, "c": 255}, Reqq: -1, Port: -1, MaxRequest: -1}
	if got, want := string(h.Append(nil)), "d1:md1:ci255eee"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}

func TestSpareRoundTrip(t *testing.T) {
	for _, on := range []bool{false, true} {
		if got, err := ParseSpare(AppendSpare(nil, on)); err != nil || got != on {
			t.Errorf("%v reads as %v, %v", on, got, err)
		}
	}
	for _, payload := range [][]byte{nil, {2}, {1, 0}} {
		if on, err := ParseSpare(payload); err == nil {
			t.Errorf("%v reads as %v", payload, on)
		}
	}
}

func TestRegroupRoundTrip(t *testing.T) {
	for _, what := range []Regrouping{RegroupWell, RegroupAgainst, RegroupNow} {
		if got, err := ParseRegroup(AppendRegroup(nil, what)); err != nil || got != what {
			t.Errorf("%v reads as %v, %v", what, got, err)
		}
	}
	for _, payload := range [][]byte{nil, {3}, {1, 0}} {
		if what, err := ParseRegroup(payload); err == nil {
			t.Errorf("%v reads as %v", payload, what)
		}
	}
}
