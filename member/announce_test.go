package member_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"orchestra/conduct"
	"orchestra/member"
	"orchestra/orch"
)

// A tracker is a BitTorrent tracker (BEP 3) for one swarm.
type tracker struct {
	*httptest.Server
	mu     sync.Mutex
	peers  map[string]netip.AddrPort // by peer id
	events []string
}

func newTracker(t *testing.T) *tracker {
	tr := &tracker{peers: map[string]netip.AddrPort{}}
	tr.Server = httptest.NewServer(tr)
	t.Cleanup(tr.Close)
	return tr
}

func (tr *tracker) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	if q.Get("info_hash") == "" {
		fmt.Fprint(w, "d14:failure reason12:no info_hashe")
		return
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if event := q.Get("event"); event != "" {
		tr.events = append(tr.events, event)
	}
	var others []byte
	for id, at := range tr.peers {
		if id != q.Get("peer_id") {
			ip := at.Addr().As4()
			others = append(append(others, ip[:]...), byte(at.Port()>>8), byte(at.Port()))
		}
	}
	if delete(tr.peers, q.Get("peer_id")); q.Get("event") != "stopped" {
		port, _ := strconv.Atoi(q.Get("port"))
		tr.peers[q.Get("peer_id")] = netip.AddrPortFrom(netip.MustParseAddrPort(req.RemoteAddr).Addr(), uint16(port))
	}
	fmt.Fprintf(w, "d8:intervali1800e5:peers%d:%se", len(others), others)
}

// listed is how many are listed, and the events that were told, in order.
func (tr *tracker) listed() (n int, events string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.peers), strings.Join(tr.events, " ")
}

// A tracker is told of a member that became complete while it answered.
func TestCompleteBeforeTheTrackerAnswers(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	tr, complete := newTracker(t), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if left := req.URL.Query().Get("left"); left != "0" {
			select {
			case <-complete:
			case <-req.Context().Done():
			}
		}
		tr.ServeHTTP(w, req)
	}))
	t.Cleanup(slow.Close)
	first := s.join(member.Config{Dir: s.dir})
	s.wantComplete(first)
	second := s.join(member.Config{
		File: s.withTracker(slow.URL + "/announce"), Dir: t.TempDir(), Peers: []string{first.Addr().String()},
	})
	s.wantComplete(second)
	close(complete)
	s.wait(func() bool {
		_, events := tr.listed()
		return events == "started completed"
	})
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

// withTracker is the composition of a score with a tier of trackers instead of conductors.
func (s *score) withTracker(urls ...string) *orch.File {
	f := *s.file
	f.Conductor = orch.NoConductor
	f.Lines = append(f.Lines[:len(f.Lines):len(f.Lines)], orch.Line{Key: "tracker", Value: strings.Join(urls, " ")})
	return &f
}

// Members find each other by a tracker, which hears when they come, are complete, and leave. A
// tracker of the tier that does not answer keeps nobody from that.
func TestMembersMeetAtATracker(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	tr, gone := newTracker(t), httptest.NewServer(nil)
	gone.Close()
	f := s.withTracker(gone.URL+"/announce", tr.URL+"/announce?key=mine")
	first := s.join(member.Config{File: f, Dir: s.dir})
	s.wait(func() bool { return first.Progress().ConductorUp })
	if got, want := first.Progress().Conductor, "tracker "+strings.TrimPrefix(tr.URL, "http://"); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	second := s.join(member.Config{File: f, Dir: t.TempDir()})
	s.wantComplete(second)
	s.wait(func() bool { _, events := tr.listed(); return strings.Contains(events, "completed") })
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	if n, events := tr.listed(); n != 0 || strings.Count(events, "stopped") != 2 {
		t.Errorf("%d are listed after all left, which told %q", n, events)
	}
}

// A tracker that answers in the place of a conductor is used as what it is.
func TestTrackerInPlaceOfAConductor(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	tr := newTracker(t)
	conductors := []string{strings.TrimPrefix(tr.URL, "http://")}
	first := s.join(member.Config{Dir: s.dir, Conductors: conductors})
	s.wait(func() bool { return first.Progress().Conductor == "tracker "+conductors[0] })
	second := s.join(member.Config{Dir: t.TempDir(), Conductors: conductors})
	s.wantComplete(second)
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

// A conductor that is named as a tracker is used as what it is.
func TestConductorNamedAsTracker(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	at, end := startConductor(t, conduct.Config{})
	defer end()
	f := s.withTracker("http://" + at + "/announce")
	first := s.join(member.Config{File: f, Dir: s.dir})
	s.wait(func() bool { return first.Progress().Conductor == "conductor "+at })
	second := s.join(member.Config{File: f, Dir: t.TempDir()})
	s.wantComplete(second)
	for _, p := range []*player{first, second} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}
