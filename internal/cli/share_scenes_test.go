package cli

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"orchestra/conduct"
	"orchestra/internal/cli/lan"
	"orchestra/member"
	"orchestra/orch"
)

// share starts a share of the scene's content.
func (s *scene) share(flags ...string) (p *player, at string) {
	s.t.Helper()
	p = s.start(orchestra(s.t, append([]string{
		"share", "--json", "--listen", "127.0.0.1:0", s.path("original"),
	}, flags...)...))
	p.name = "share"
	e := p.until("the address", func(e sceneEvent) bool { return e.Event == "sharing" })
	return p, e.URLs[0]
}

// sharedScene is a folder with a file, and nobody there yet.
func sharedScene(t *testing.T, size int) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir(), content: randomBytes(size)}
	s.put("original")
	return s
}

// get starts a get of what is at a URL.
func (s *scene) get(name, what string, flags ...string) *player {
	s.t.Helper()
	p := s.start(orchestra(s.t, append([]string{
		"get", "--json", "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, name), what,
	}, flags...)...))
	p.name = name
	return p
}

// One shares until there are three copies, two get it: one by the URL, one by the conductor's
// address alone. All end by themselves.
func TestShareAndGet(t *testing.T) {
	t.Parallel()
	s := sharedScene(t, 4<<20)
	sharer, at := s.share("--until-copies", "3", "--name", "the sharer")
	if !strings.HasSuffix(at, "/music.orch") || !strings.HasPrefix(at, "http://127.0.0.1:") {
		t.Errorf("it is at %s", at)
	}
	first := s.get("first", at)
	second := s.get("second", strings.TrimSuffix(at, "music.orch"))
	for _, p := range []*player{first, second, sharer} {
		if code := p.wait(); code != exitDone {
			t.Errorf("%s: exit code %d", p.name, code)
		}
	}
	s.wantCopy("first")
	s.wantCopy("second")
	if left := filesIn(t, s.dir); len(left) != 3 {
		t.Errorf("there are %v: a share writes nothing", left)
	}
	if says := sharer.errors(); !strings.Contains(says, "music: 3 of 3 complete") || !strings.Contains(says, "nobody elsewhere can get") {
		t.Errorf("it says %s", says)
	}
}

// A get shares while somebody needs it, and no longer; with --exit not at all.
func TestGetIsPolite(t *testing.T) {
	s := sharedScene(t, 4<<20)
	sharer, at := s.share("-s", "256K") // too few parts for a chain, in which all were as slow
	slow := s.get("slow", at, "--download-limit", "128K")
	slow.untilParts(1)
	polite := s.get("polite", at)
	polite.untilComplete()
	if code := s.get("quick", at, "--exit").wait(); code != exitDone {
		t.Errorf("--exit: exit code %d", code)
	}
	if code := s.get("brief", at, "--share-for", "1s").wait(); code != exitDone {
		t.Errorf("--share-for: exit code %d", code)
	}
	select {
	case <-polite.ended:
		t.Error("it ended while somebody needed it")
	case <-slow.ended:
		t.Error("the slow one was not slow")
	default:
	}
	slow.stop(syscall.SIGTERM)
	slow = s.get("slow", at) // and is no longer
	slow.untilComplete()
	for _, p := range []*player{polite, slow} {
		if code := p.wait(); code != exitDone {
			t.Errorf("%s: exit code %d", p.name, code)
		}
	}
	wantEnd(t, sharer, syscall.SIGTERM, exitDone)
}

// Who ends the only complete copy is told.
func TestShareIsTheOnlyCopy(t *testing.T) {
	t.Parallel()
	s := sharedScene(t, 4<<20)
	sharer, at := s.share("--upload-limit", "64K")
	slow := s.get("slow", at)
	slow.untilParts(1)
	sharer.until("somebody who needs it", func(e sceneEvent) bool { return e.Event == "status" && e.Pending == 1 })
	wantEnd(t, sharer, syscall.SIGINT, exitDone)
	if says := sharer.errors(); !strings.Contains(says, "nobody else has everything, and the other member still needs it; share again to share it on") {
		t.Errorf("it says %s", says)
	}
	if code, _ := slow.stop(syscall.SIGTERM); code != exitTerm {
		t.Errorf("exit code %d", code)
	}
	if says := slow.errors(); !strings.Contains(says, "get again to go on") {
		t.Errorf("it says %s", says)
	}
}

