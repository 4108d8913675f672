package member_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/orch"
)

// webServer serves content, and counts what it sends.
type webServer struct {
	*httptest.Server
	mu    sync.Mutex
	sent  int64
	asked int
}

func (s *score) web(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int) bool) *webServer {
	t.Helper()
	web := &webServer{}
	web.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.mu.Lock()
		web.asked++
		n := web.asked
		web.mu.Unlock()
		if answer != nil && answer(w, r, n) {
			return
		}
		http.ServeContent(&counted{w, web}, r, "content.bin", time.Time{}, bytes.NewReader(s.content))
	}))
	t.Cleanup(web.Close)
	return web
}

type counted struct {
	http.ResponseWriter
	web *webServer
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.web.mu.Lock()
	c.web.sent += int64(n)
	c.web.mu.Unlock()
	return n, err
}

func (w *webServer) copies(s *score) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return float64(w.sent) / float64(len(s.content))
}

// from is the composition with an origin, or several.
func (s *score) from(urls ...string) *orch.File {
	f := *s.file
	f.Lines = slices.Clone(f.Lines)
	for _, url := range urls {
		f.Lines = append(f.Lines, orch.Line{Key: "webseed", Value: url})
	}
	return &f
}

// A web server alone completes a join, whatever the parts.
func TestWebServerIsEnough(t *testing.T) {
	for _, partSize := range []int64{16 << 10, 100_003, 256 << 10, 3 << 20} {
		t.Run(fmt.Sprint(partSize), func(t *testing.T) {
			s := newScore(t, 7<<20+5, partSize)
			web := s.web(t, nil)
			p := s.join(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
			s.wantComplete(p)
			if err := p.end(); err != nil {
				t.Error(err)
			}
			if c := web.copies(s); c < 1 || c > 1.001 {
				t.Errorf("it sent %.3f copies", c)
			}
		})
	}
}

// Members that know each other get one copy from it, or little more, and the rest from each other.
func TestWebServerSendsOneCopy(t *testing.T) {
	s := newScore(t, 16<<20, 256<<10)
	web := s.web(t, nil)
	f := s.from(web.URL + "/content.bin")
	var players []*player
	var peers []string
	for range 5 {
		p := s.join(member.Config{
			File: f, Dir: t.TempDir(), Peers: slices.Clone(peers), DownloadLimit: 8 << 20,
		})
		peers = append(peers, p.Addr().String())
		players = append(players, p)
	}
	for _, p := range players {
		s.wantComplete(p)
	}
	t.Logf("it sent %.3f copies to 5 members", web.copies(s))
	for _, p := range players {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	if c := web.copies(s); c > 1.5 {
		t.Errorf("it sent %.3f copies", c)
	}
}

// A member that gets from members asks no web server. It waits for them for a moment, in which a
// machine that is busy may not connect them; so once in a few times is enough.
func TestWebServerIsLeftAlone(t *testing.T) {
	for range 5 {
		asked := askedBesideAMember(t)
		if asked == 0 {
			return
		}
		t.Logf("it was asked %d times", asked)
	}
	t.Error("it is not left alone")
}

// askedBesideAMember returns how often a web server is asked where a member has everything.
func askedBesideAMember(t *testing.T) int {
	t.Helper()
	s := newScore(t, 4<<20, 64<<10)
	web := s.web(t, nil)
	first := s.join(member.Config{Dir: s.dir})
	s.wantComplete(first)
	p := s.join(member.Config{
		File: s.from(web.URL + "/"), Dir: t.TempDir(), Peers: []string{first.Addr().String()},
	})
	s.wantComplete(p)
	for _, p := range []*player{p, first} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	return web.asked
}

// A server without ranges is read once, in order.
func TestWebServerWithoutRanges(t *testing.T) {
	s := newScore(t, 6<<20, 256<<10)
	web := s.web(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		r.Header.Del("Range")
		return false
	})
	p := s.join(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
	s.wantComplete(p)
	if err := p.end(); err != nil {
		t.Error(err)
	}
	if web.asked != 1 {
		t.Errorf("it was asked %d times", web.asked)
	}
}

// What a server sends that is wrong is thrown away, and what is right there or elsewhere is taken.
func TestWebServerThatLies(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	wrong := make([]byte, len(s.content))
	var liar *webServer
	var joined atomic.Pointer[player]
	liar = s.web(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		http.ServeContent(&counted{w, liar}, r, "content.bin", time.Time{}, bytes.NewReader(wrong))
		return true
	})
	honest := s.web(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if p := joined.Load(); p != nil && p.Progress().Wasted > 0 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable) // the other one comes first
		return true
	})
	p, log := s.noted(member.Config{
		File: s.from(liar.URL+"/content.bin", honest.URL+"/content.bin"), Dir: t.TempDir(),
	})
	joined.Store(p)
	s.wantComplete(p)
	if err := p.end(); err != nil {
		t.Error(err)
	}
	host := strings.TrimPrefix(liar.URL, "http://")
	if len(log.lines("from the web server "+host+" do(es)? not verify")) == 0 {
		t.Error("nothing was said of the server that lies")
	}
	if n := p.Progress().Wasted; n == 0 || n > 4<<20 {
		t.Errorf("%d bytes were wasted", n)
	}
}

// A server that fails is asked again, and the user told why nothing comes.
func TestWebServerThatFails(t *testing.T) {
	s := newScore(t, 2<<20, 64<<10)
	web := s.web(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch {
		case n == 1:
			http.Error(w, "later", http.StatusServiceUnavailable)
		case n == 3: // it ends in the middle
			w.Header().Set("Content-Length", "1000000")
			w.Header().Set("Content-Range", "bytes 0-999999/2097152")
			w.WriteHeader(http.StatusPartialContent)
		default:
			return false
		}
		return true
	})
	p, log := s.noted(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
	s.wantComplete(p)
	if err := p.end(); err != nil {
		t.Error(err)
	}
	if n := len(log.lines(`answers 503 Service Unavailable; it is asked again in 1s`)); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

func TestWebServerWithoutTheFile(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	web := s.web(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		http.NotFound(w, r)
		return true
	})
	p, log := s.noted(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
	host := strings.TrimPrefix(web.URL, "http://")
	want := "the web server " + host + " answers 404 Not Found; connected to nobody: no other member is known; --peer names one"
	deadline := time.Now().Add(patience)
	for p.Progress().Waiting != want {
		if time.Now().After(deadline) {
			t.Fatalf("it waits because %q", p.Progress().Waiting)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
	if n := len(log.lines(`answers 404 Not Found; it is asked again in 15s`)); n != 1 {
		t.Errorf("it was told %d times", n)
	}
	if web.asked != 1 {
		t.Errorf("it was asked %d times", web.asked)
	}
}
