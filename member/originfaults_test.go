package member_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/compose"
	"orchestra/member"
)

// Web servers on which something goes wrong while they are asked.

// A server that goes away in the middle and comes back is asked again, for what is missing.
func TestWebServerThatComesBack(t *testing.T) {
	s := newScore(t, 4<<20, 64<<10)
	var down atomic.Int64 // requests that it still ends without an answer
	once := sync.Once{}
	web := s.web(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n > 2 {
			once.Do(func() { down.Store(3) })
		}
		if down.Add(-1) < 0 {
			return false
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return true
		}
		conn.Close()
		return true
	})
	p, log := s.noted(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
	s.wantComplete(p)
	progress := p.Progress()
	if err := p.end(); err != nil {
		t.Error(err)
	}
	if c := web.copies(s); c > 1.5 {
		t.Errorf("it sent %.3f copies", c)
	}
	if n := len(log.lines("ended the answer too soon.*; it is asked again in [12]s")); n != 1 {
		t.Errorf("it was told %d times", n)
	}
	if o := progress.Origins; len(o) != 1 || o[0].Trouble != "" || o[0].Received < 4<<20 {
		t.Errorf("it says %+v", o)
	}
}

// A server that says when to ask again is not asked before.
func TestWebServerIsLeftInPeace(t *testing.T) {
	s := newScore(t, 2<<20, 64<<10)
	var mu sync.Mutex
	var refused time.Time
	web := s.web(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case n == 1:
			refused = time.Now()
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		case time.Since(refused) < 2900*time.Millisecond:
			t.Errorf("it was asked again after %v", time.Since(refused))
		}
		return false
	})
	p, log := s.noted(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
	s.wait(func() bool { return p.Progress().Origins[0].Trouble != "" })
	o := p.Progress().Origins[0]
	host := strings.TrimPrefix(web.URL, "http://")
	want := "the web server " + host + " answers 503 Service Unavailable; it is asked again in 3s"
	if got := o.Text(o.Again.Add(-3 * time.Second)); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	s.wantComplete(p)
	if err := p.end(); err != nil {
		t.Error(err)
	}
	if n := len(log.lines("answers 503 Service Unavailable; it is asked again in 3s")); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// A file that is replaced while it is asked for is told, and costs no more than some of it: what
// came before stays, and the rest comes from a member.
func TestWebServerWhoseFileChanges(t *testing.T) {
	s := newScore(t, 8<<20, 64<<10)
	other := bytes.Clone(s.content)
	for i := range other {
		other[i]++
	}
	web := s.web(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		w.Header().Set("ETag", `"one"`)
		if n <= 4 {
			return false
		}
		w.Header().Set("ETag", `"two"`)
		http.ServeContent(w, r, "content.bin", time.Time{}, bytes.NewReader(other))
		return true
	})
	p, log := s.noted(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
	s.wait(func() bool { return len(log.lines("was changed since it was asked for first")) > 0 })
	first := s.join(member.Config{Dir: s.dir, Peers: []string{p.Addr().String()}})
	s.wantComplete(p)
	web.mu.Lock()
	asked := web.asked
	web.mu.Unlock()
	wasted := p.Progress().Wasted
	end(t, p, first)
	if asked > 40 || wasted > 8<<20 {
		t.Errorf("it was asked %d times, and %d bytes were wasted", asked, wasted)
	}
	if n := len(log.lines("was changed since it was asked for first")); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// A file that was replaced from the start is asked for again and again, but less and less often,
// and the user is told what may be wrong.
func TestWebServerWithAnotherFile(t *testing.T) {
	s := newScore(t, 24<<20, 256<<10)
	other := make([]byte, len(s.content))
	web := s.web(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		http.ServeContent(w, r, "content.bin", time.Time{}, bytes.NewReader(other))
		return true
	})
	p, log := s.noted(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
	const words = "is the file there still the one that was composed\\? It is asked again in 1m0s"
	s.wait(func() bool { return len(log.lines(words)) > 0 })
	sent := web.copies(s)
	s.wait(func() bool { return p.Progress().Waiting != "" })
	if now := web.copies(s); now > sent+0.2 || now > 1 {
		t.Errorf("it sent %.2f copies, and then %.2f", sent, now-sent)
	}
	first := s.join(member.Config{Dir: s.dir, Peers: []string{p.Addr().String()}})
	s.wantComplete(p)
	end(t, p, first)
}

// Who asks a slow server does not wait for it when a member comes that has everything.
func TestSlowWebServerBesideAMember(t *testing.T) {
	s := newScore(t, 8<<20, 64<<10)
	web := s.web(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		http.ServeContent(&slow{w, r}, r, "content.bin", time.Time{}, bytes.NewReader(s.content))
		return true
	})
	p := s.join(member.Config{File: s.from(web.URL + "/"), Dir: t.TempDir()})
	s.wait(func() bool { return p.Progress().Origins[0].Received > 0 })
	first := s.join(member.Config{Dir: s.dir, Peers: []string{p.Addr().String()}})
	begun := time.Now()
	s.wantComplete(p)
	came, took := p.Progress().Origins[0].Received, time.Since(begun)
	end(t, p, first)
	t.Logf("it took %v, and %d bytes came from the server", took, came)
	if came > 3<<20 {
		t.Errorf("%d bytes came from the server", came)
	}
	if took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}

// slow sends 512 KiB a second.
type slow struct {
	http.ResponseWriter
	r *http.Request
}

func (s *slow) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = s.ResponseWriter.Write(p[n:min(n+16<<10, len(p))])
		n += m
		select {
		case <-time.After(time.Second / 32):
		case <-s.r.Context().Done():
			return n, s.r.Context().Err()
		}
	}
	return n, err
}

