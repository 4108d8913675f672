package conduct

import (
	"bytes"
	"strings"
	"testing"

	"orchestra/proto/bencode"
)

// decoded reads what a client is answered.
func decoded(t *testing.T, b []byte) map[string]any {
	t.Helper()
	v, err := bencode.Decode(b)
	if err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return v.(map[string]any)
}

func TestAnswerHasBothFamilies(t *testing.T) {
	all := answer{found: []found{
		{peer: peerN(1), four: addrAt("10.0.0.1:258"), six: addrAt("[2001:db8::1]:772")},
		{peer: peerN(2), six: addrAt("[2001:db8::2]:1")},
	}}
	d := decoded(t, all.append(nil, true))
	if got, want := d["peers"], "\x0a\x00\x00\x01\x01\x02"; got != want {
		t.Errorf("peers %q, want %q", got, want)
	}
	one := "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11)
	if got, want := d["peers6"], one+"\x01\x03\x04"+one+"\x02\x00\x01"; got != want {
		t.Errorf("peers6 %q, want %q", got, want)
	}
	if d := decoded(t, all.append(nil, false)); len(d["peers"].([]any)) != 3 || d["peers6"] != nil {
		t.Errorf("the long form is %v", d)
	}
}

// What is answered has the keys of its dictionaries in order, each once.
func TestScrapeIsInOrder(t *testing.T) {
	c := serving(t, Config{})
	const high, low = "%ffaaaaaaaaaaaaaaaaaaa", "baaaaaaaaaaaaaaaaaaa"
	query := []byte("info_hash=" + high + "&info_hash=" + low + "&info_hash=" + high)
	for _, id := range []string{high, low} {
		c.answer(t.Context(), c.takeDesk(), announcing,
			[]byte("peer_id=aaaaaaaaaaaaaaaaaaaa&port=1&info_hash="+id), farSeat(1), nil)
	}
	b, keep, ok := c.answer(t.Context(), c.takeDesk(), scraping, query, farSeat(1), []byte("before"))
	b, had := bytes.CutPrefix(b, []byte("before"))
	if files := decoded(t, b)["files"]; !had || !keep || !ok || len(files.(map[string]any)) != 2 {
		t.Errorf("answered %q, %v, %v", b, keep, ok)
	}
}
