package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orchestra/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func read(t *testing.T, address string, cfg Config) (string, error) {
	t.Helper()
	body, err := Open(t.Context(), address, cfg)
	if err != nil {
		return "", err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	return string(text), err
}

func TestFetch(t *testing.T) {
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	defer srv.Close()
	text := strings.Repeat("content ", 1000)
	mux.HandleFunc("/plain", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })
	mux.HandleFunc("/chunks", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, text[:10])
		w.(http.Flusher).Flush()
		io.WriteString(w, text[10:])
	})
	mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/stuck", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, text[:10])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("a"))
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/round", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/round")
		w.WriteHeader(http.StatusFound)
	})
	short := Config{Silence: 200 * time.Millisecond}
	for path, c := range map[string]struct {
		cfg  Config
		want string // of the error; empty: the text comes
	}{
		"/plain":              {},
		"/chunks":             {},
		"/to?a=/plain":        {},
		"/missing":            {want: "the server answers 404 Not Found"},
		"/to?a=":              {want: "the server answers 302 Found"},
		"/to?a=file:///etc/x": {want: "only http and https can be fetched"},
		"/to?a=ftp://host/x":  {want: "only http and https can be fetched"},
		"/to?a=http://%2520/": {want: "invalid URL escape"},
		"/round":              {want: "more than 5 redirects"},
		"/silent":             {cfg: short, want: "nothing comes"},
		"/stuck":              {cfg: short, want: "nothing comes"},
		"/plain?":             {cfg: Config{Size: 10}, want: "too large, 10 bytes are the most"},
		"/chunks?":            {cfg: Config{Size: 7999}, want: "too large, 7999 bytes are the most"},
		"/chunks?all":         {cfg: Config{Size: 8000}},
		"/stuck?":             {cfg: Config{Time: 200 * time.Millisecond}, want: "it takes too long"},
	} {
		got, err := read(t, srv.URL+path, c.cfg)
		switch {
		case c.want == "" && (err != nil || got != text):
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", path, err, c.want)
		case c.want != "" && (strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "http://")):
			t.Errorf("%s: %q is not one line that names the URL", path, err)
		}
	}
}

func TestBadURLs(t *testing.T) {
	for address, want := range map[string]string{
		"file:///etc/passwd":                   "only http and https",
		"http:///x":                            "names no host",
		"http://u:se/cret@host/":               "cannot be read",
		"http://u:sec%ret@host/":               "cannot be read",
		"http://u:secret@host:x/":              "cannot be read",
		"http://u:se cret@host/":               "cannot be read",
		"http://127.0.0.1:1/x?k=secret#secret": "http://127.0.0.1:1/x?...: cannot connect",
		"http://u:secret@[::1":                 "cannot be read",
		"http://u:secret@255.255.255.255:":     "255.255.255.255",
		"ftp://u:secret@host/":                 "only http and https",
	} {
		_, err := read(t, address, Config{Time: time.Second})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v, want %q and no password", address, err, want)
		}
	}
	for s, want := range map[string]bool{
		"http://host/x": true, "ftp://x": true, "photos": false, "C:\\x": false, "a b://x": false, "://": false,
	} {
		if IsURL(s) != want {
			t.Errorf("IsURL(%q) is %v", s, !want)
		}
	}
}

// Who cannot connect, where a proxy may be the only way, is told that none is asked.
func TestNoProxy(t *testing.T) {
	const url = "http://127.0.0.1:1/x" // where nobody listens
	for _, name := range []string{"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"} {
		t.Setenv(name, "")
	}
	if _, err := Open(t.Context(), url, Config{}); err == nil || strings.Contains(err.Error(), "proxy") {
		t.Errorf("without a proxy it says %v", err)
	}
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	const want = "; HTTPS_PROXY is set, and orchestra asks no proxy"
	if _, err := Open(t.Context(), url, Config{}); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("with one it says %v", err)
	}
}