// Several files and folders have one conductor.
func TestShareSeveral(t *testing.T) {
	t.Parallel()
	s := sharedScene(t, 1<<20)
	other := filepath.Join(s.dir, "a folder")
	writeFiles(t, other, map[string]string{"one": "1", "two/three": "23"})
	sharer := s.start(orchestra(t, "share", "--json", "--listen", "127.0.0.1:0", s.path("original"), other))
	var urls []string
	for range 2 {
		e := sharer.until("an address", func(e sceneEvent) bool { return e.Event == "sharing" })
		urls = append(urls, e.URLs[0])
	}
	for i, want := range []string{"music", "a folder"} {
		if code := s.get("got", urls[i]).wait(); code != exitDone {
			t.Errorf("%s: exit code %d", want, code)
		}
	}
	if got := strings.Join(filesIn(t, filepath.Join(s.dir, "got")), " "); got != "a folder/one a folder/two/three music" {
		t.Errorf("got are %s", got)
	}
	text, err := orchestra(t, "get", "--json", urls[0][:strings.LastIndex(urls[0], "/")]).Output()
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("listed are %s, %v", text, err)
	}
	wantEnd(t, sharer, syscall.SIGTERM, exitDone)
}

// join takes a URL and standard input, and a conductor publishes what it is given; the address by
// which the file came is as good as those in it.
func TestPublishAndJoin(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1<<20, "64K")
	publisher := s.start(orchestra(t, "conduct", "--json", "--listen", "127.0.0.1:0", "--publish", s.dir, "--no-announce"))
	at := ""
	publisher.until("listening", func(e sceneEvent) bool { at = e.Address; return e.Event == "listening" })
	address := "http://" + at + "/music.orch"
	// The conductor that the file names is not the one that publishes it, and it has ended.
	wantEnd(t, s.conductor, syscall.SIGTERM, exitDone)
	sharer := s.start(orchestra(t, "join", "--json", "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, "original"), address))
	sharer.untilComplete()
	if code := s.get("copy", address).wait(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	s.wantCopy("copy")
	cmd := orchestra(t, "join", "--exit", "--json", "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, "piped"), "-", "--conductor", at)
	file, err := os.Open(s.orch)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdin = file
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("from a pipe: %v: %s", err, out)
	}
	s.wantCopy("piped")
	for _, arguments := range [][]string{{"show", address}, {"status", address}} {
		if out, err := orchestra(t, arguments...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v: %s", arguments, err, out)
		}
	}
}

// Politeness ends when nobody needs anything, as far as that can be known.
func TestPolite(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(1000, 0).Add(time.Duration(seconds) * time.Second) }
	full := member.Progress{Complete: true, Known: 2, KnownComplete: 2}
	needed := member.Progress{Complete: true, Known: 2, KnownComplete: 1, Members: 1}
	alone := member.Progress{Complete: true, Known: 2, KnownComplete: 1}
	missing := member.Progress{Known: 2, KnownComplete: 2, Parts: 2, PartsDone: 1}
	looks := func(l *limits, looks ...member.Progress) (end int) {
		for i := range looks {
			if l.reached(at(i), &looks[i], looks[i].Complete) != nil {
				return i
			}
		}
		return -1
	}
	polite := func(l limits) *limits { l.bePolite(); return &l }
	for name, c := range map[string]struct {
		limits *limits
		looks  []member.Progress
		want   int
	}{
		"others have it":       {polite(limits{}), []member.Progress{missing, needed, full}, 2},
		"somebody needs it":    {polite(limits{}), slices.Repeat([]member.Progress{needed}, 50), -1},
		"for a minute at most": {polite(limits{}), slices.Repeat([]member.Progress{needed}, 70), 60},
		"as long as was said":  {polite(limits{shareFor: 5 * time.Second}), slices.Repeat([]member.Progress{needed}, 70), 5},
		"nobody comes":         {polite(limits{}), slices.Concat([]member.Progress{needed}, slices.Repeat([]member.Progress{alone}, 9)), 5},
		"it comes slowly":      {polite(limits{}), slices.Repeat([]member.Progress{missing}, 100), -1},
		"until copies":         {polite(limits{copies: 9}), slices.Repeat([]member.Progress{full}, 100), -1},
		"with --exit":          {polite(limits{exit: true}), []member.Progress{missing, needed}, 1},
		"a join is not polite": {&limits{}, slices.Repeat([]member.Progress{full}, 100), -1},
		"somebody comes again": {polite(limits{}), []member.Progress{alone, alone, needed, alone, alone, alone, alone, alone, alone}, 7},
	} {
		if got := looks(c.limits, c.looks...); got != c.want {
			t.Errorf("%s: ends at %d, want %d", name, got, c.want)
		}
	}
}

func TestOffersAreChecked(t *testing.T) {
	good := conduct.Listing{
		Path: "/a%20b.orch", Name: "a b", ID: strings.Repeat("ab", 20), Size: 5, Complete: 1, Known: 2, Pending: 1,
	}
	at, err := url.Parse("http://192.0.2.1:9999/index.json")
	if err != nil {
		t.Fatal(err)
	}
	bad := []func(*conduct.Listing){
		func(l *conduct.Listing) { l.Path = "//evil.example/x.orch" },
		func(l *conduct.Listing) { l.Path = "http://evil.example/x.orch" },
		func(l *conduct.Listing) { l.Path = "/../x.orch" },
		func(l *conduct.Listing) { l.Path = "/a b.orch" },
		func(l *conduct.Listing) { l.Path = "" },
		func(l *conduct.Listing) { l.Name = "a/b" },
		func(l *conduct.Listing) { l.Name = "\x1b[31m" },
		func(l *conduct.Listing) { l.Name = "" },
		func(l *conduct.Listing) { l.ID = "12" },
		func(l *conduct.Listing) { l.Size = -1 },
		func(l *conduct.Listing) { l.Complete = 3 },
	}
	index := conduct.Index{Host: "lab\x1b[31m", Compositions: []conduct.Listing{good}}
	for _, change := range bad {
		l := good
		change(&l)
		index.Compositions = append(index.Compositions, l)
	}
	text, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	offers, err := parseIndex(text, at)
	if err != nil || len(offers) != 1 {
		t.Fatalf("%d offers, %v: %+v", len(offers), err, offers)
	}
	o := offers[0]
	if o.file != "a b" || o.from[0].url != "http://192.0.2.1:9999/a%20b.orch" || o.from[0].address != "192.0.2.1:9999" {
		t.Errorf("%+v", o)
	}
	if got, want := harmless(o.line()), `"a b", 5 B, 1 of 2 complete, on "lab\\x1b[31m" (192.0.2.1:9999)`; got != want {
		t.Errorf("it is shown as %s, want %s", got, want)
	}
	for _, text := range []string{"", "null", "[]", "<html>", `{"compositions":7}`} {
		if offers, err := parseIndex([]byte(text), at); err == nil && len(offers) > 0 {
			t.Errorf("%q is read as %v", text, offers)
		}
	}
}

// What is called the same has to be the same.
func TestNamed(t *testing.T) {
	offered := func(name, id, host string) offer {
		o := offer{file: name, Listing: conduct.Listing{Name: name, ID: strings.Repeat(id, 20)}}
		o.id, _ = orch.ParseID(o.ID)
		o.from = []offerer{{host, host + ":9999", "http://" + host + "/"}}
		return o
	}
	all := merged([]offer{
		offered("photos", "ab", "two"), offered("photos", "ab", "one"), offered("image", "12", "one"), offered("image", "34", "two"),
	})
	if len(all) != 3 || len(all[2].from) != 2 {
		t.Fatalf("%+v", all)
	}
	if o, err := named(all, "photos"); err != nil || len(o.from) != 2 {
		t.Errorf("photos: %+v, %v", o, err)
	}
	for name, want := range map[string]string{
		"image": "different contents are called image here; say which: get http://one/ (12121212), or get http://two/ (34343434)",
		"photo": "nobody on this network shares photo; did you mean photos?",
		"zebra": "nobody on this network shares zebra",
	} {
		if _, err := named(all, name); err == nil || err.Error() != want || exitCode(err) != exitInput {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

func TestWhereOthersReachIt(t *testing.T) {
	here := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	for listens, want := range map[string]string{
		"[::]:9999":      "192.0.2.1:9999 [2001:db8::1]:9999",
		"0.0.0.0:1":      "192.0.2.1:1",
		"10.0.0.1:9":     "10.0.0.1:9",
		"127.0.0.1:9":    "127.0.0.1:9",
		"[fe80::1%a]:9":  "[fe80::1%a]:9",
		"[2001:db8::]:9": "[2001:db8::]:9",
	} {
		if got := strings.Join(outsideOf(netip.MustParseAddrPort(listens), here), " "); got != want {
			t.Errorf("%s: %s, want %s", listens, got, want)
		}
	}
	if got := outsideOf(netip.MustParseAddrPort("[::]:9"), nil); len(got) != 1 || got[0] != "127.0.0.1:9" {
		t.Errorf("without an address: %v", got)
	}
	if lan.Reaches(netip.MustParseAddrPort("127.0.0.1:9")) {
		t.Error("loopback is announced")
	}
}

// A code has a white border, and its three corners.
func TestQRCode(t *testing.T) {
	for _, color := range []bool{false, true} {
		code, err := qrLines("http://192.168.1.5:9999/", color)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("\x1b[97;40m", "", "\x1b[0m", "").Replace(code.text)
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) != (code.width+1)/2 {
			t.Errorf("%d lines for %d modules", len(lines), code.width)
		}
		for _, line := range lines {
			if n := len([]rune(line)); n != code.width {
				t.Errorf("a line of %d columns, want %d: %q", n, code.width, line)
			}
		}
		const border, corner = "█", "██ ▄▄▄▄▄ █"
		if strings.Trim(lines[0], border) != "" || !strings.HasPrefix(lines[1], corner) || !strings.HasSuffix(lines[1], " ▄▄▄▄▄ ██") ||
			!strings.HasPrefix(lines[len(lines)-5], corner) {
			t.Errorf("color %v:\n%s", color, text)
		}
	}
	if _, err := qrLines(strings.Repeat("x", 10_000), false); err == nil {
		t.Error("too much text has a code")
	}
}
