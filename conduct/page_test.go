package conduct

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"orchestra/conduct/page"
	"orchestra/orch"
	"orchestra/proto"
)

// member lets a member with so many parts arrive.
func (s *script) member(n int, parts, have uint32) link {
	s.last++
	ann := plain(n)
	ann.Parts, ann.Have = parts, have
	name := proto.Named{Place: [8]byte{byte(n), byte(n >> 8), 1}, Label: fmt.Sprintf("m%d", n)}
	s.did(s.reg.arrive(s.now, arrival{
		link: s.last, id: testID, peer: peerN(n), seat: farSeat(n), ann: ann, name: name, title: "t",
	}, nil))
	return s.last
}

// receives reports what a member got from others.
func (s *script) receives(l link, from ...proto.Source) {
	s.reg.reported(s.now, l, proto.Received{From: from})
}

var testHex = hex.EncodeToString(testID[:])

func (s *script) look(ids ...string) page.View {
	v, out := s.reg.look(s.now, ids, nil)
	s.did(out)
	return v
}

// toldToWatch is what members were told by effects.
func toldToWatch(out []effect) map[link]uint8 {
	told := make(map[link]uint8)
	for _, eff := range out {
		if tell, ok := eff.(tell); ok {
			if w, ok := tell.msg.(proto.Watch); ok {
				told[tell.to] = w.Every
			}
		}
	}
	return told
}

func TestMembersReportWhileSomebodyLooks(t *testing.T) {
	s := newScript(t, testLimits, 1)
	first := s.member(1, 16, 16)
	_, out := s.reg.look(s.now, nil, nil)
	if told := toldToWatch(out); len(told) != 0 {
		t.Fatalf("told to report while nobody looks at it: %v", told)
	}
	s.reg.reported(s.now, first, proto.Waits{Why: "unasked"})
	_, out = s.reg.look(s.now, []string{testHex}, nil)
	if told := toldToWatch(out); told[first] != watchLeast {
		t.Fatalf("told %v", told)
	}
	if _, out = s.reg.look(s.now, []string{testHex}, nil); len(toldToWatch(out)) != 0 {
		t.Error("told again at each look")
	}
	second := s.member(2, 16, 0)
	s.reg.reported(s.now, second, proto.Holds{First: 0, Bits: []byte{0xff, 0x00}})
	s.reg.reported(s.now, second, proto.Waits{Why: "because"})
	v := s.look(testHex)
	if is := v.List[0].Spread; !is.Known || is.Single != 8 || is.Only != "m1" || is.Least != 1 {
		t.Errorf("the spread is %+v", is)
	}
	rows := v.Details[testHex].Members
	row := rows[slices.IndexFunc(rows, func(m page.Member) bool { return m.Who.Label == "m2" })]
	if row.Now.Why != "because" || row.Now.Strip != "9999999900000000" {
		t.Errorf("the second's row is %+v", row)
	}
	_, out = s.reg.look(s.now, nil, nil)
	if told := toldToWatch(out); told[first] != 0 || told[second] != 0 || len(told) != 2 {
		t.Errorf("when nobody looks any more: %v", told)
	}
	if s.reg.maps != 0 {
		t.Errorf("%d bytes of maps are left", s.reg.maps)
	}
}

func TestWatchEvery(t *testing.T) {
	for n, want := range map[int]uint8{1: 2, 200: 2, 300: 3, 1000: 10, 3000: 30, 65536: 30} {
		if got := watchEvery(n); got != want {
			t.Errorf("%d members report every %d s, want %d", n, got, want)
		}
	}
}

// What members say is bounded and costs nobody but themselves, and the counts of holders come out
// even whatever they say.
func TestHoldsOfLiars(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.member(1, 100, 100)
	liar, honest := s.member(2, 100, 0), s.member(3, 100, 0)
	other := s.member(4, 99, 0)
	s.look(testHex)
	for _, m := range []proto.Holds{
		{First: 13, Bits: []byte{0xff}},
		{First: 1<<32 - 1, Bits: []byte{0xff}},
		{First: 12, Bits: []byte{0xff, 0xff}},
		{First: 0, Bits: make([]byte, proto.MaxHolds)},
		{First: 0, Bits: nil},
	} {
		s.reg.reported(s.now, liar, m)
	}
	s.reg.reported(s.now, other, proto.Holds{Bits: []byte{0xff}}) // of another number of parts
	holders := s.reg.comps[testID].scene.holders
	for part, n := range holders {
		if n != 0 {
			t.Fatalf("part %d has %d holders", part, n)
		}
	}
	s.reg.reported(s.now, liar, proto.Holds{First: 12, Bits: []byte{0xff}}) // with spare bits
	s.reg.reported(s.now, liar, proto.Holds{First: 0, Bits: []byte{0xf0}})
	s.reg.reported(s.now, liar, proto.Holds{First: 0, Bits: []byte{0x0f}})
	s.reg.reported(s.now, honest, proto.Holds{First: 0, Bits: []byte{0x01}})
	if got := fmt.Sprint(holders[:8], holders[96:]); got != "[0 0 0 0 1 1 1 2] [1 1 1 1]" {
		t.Errorf("holders %s", got)
	}
	s.reg.progress(s.now, honest, proto.Progress{Have: 100}, nil)
	s.leave(liar)
	for part, n := range holders {
		if n != 0 {
			t.Errorf("part %d has %d holders besides those that have all", part, n)
		}
	}
}