func TestShownText(t *testing.T) {
	for typed, want := range map[string]string{
		"http://host/x.orch":         "http://host/x.orch",
		"http://u:p@host:1/x":        "http://u:xxxxx@host:1/x",
		"https://u:p@host/x?a=b#key": "https://u:xxxxx@host/x?...",
		"u:p@host:1/x":               "u:xxxxx@host:1/x",
		"http://u:p/q@host/":         "the URL",
		"host:9999/x.orch":           "host:9999/x.orch",
		"photos@2026.orch":           "photos@2026.orch",
		"file:///etc/passwd":         "file:///etc/passwd",
		"http://host/x#swarm-key":    "http://host/x",
	} {
		if got := ShownText(typed); got != want {
			t.Errorf("%s is shown as %s, want %s", typed, got, want)
		}
	}
}

// Whatever is typed, what stands for secrets in a URL is not shown.
func FuzzShown(f *testing.F) {
	for _, text := range []string{"http://user:%s@host/", "user:%s@host:1/x", "https://host/x?token=%s", "http://host/%%zz#%s", "http://u:%s@[::1/"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const secret = "s3cr3t-9f"
		if strings.Count(text, "%s") != 1 || strings.Contains(text, "s3cr3t") {
			return
		}
		typed := strings.Replace(text, "%s", secret, 1)
		u, err := Parse(typed)
		if err != nil {
			if strings.Contains(err.Error(), secret) && u != nil {
				t.Fatalf("%q: %v", typed, err)
			}
			return
		}
		pass, _ := u.User.Password()
		hidden := strings.Contains(pass, secret) || strings.Contains(u.RawQuery, secret) || strings.Contains(u.Fragment, secret)
		for _, shown := range []string{Shown(u), ShownText(typed)} {
			if hidden && strings.Contains(shown, secret) {
				t.Fatalf("%q is shown as %q", typed, shown)
			}
		}
	})
}

// Whom a redirect leads to matters by its address, whatever its name, and by where it came from.
func TestNoWayFromPublicToPrivate(t *testing.T) {
	f := newFetching(t.Context(), Config{})
	defer f.end()
	for _, c := range []struct {
		public  bool
		address string
		ok      bool
	}{
		{false, "127.0.0.1:80", true},
		{false, "192.168.1.1:80", true},
		{true, "192.168.1.1:80", false},
		{true, "10.0.0.1:9999", false},
		{true, "127.0.0.1:80", false},
		{true, "[::1]:80", false},
		{true, "[fe80::1%eth0]:80", false},
		{true, "[::ffff:10.0.0.1]:80", false},
		{true, "[fd00::1]:80", false},
		{true, "169.254.169.254:80", false},
		{true, "100.64.0.1:80", false},
		{true, "0.0.0.0:80", false},
		{true, "[64:ff9b::a00:1]:80", false},
		{true, "192.0.2.1:80", true},
		{true, "[2001:db8::1]:443", true},
	} {
		f.public = c.public
		if err := f.checkAddress(c.address); (err == nil) != c.ok {
			t.Errorf("public before: %v, %s: %v", c.public, c.address, err)
		}
	}
	if proto.IsPrivate(netip.MustParseAddr("8.8.8.8")) {
		t.Error("8.8.8.8 is taken for private")
	}
}

// The check stands where connections are made, so that a redirect meets it.
func TestRedirectMeetsTheCheck(t *testing.T) {
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the private server was asked")
	}))
	defer inner.Close()
	outer := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusFound))
	defer outer.Close()
	f := newFetching(t.Context(), Config{})
	defer f.end()
	u, err := Parse(outer.URL)
	if err != nil {
		t.Fatal(err)
	}
	// The first one is on loopback too; that it were public is what its connection would tell.
	transport := f.client.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := dial(ctx, network, address)
		f.public = true
		return nc, err
	}
	if _, err := f.follow(u); !errors.Is(err, errPrivate) {
		t.Errorf("it says %v", err)
	}
}

func TestEncryptionIsKept(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer secure.Close()
	f := newFetching(t.Context(), Config{})
	defer f.end()
	f.client.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	u, err := Parse(secure.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.follow(u); err == nil || !strings.Contains(fmt.Sprint(err), "not encrypted") {
		t.Errorf("it says %v", err)
	}
}
