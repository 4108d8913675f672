//go:build linux || darwin

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A person chooses from what there is: what is no choice is asked again, and what was typed then is
// a key of the member's.
func TestTerminalChoice(t *testing.T) {
	t.Parallel()
	s := sharedScene(t, 1<<20)
	writeFiles(t, s.dir, map[string]string{"image": "a small image"})
	sharer := s.start(orchestra(t, "share", "--json", "--listen", "127.0.0.1:0", s.path("original"), filepath.Join(s.dir, "image"), "--upload-limit", "16K"))
	at := sharer.until("the address", func(e sceneEvent) bool { return e.Event == "sharing" }).URLs[0]
	at = at[:strings.LastIndex(at, "/")]
	get := func() *screenTest {
		p := onTerminal(t, orchestra(t, "get", at, "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, "got")), 100)
		p.until(`  1  image, 13 B, .*\r\n  2  music, 1 MiB, .*\r\n`, 0)
		p.until(`which one\? \[1-2, q: none\] $`, 0)
		return p
	}
	p := get()
	p.press("7\r")
	from := p.until(`7\r\n\r\x1b\[Kwhich one\? `, 0)
	p.press("2\r")
	p.until(`joining music: 1 MiB in 64 parts, .*; q ends it\r\n`, from)
	p.untilMode(false)
	p.press("q")
	p.wantEnd(exitStopped)
	if got := p.text(); !strings.Contains(got, "music is not complete; get again to go on: stopped by q") {
		t.Errorf("it says %q", got)
	}

	for key, c := range map[string]struct {
		code int
		says string
	}{
		"q\r":  {exitStopped, "orchestra get: nothing was chosen: stopped by q"},
		"\x04": {exitStopped, "orchestra get: nothing was chosen: stopped by q"},
		"\x03": {exitInt, "orchestra get: nothing was chosen: stopped by SIGINT"},
	} {
		p := get()
		p.press(key)
		p.wantEnd(c.code)
		if got := p.text(); !strings.Contains(got, c.says) {
			t.Errorf("%q: it says %q", key, got)
		}
	}
}

// One line is drawn over, as narrow as the terminal is, and q asks once whether the only copy may
// go.
func TestTerminalShare(t *testing.T) {
	t.Parallel()
	s := sharedScene(t, 1<<20)
	share := onTerminal(t, orchestra(t, "share", "--listen", "127.0.0.1:0", s.path("original"), "--upload-limit", "16K", "--qr"), 40)
	share.until(`orchestra get http://127\.0\.0\.1:\d+/music\.orch\r\n`, 0)
	share.until(`██ ▄▄▄▄▄ █`, 0)
	share.until(`\r\x1b\[Kmusic: complete here; nobody else .*\.\.\.`, 0)
	text := share.text()
	at := text[strings.Index(text, "http://"):]
	at = at[:strings.Index(at, "\r")]
	slow := s.get("slow", at)
	slow.untilParts(1)
	from := share.until(`\r\x1b\[Kmusic: only here, do not end it yet.*\.\.\.`, 0)
	share.untilMode(false)
	share.press("q")
	from = share.until(`warning: nobody else has everything, and the other member still needs it; q once more ends\r\n`, from)
	share.press("q")
	share.until(`stopping \(q\); once more stops at once\r\n`, from)
	share.wantEnd(exitDone)
}

// Whose file went away while it was shared is told, and not that it is complete here.
func TestShareOfWhatIsGone(t *testing.T) {
	t.Parallel()
	s := sharedScene(t, 1<<20)
	sharer, _ := s.share("--part-size", "64K")
	sharer.untilSays("complete here; nobody else has joined yet")
	if err := os.Remove(s.path("original")); err != nil {
		t.Fatal(err)
	}
	sharer.untilSays("music: no longer whole here: 16 of 16 parts are gone or changed; " +
		"put back what was there, or share it again; nobody else has joined yet")
	if err := os.WriteFile(s.path("original"), s.content, 0o644); err != nil {
		t.Fatal(err)
	}
	sharer.untilSays("16 parts (0-15) of " + s.path("original") + " verify again and are shared")
	wantEnd(t, sharer, syscall.SIGTERM, exitDone)
}