func TestMapsAreBounded(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.member(1, page.MaxParts, page.MaxParts)
	n := maxMaps/(page.MaxParts/8) + 50
	var links []link
	for i := range n {
		links = append(links, s.member(i+2, page.MaxParts, 0))
	}
	s.look(testHex)
	for _, l := range links {
		s.reg.reported(s.now, l, proto.Holds{First: 0, Bits: []byte{1}})
	}
	if s.reg.maps > maxMaps {
		t.Errorf("maps take %d bytes", s.reg.maps)
	}
	s.look()
	if s.reg.maps != 0 {
		t.Errorf("%d bytes are left", s.reg.maps)
	}
	huge := newScript(t, testLimits, 1)
	huge.member(1, 1<<32-1, 0)
	if v := huge.look(testHex); v.List[0].Spread.Known || huge.reg.maps != 0 {
		t.Errorf("a map of 4 billion parts: %+v, %d bytes", v.List[0].Spread, huge.reg.maps)
	}
}

func TestWhoSendsToWhom(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.member(1, 16, 16)
	l := s.member(2, 16, 0)
	s.look(testHex)
	s.receives(l, proto.Source{PeerID: peerN(1), Bytes: 1000},
		proto.Source{PeerID: peerN(99), Bytes: 5}, proto.Source{PeerID: peerN(2), Bytes: 7})
	s.now = s.now.Add(2 * time.Second)
	s.receives(l, proto.Source{PeerID: peerN(1), Bytes: 5000})
	want := page.Flow{From: 1, To: 2, Rate: 2000, Total: 5000}
	if got := s.look(testHex).Details[testHex].Flows; len(got) != 1 || got[0] != want {
		t.Errorf("flows %+v, want %+v alone", got, want)
	}
	s.now = s.now.Add(2 * time.Second)
	// a new link
	s.receives(l, proto.Source{PeerID: peerN(1), Bytes: 800})
	if got := s.look(testHex).Details[testHex].Flows[0]; got.Total != 5800 {
		t.Errorf("after a new link %+v", got)
	}
	s.now = s.now.Add(time.Minute)
	if got := s.look(testHex).Details[testHex].Flows[0]; got.Rate != 0 {
		t.Errorf("a minute later %+v", got)
	}
	for i := range 10 * maxFrom {
		s.receives(l, proto.Source{PeerID: peerN(1000 + i), Bytes: 1<<64 - 1})
	}
	if n := len(s.reg.links[l].from); n > maxFrom {
		t.Errorf("%d peers are remembered", n)
	}
}

// Bytes are believed as far as a line could carry them, and counted once.
func TestBytesMoved(t *testing.T) {
	s := newScript(t, testLimits, 1)
	origin, getter := s.member(1, 16, 16), s.member(2, 16, 0)
	tell := func(l link, have uint32, up, down uint64) {
		s.did(s.reg.progress(s.now, l, proto.Progress{Have: have, Uploaded: up, Downloaded: down}, nil))
	}
	s.now = s.now.Add(5 * time.Second)
	tell(origin, 16, 10e6, 0)
	tell(getter, 4, 0, 10e6)
	sum := s.look().List[0]
	if sum.Rate != 2e6 || sum.Moved != 10e6 || sum.Origin != 10e6 || sum.Sent != 10e6 {
		t.Errorf("%+v", sum)
	}
	tell(getter, 4, 0, 5e6) // it counts anew, or lies
	tell(getter, 4, 1<<64-1, 1<<64-1)
	sum = s.look().List[0]
	most := int64(10e6 + 6*maxSpeed)
	if min(sum.Moved, sum.Sent) < 0 || max(sum.Moved, sum.Sent) > most {
		t.Errorf("a liar moved %d bytes and sent %d", sum.Moved, sum.Sent)
	}
	if sum.Origin != 10e6 {
		t.Errorf("the first sharer sent %d", sum.Origin)
	}
	s.now = s.now.Add(time.Minute)
	if sum = s.look().List[0]; sum.Rate != 0 || sum.Stalled != 1 {
		t.Errorf("a minute later %+v", sum)
	}
	if m, _ := s.reg.comps[testID].scene.history.Series(s.now); len(m.Total) == 0 {
		t.Error("no history is kept")
	}
}