// A folder of which a server lacks a file, or has another one, comes but for that; the file comes
// from elsewhere, or from there when it is there.
func TestWebServerThatLacksAFile(t *testing.T) {
	dir := t.TempDir()
	all := map[string][]byte{}
	for i, name := range []string{"a", "b", "c", "d"} {
		all[name] = bytes.Repeat([]byte{byte(i + 1), 7, byte(i)}, 100_000)
		if err := os.MkdirAll(filepath.Join(dir, "music"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "music", name), all[name], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := compose.Compose(t.Context(), compose.Config{
		Path: filepath.Join(dir, "music"), Conductors: []string{"localhost:1"}, PartSize: 32 << 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &score{t: t}
	asked := map[string]int{}
	var mu sync.Mutex
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		mu.Lock()
		asked[name]++
		mu.Unlock()
		b := all[name]
		switch name {
		case "b":
			http.NotFound(w, r)
			return
		case "c":
			b = b[:1000]
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
	}))
	t.Cleanup(web.Close)
	p, log := s.noted(member.Config{File: f, Dir: t.TempDir(), Webseeds: []string{web.URL}})
	host := strings.TrimPrefix(web.URL, "http://")
	const reasons = " answers 404 Not Found \\(b\\)"
	s.wait(func() bool { return p.Progress().BytesDone >= 500_000 })
	s.wait(func() bool { return strings.Contains(p.Progress().Waiting, "the web server "+host) })
	if n := len(log.lines("the web server " + host + reasons + "; it is asked for that again in 15s")); n != 1 {
		t.Errorf("it was told %d times of the missing one", n)
	}
	if n := len(log.lines("has a file of 1000 bytes, not of 300000: it is another one \\(c\\)")); n != 1 {
		t.Errorf("it was told %d times of the other one", n)
	}
	if n := len(log.lines("gone at")); n > 0 {
		t.Errorf("it was told %d times that parts are gone", n)
	}
	first := s.join(member.Config{File: f, Dir: dir, Peers: []string{p.Addr().String()}})
	s.wait(func() bool { return p.Progress().Complete })
	end(t, p, first)
	mu.Lock()
	defer mu.Unlock()
	if asked["b"] > 2 || asked["c"] > 2 {
		t.Errorf("it was asked %v", asked)
	}
}
