package page

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// A gate lets viewers in, or not.
type gate struct {
	hosts  []string
	token  string // as the cookie has it; "": none is wanted
	cookie string // the name of what a browser shows after it has shown the token once
}

func newGate(hosts []string, token string) gate {
	g := gate{}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	if token != "" {
		g.token = seal(token)
		// Cookies are of a host, whatever the port, and a host may have several pages.
		g.cookie = "orchestra_" + seal("name " + token)[:8]
	}
	return g
}

// seal is what stands for a token in a cookie and in memory.
func seal(token string) string {
	sum := sha256.Sum256([]byte("orchestra page " + token))
	return hex.EncodeToString(sum[:])
}

// pass reports whether a request may be answered, and answers it if not.
func (g *gate) pass(w http.ResponseWriter, req *http.Request) bool {
	switch {
	case req.Method != http.MethodGet && req.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "there is nothing to change here", http.StatusMethodNotAllowed)
		return false
	case !g.knows(req.Host):
		http.Error(w, fmt.Sprintf("this page is not served under the name %q; "+
			"use the machine's address, or start it with --page-host", req.Host), http.StatusMisdirectedRequest)
		return false
	case g.token == "" || isAsset(req.URL.Path):
		return true
	}
	if given := req.URL.Query().Get("token"); given != "" && equal(seal(given), g.token) {
		http.SetCookie(w, &http.Cookie{
			Name: g.cookie, Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, req, "/", http.StatusSeeOther)
		return false
	}
	if g.shown(req) {
		return true
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("WWW-Authenticate", `Bearer realm="orchestra"`)
	w.WriteHeader(http.StatusUnauthorized)
	io.WriteString(w, askToken)
	return false
}

// askToken asks a person for the token.
const askToken = `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Orchestra</title><link rel="stylesheet" href="/page.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<main class="ask"><h1>This page needs a token</h1>
<p>It stands in the file that --page-token-file names where the conductor runs.</p>
<form action="/"><input autocomplete="username" value="orchestra" hidden>
<label>Token <input name="token" type="password" autocomplete="current-password"
required autofocus></label> <button>Show</button></form></main></html>
`

// shown reports whether a request shows the token.
func (g *gate) shown(req *http.Request) bool {
	if c, err := req.Cookie(g.cookie); err == nil && equal(c.Value, g.token) {
		return true
	}
	given, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	return ok && equal(seal(given), g.token)
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// masks reports whether a viewer is to see no addresses. What comes through a proxy comes from
// elsewhere, whatever the connection says.
func (g *gate) masks(req *http.Request) bool {
	if g.token != "" {
		return false
	}
	proxied := req.Header.Get("Forwarded") != "" || req.Header.Get("X-Forwarded-For") != "" || req.Header.Get("Via") != ""
	return proxied || !remote(req).IsLoopback()
}

// knows reports whether the page is served under a name. A page of somebody else's that gives its
// own name this machine's address must not read this one, so names that anybody can register are
// not known. Addresses are, and names that exist in the local network only.
func (g *gate) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if host == "" || slices.Contains(g.hosts, host) {
		return host != ""
	}
	if !strings.Contains(host, ".") {
		return true // nobody can register it
	}
	return slices.ContainsFunc([]string{".localhost", ".local", ".lan", ".internal", ".home.arpa"}, func(s string) bool {
		return strings.HasSuffix(host, s)
	})
}

// tagOf is a name for these contents.
func tagOf(all map[string]asset) string {
	sum := sha256.New()
	for _, at := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(sum, "%s %d\n", at, len(all[at].text))
		sum.Write(all[at].text)
	}
	return `"` + hex.EncodeToString(sum.Sum(nil)[:8]) + `"`
}