func TestEventsAndThoseWhoLeft(t *testing.T) {
	s := newScript(t, testLimits, 1)
	s.member(1, 16, 16)
	second, third := s.member(2, 16, 0), s.member(3, 16, 0)
	s.did(s.reg.progress(s.now, second, proto.Progress{Have: 16, Downloaded: 16}, nil))
	s.leave(third)
	s.leave(second)
	v := s.look(testHex)
	var kinds []string
	for _, e := range v.Details[testHex].Events {
		kinds = append(kinds, e.Kind+" "+e.Who)
	}
	if want := "[joined m1 joined m2 joined m3 complete m2 gone m3 left m2]"; fmt.Sprint(kinds) != want {
		t.Errorf("events %v, want %s", kinds, want)
	}
	if rows := v.Details[testHex].Members; len(rows) != 2 || rows[1].Now.State != page.Gone || v.List[0].Gone != 1 {
		t.Errorf("rows %+v", rows)
	}
	for i := range 1000 {
		s.leave(s.member(10+i, 16, 0))
	}
	sc := s.reg.comps[testID].scene
	if len(sc.events) > page.MaxEvents || len(sc.gone) > maxGone || cap(sc.events) > 4*page.MaxEvents {
		t.Errorf("%d events and %d that left are kept", len(sc.events), len(sc.gone))
	}
}

// Who makes up compositions gets no memory for their histories beyond a bound, and gives it back.
func TestHistoriesAreBounded(t *testing.T) {
	s := newScript(t, testLimits, 1)
	var links []link
	for i := range 2 * maxHistories {
		s.last++
		ann := plain(i)
		ann.Parts = 2
		id := [20]byte{byte(i), byte(i >> 8), 1}
		s.did(s.reg.arrive(s.now, arrival{
			link: s.last, id: id, peer: peerN(i), seat: farSeat(i), ann: ann,
		}, nil))
		further := proto.Progress{Have: 1, Downloaded: 100}
		s.did(s.reg.progress(s.now.Add(time.Second), s.last, further, nil))
		links = append(links, s.last)
	}
	if s.reg.histories != maxHistories {
		t.Errorf("%d histories, want %d", s.reg.histories, maxHistories)
	}
	if v := s.look(); len(v.List) != page.MaxListed || v.More != 2*maxHistories-page.MaxListed {
		t.Errorf("%d are listed and %d more", len(v.List), v.More)
	}
	for _, l := range links {
		s.leave(l)
	}
	if s.reg.histories != 0 {
		t.Errorf("%d histories are left of compositions that are gone", s.reg.histories)
	}
}

// stream reads the events of a page.
type stream struct {
	t  *testing.T
	in *bufio.Reader
}

func listenTo(t *testing.T, url string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s: %s, %s", url, res.Status, res.Header.Get("Content-Type"))
	}
	return &stream{t, bufio.NewReader(res.Body)}
}

// until reads events until one of them has what is wanted.
func (s *stream) until(what string, yes func(data map[string]any) bool) {
	s.t.Helper()
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			s.t.Fatalf("no event with %s: %v", what, err)
		}
		text, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var data map[string]any
		if err := json.Unmarshal([]byte(text), &data); err != nil {
			s.t.Fatal(err)
		}
		if yes(data) {
			return
		}
	}
}

// The page goes on for longer than a request may take otherwise, and what a member says appears.
func TestPageOnThePublicPort(t *testing.T) {
	const soon = 2 * time.Second
	c := serving(t, Config{HandshakeTimeout: soon, WriteTimeout: soon, Version: "1.2"})
	at := c.Addr().String()
	events := listenTo(t, "http://"+at+"/events?id="+strings.Repeat("ab", 20))
	events.until("the version", func(d map[string]any) bool {
		return d["page"].(map[string]any)["version"] == "1.2"
	})
	time.Sleep(soon + soon/4)
	nc := dial(t, at)
	id := [20]byte([]byte(strings.Repeat("\xab", 20)))
	hello := proto.Handshake{Protocol: proto.Orchestra, ID: id, PeerID: proto.PeerID{'m'}}.Append(nil)
	nc.Write(proto.Append(hello, proto.Announce{Port: 10001, Parts: 8, Want: 50}))
	if _, err := proto.ReadHandshake(nc, proto.Orchestra); err != nil {
		t.Fatal(err)
	}
	in := proto.NewConductorReader(nc)
	for {
		msg, err := in.Next()
		if err != nil {
			t.Fatal("the member was not told to report:", err)
		}
		if w, ok := msg.(proto.Watch); ok && w.Every > 0 {
			break
		}
	}
	said := proto.Append(nil, proto.Content{Size: 80, PartSize: 10, Version: "<b>"})
	nc.Write(proto.Append(said, proto.Holds{Bits: []byte{0x0f}}))
	events.until("the parts", func(d map[string]any) bool {
		detail, _ := d["detail"].(map[string]any)
		cells, _ := detail["cells"].(map[string]any)
		return cells["holders"] == "AAAAAAEBAQE="
	})
	wantStatus(t, c.Addr(), map[string]int{
		"/": 200, "/page.css": 200, "/metrics": 200, "/healthz": 200, "/readyz": 200, "/announce": 200,
		"/events?id=zz": 400,
	})
	if got := c.PageAddr(); got != c.Addr() {
		t.Errorf("the page is at %v", got)
	}
}

