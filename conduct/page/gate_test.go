package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func request(method, url, remote string, header ...string) *http.Request {
	req := httptest.NewRequest(method, url, nil)
	req.RemoteAddr = remote
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

func answered(p *Page, req *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, req)
	return rec
}

// A page whose name somebody else can register must not be served: that name may be made to stand
// for this machine, for the scripts of a page of theirs.
func TestHosts(t *testing.T) {
	p := New(Config{Hosts: []string{"Swarm.Example.org"}})
	for host, want := range map[string]int{
		"127.0.0.1:9999": 200, "[::1]:9999": 200, "192.168.1.7": 200, "[fe80::1]": 200, "localhost:9999": 200,
		"lab-17:9999": 200, "lab-17.local:9999": 200, "lab-17.lan": 200, "x.localhost": 200, "swarm.example.org:9999": 200,
		"SWARM.EXAMPLE.ORG.": 200,
		"evil.example.org":   421, "swarm.example.org.evil.com": 421, "127.0.0.1.evil.com:9999": 421, "local.com": 421, "example.localx": 421,
	} {
		req := request("GET", "/", "127.0.0.1:1")
		req.Host = host
		if got := answered(p, req).Code; got != want {
			t.Errorf("under the name %s: %d, want %d", host, got, want)
		}
	}
	req := request("GET", "/", "127.0.0.1:1")
	req.Host = ""
	if got := answered(p, req).Code; got != 421 {
		t.Errorf("without a name: %d", got)
	}
}

func TestNothingToChange(t *testing.T) {
	p := New(Config{})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"} {
		rec := answered(p, request(method, "http://localhost/", "127.0.0.1:1"))
		if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, rec.Code, rec.Header().Get("Allow"))
		}
	}
}

func TestMasksStrangers(t *testing.T) {
	p := New(Config{})
	for _, c := range []struct {
		remote string
		header []string
		want   bool
	}{
		{"127.0.0.1:5", nil, false},
		{"[::1]:5", nil, false},
		{"[::ffff:127.0.0.1]:5", nil, false},
		{"192.168.1.9:5", nil, true},
		{"[fe80::9%eth0]:5", nil, true},
		{"@", nil, true},
		{"127.0.0.1:5", []string{"X-Forwarded-For", "192.0.2.1"}, true},
		{"127.0.0.1:5", []string{"Forwarded", "for=192.0.2.1"}, true},
		{"127.0.0.1:5", []string{"Via", "1.1 proxy"}, true},
	} {
		if got := p.gate.masks(request("GET", "/", c.remote, c.header...)); got != c.want {
			t.Errorf("from %s with %v: %t, want %t", c.remote, c.header, got, c.want)
		}
	}
}

func TestToken(t *testing.T) {
	const token = "a-token-of-enough-characters"
	p := New(Config{Token: token})
	ask := func(url string, header ...string) *httptest.ResponseRecorder {
		return answered(p, request("GET", "http://localhost"+url, "192.0.2.9:1", header...))
	}
	for _, url := range []string{"/", "/events", "/?token=another", "/events?token=", "/elsewhere"} {
		rec := ask(url)
		if rec.Code != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d", url, rec.Code)
		}
		if strings.Contains(rec.Body.String(), token) || len(rec.Result().Cookies()) > 0 {
			t.Errorf("%s gives away the token", url)
		}
		if !strings.Contains(rec.Body.String(), "/page.css") || ask("/page.css").Code != 200 {
			t.Error("the question for the token has no style")
		}
	}
	// A browser asks for an icon even where none is named.
	for _, url := range []string{"/icon.svg", "/favicon.ico"} {
		rec := ask(url)
		if got := rec.Header().Get("Content-Type"); rec.Code != 200 || got != "image/svg+xml" {
			t.Errorf("%s without the token: %d, %s", url, rec.Code, got)
		}
	}
	if got := ask("/", "Authorization", "Bearer another").Code; got != http.StatusUnauthorized {
		t.Errorf("with another token: %d", got)
	}
	if got := ask("/", "Authorization", "Bearer "+token).Code; got != 200 {
		t.Errorf("with the token as a bearer: %d", got)
	}
	rec := ask("/?token=" + token)
	cookies := rec.Result().Cookies()
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/" || len(cookies) != 1 {
		t.Fatalf("with the token: %d to %q, %v", rec.Code, rec.Header().Get("Location"), cookies)
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.Contains(c.Value, token) {
		t.Errorf("the cookie is %v", c)
	}
	if got := ask("/", "Cookie", c.Name+"="+c.Value).Code; got != 200 {
		t.Errorf("with the cookie: %d", got)
	}
	if got := ask("//evil.example/?token=" + token).Header().Get("Location"); got != "/" {
		t.Errorf("it leads elsewhere: %q", got)
	}
	if p.gate.masks(request("GET", "/", "192.0.2.9:1")) {
		t.Error("who knows the token sees no addresses")
	}
}
