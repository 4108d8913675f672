package page

import (
	"bytes"
	"compress/gzip"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestAssets(t *testing.T) {
	p := New(Config{})
	packed := 0
	for at, a := range assets() {
		rec := answered(p, request("GET", "http://localhost"+at, "127.0.0.1:1", "Accept-Encoding", "gzip"))
		h := rec.Header()
		if rec.Code != 200 || h.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %d, %s", at, rec.Code, h.Get("Content-Encoding"))
		}
		if at != "/favicon.ico" { // the page names its icon
			packed += rec.Body.Len()
		}
		r, err := gzip.NewReader(rec.Body)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); err != nil || !bytes.Equal(text, a.text) {
			t.Errorf("%s comes as something else: %v", at, err)
		}
		plain := answered(p, request("GET", "http://localhost"+at, "127.0.0.1:1"))
		if !bytes.Equal(plain.Body.Bytes(), a.text) {
			t.Errorf("%s comes as something else to who knows no gzip", at)
		}
		if head := answered(p, request("HEAD", "http://localhost"+at, "127.0.0.1:1")); head.Code != 200 || head.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d with %d bytes", at, head.Code, head.Body.Len())
		}
		if again := answered(p, request("GET", "http://localhost"+at, "127.0.0.1:1", "If-None-Match", h.Get("ETag"))); again.Code != 304 {
			t.Errorf("%s again: %d", at, again.Code)
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: no %s in %q", at, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s has the headers %v", at, h)
		}
	}
	if packed > 45_000 {
		t.Errorf("the page takes %d bytes, 45,000 at most", packed)
	}
	if rec := answered(p, request("GET", "http://localhost/../view.go", "127.0.0.1:1")); rec.Code == 200 {
		t.Error("there is more than the page")
	}
}

// The page loads nothing from elsewhere and writes no markup: what members call themselves stays
// text.
func TestAssetsKeepToThemselves(t *testing.T) {
	outside := regexp.MustCompile(`https?://[^\s"'` + "`" + `)]+`)
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\(|new Function`)
	for at, a := range assets() {
		if strings.HasSuffix(at, "LICENSE") {
			continue
		}
		for _, found := range outside.FindAll(a.text, -1) {
			if s := string(found); s != "http://www.w3.org/2000/svg" && !strings.HasPrefix(s, "https://github.com/leeoniya/uPlot") {
				t.Errorf("%s names %s", at, s)
			}
		}
		if found := markup.Find(a.text); found != nil {
			t.Errorf("%s has %s", at, found)
		}
		if strings.HasSuffix(at, ".html") || at == "/" {
			if found := regexp.MustCompile(`\son\w+=|\sstyle=|<script>|javascript:`).Find(a.text); found != nil {
				t.Errorf("%s has %s, which its own policy forbids", at, found)
			}
		}
	}
	if strings.Contains(askToken, "style=") || strings.Contains(askToken, "<script") {
		t.Error("the question for the token has what the policy forbids")
	}
}

func TestProgram(t *testing.T) {
	for id, want := range map[string]string{
		"-OR0100-abcdefghijkl": "Orchestra 0.1", "-qB4630-abcdefghijkl": "qBittorrent 4.6.3", "-TR400X-abcdefghijkl": "Transmission",
		"-XX1234-abcdefghijkl": "", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09": "",
	} {
		if got := Program([20]byte([]byte(id))); got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}

func TestJoinCommand(t *testing.T) {
	for title, want := range map[string]string{
		"photos-2026.tar": "orchestra join photos-2026.tar.orch",
		"":                "orchestra join FILE.orch", "a b": "orchestra join FILE.orch", "$(reboot)": "orchestra join FILE.orch",
		"-rf": "orchestra join FILE.orch", "a;b": "orchestra join FILE.orch", "x\ny": "orchestra join FILE.orch", "ü": "orchestra join FILE.orch",
	} {
		if got := JoinCommand(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}

func TestStripAndCells(t *testing.T) {
	if got := Strip([]byte{0xf0, 0x00}, 12); got != "999900000000" {
		t.Errorf("four of 12 parts: %q", got)
	}
	if got := Strip(bytes.Repeat([]byte{0xaa}, 96), 768); got != strings.Repeat("4", 48) {
		t.Errorf("every other part: %q", got)
	}
	if got := Strip(nil, 12); got != "" {
		t.Errorf("not told: %q", got)
	}
	holders := make([]uint32, MaxCells+1)
	for i := range holders {
		holders[i] = 300
	}
	holders[2] = 1
	c := CellsOf(holders, 0)
	if c.Span != 2 || len(c.Holders) != MaxCells/2+1 || c.Holders[0] != 255 || c.Holders[1] != 1 {
		t.Errorf("%d cells of %d parts, the first are %v", len(c.Holders), c.Span, c.Holders[:2])
	}
}