func getStatus(t *testing.T, url string) int {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// wantStatus asks for paths at an address.
func wantStatus(t *testing.T, at netip.AddrPort, paths map[string]int) {
	t.Helper()
	for path, want := range paths {
		if got := getStatus(t, "http://"+at.String()+path); got != want {
			t.Errorf("%s at %s: %d, want %d", path, at, got, want)
		}
	}
}

func TestPageOnItsOwnPort(t *testing.T) {
	c := serving(t, Config{AdminListen: "127.0.0.1:0", PageToken: "0123456789abcdefgh"})
	wantStatus(t, c.Addr(), map[string]int{
		"/": 404, "/metrics": 404, "/events": 404, "/healthz": 404, "/announce": 200,
	})
	wantStatus(t, c.PageAddr(), map[string]int{
		"/": 401, "/metrics": 401, "/events": 401, "/healthz": 200, "/readyz": 200, "/announce": 401,
		// leads to the page, to which this client does not take its cookie
		"/?token=0123456789abcdefgh": 401,
	})
	taken := c.PageAddr().String()
	_, err := New(Config{Listen: "127.0.0.1:0", AdminListen: taken})
	if err == nil || !strings.Contains(err.Error(), taken) {
		t.Errorf("a port that is taken: %v", err)
	}
}

func TestMetrics(t *testing.T) {
	c := serving(t, Config{Allow: func(id orch.ID) bool { return id[0] != 0 }})
	at := c.Addr().String()
	announceHTTP(t, at, nil)
	client := &http.Client{
		Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true},
	}
	res, err := client.Get("http://" + at + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`orchestra_conductor_members{state="complete"} 0`,
		"orchestra_conductor_clients 1",
		"orchestra_conductor_announcements_total 1",
		`orchestra_conductor_refused_total{reason="composition"} 0`,
		"orchestra_conductor_compositions 1",
		"go_goroutines ",
	} {
		if !strings.Contains(string(text), "\n"+want) {
			t.Errorf("no line %q in the metrics", want)
		}
	}
	if strings.Contains(string(text), "abab") || strings.Contains(string(text), "127.0.0.1") {
		t.Error("the metrics name what strangers make up, or addresses")
	}
}

// A loop that is stuck is not ready, and the metrics say that they are not known.
func TestNotReady(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := newConductor(Config{}.withDefaults(), ln)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.running = ctx
	rec := httptest.NewRecorder()
	c.handleReady(rec, httptest.NewRequestWithContext(ctx, "GET", "/readyz", nil))
	if rec.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", rec.Code)
	}
	rec = httptest.NewRecorder()
	c.handleMetrics().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != http.StatusInternalServerError {
		t.Errorf("metrics: %d", rec.Code)
	}
}

// What a look at 200 members costs the loop, once a second while somebody looks.
func BenchmarkLook(b *testing.B) {
	s := newScript(b, testLimits, 1)
	for i := range 200 {
		s.member(i, 2048, 0)
	}
	s.look(testHex)
	for l := link(1); l <= 200; l++ {
		s.reg.reported(s.now, l, proto.Holds{Bits: make([]byte, 256)})
		s.receives(l, proto.Source{PeerID: peerN(1), Bytes: 1}, proto.Source{PeerID: peerN(2), Bytes: 1})
	}
	for b.Loop() {
		s.now = s.now.Add(time.Second)
		s.look(testHex)
	}
}

// What a report of which parts a member has costs the loop.
func BenchmarkHolds(b *testing.B) {
	s := newScript(b, testLimits, 1)
	l := s.member(1, 2048, 0)
	s.look(testHex)
	bits := make([]byte, 256)
	for i := 0; b.Loop(); i++ {
		bits[i%256]++
		s.reg.reported(s.now, l, proto.Holds{Bits: bits})
	}
}
