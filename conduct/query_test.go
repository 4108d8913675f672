package conduct

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzParams holds that queries are read as net/url reads them.
func FuzzParams(f *testing.F) {
	for _, query := range []string{
		"", "&", "a", "a=", "=a", "a=b", "a=b&a=c&&d", "a%3Db=c%26+d&e+f=%2B", "a;b",
		"a=b&c;d=e", "a=%", "a=%4", "%zz=a", "a=%4g&b",
		"info_hash=%ff%00aaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb", "a==b", "a=b=c",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if strings.Count(query, "&") > 1000 {
			return // net/url has its own bound
		}
		want, err := url.ParseQuery(query)
		got := url.Values{}
		p := params{rest: []byte(query)}
		for p.next() {
			got.Add(string(p.key), string(p.value))
		}
		if p.malformed != (err != nil) {
			t.Fatalf("%q is malformed: %v, want %v", query, p.malformed, err)
		}
		if err == nil && got.Encode() != want.Encode() {
			t.Errorf("%q is read as %v, want %v", query, got, want)
		}
	})
}

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		text string
		most uint64
		want uint64
		ok   bool
	}{
		{"0", 9, 0, true},
		{"65535", 1<<16 - 1, 65535, true},
		{"65536", 1<<16 - 1, 0, false},
		{"000000000000000000000000000007", 7, 7, true},
		{"18446744073709551617", 1<<32 - 1, 0, false},
		{"", 9, 0, false},
		{"-1", 9, 0, false},
		{"+1", 9, 0, false},
		{"1_0", 99, 0, false},
	} {
		if got, ok := parseNumber([]byte(c.text), c.most); got != c.want || ok != c.ok {
			t.Errorf("%q up to %d is %d, %v, want %d, %v", c.text, c.most, got, ok, c.want, c.ok)
		}
	}
}

func FuzzParseVisit(f *testing.F) {
	f.Add("info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1" +
		"&numwant=-1&left=0&compact=0&key=k")
	f.Add("info_hash=%ff%00aaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=65535" +
		"&numwant=200&event=stopped&ip=10.0.0.1")
	f.Add("info_hash=%zz;port")
	f.Fuzz(func(t *testing.T, query string) {
		at := farSeat(1)
		v, _, err := parseVisit([]byte(query), nil, at)
		if err != nil {
			return
		}
		if v.seat != at || v.link != 0 || v.ann.Want > maxPeers || v.ann.Have > v.ann.Parts {
			t.Errorf("%q is read as %+v", query, v)
		}
		s := newScript(t, testLimits, 1)
		if a, out := s.reg.receive(s.now, v, nil, nil); a.refused != "" {
			t.Errorf("refused: %s", a.refused)
		} else {
			s.did(out)
		}
		s.check()
	})
}
