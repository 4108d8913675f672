package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a page needs of whoever has it.
type Config struct {
	// Look returns how things are, with the details of the compositions of these IDs. What it is
	// not asked for any more nobody looks at any more. It reports false if it cannot tell now. It
	// is called by one goroutine, and not while nobody looks.
	Look func(ctx context.Context, ids []string) (View, bool)
	// Hosts are names besides addresses, localhost and names of the local network under which the
	// page is to be found.
	Hosts []string
	// Token is what viewers have to show; empty: nothing, and those who come from elsewhere than
	// this machine see no addresses of members.
	Token string
}

// A Page answers browsers. Run has to run for it.
type Page struct {
	cfg   Config
	gate  gate
	enter chan entering
	leave chan *viewer
	ended chan struct{}

	viewers atomic.Int64
}

// Guard lets those pass to another handler who may see the page.
func (p *Page) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if secure(w.Header()); p.gate.pass(w, req) {
			next.ServeHTTP(w, req)
		}
	})
}

// Viewers returns how many browsers show the page.
func (p *Page) Viewers() int { return int(p.viewers.Load()) }

// New returns a page.
func New(cfg Config) *Page {
	return &Page{
		cfg: cfg, gate: newGate(cfg.Hosts, cfg.Token),
		enter: make(chan entering), leave: make(chan *viewer), ended: make(chan struct{}),
	}
}

//go:embed assets
var embedded embed.FS

// assets is what there is to get, by path, with its type.
var assets = sync.OnceValue(readAssets)

type asset struct {
	kind   string
	text   []byte
	packed []byte // by gzip
}

func readAssets() map[string]asset {
	all := make(map[string]asset)
	err := fs.WalkDir(embedded, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := embedded.ReadFile(name)
		at := strings.TrimPrefix(name, "assets")
		if at == "/index.html" {
			at = "/"
		}
		all[at] = asset{kindOf(name), text, pack(text)}
		return err
	})
	if err != nil {
		panic(err) // the files are in the program
	}
	// Browsers ask for it on their own where a document names no icon.
	all["/favicon.ico"] = all["/icon.svg"]
	return all
}

func pack(text []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(text)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		panic(err) // there is nothing that could fail
	}
	return b.Bytes()
}

// kindOf is the type of a file. The system's own table is not asked: it may say anything.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.FormatMediaType("text/plain", map[string]string{"charset": "utf-8"})
}

// isAsset reports whether a path is of something that is the same for everybody and tells nothing.
func isAsset(at string) bool {
	_, ok := assets()[at]
	return ok && at != "/"
}

// ServeHTTP answers GET and HEAD for the page and what belongs to it.
func (p *Page) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	secure(w.Header())
	if !p.gate.pass(w, req) {
		return
	}
	if req.URL.Path == "/events" {
		p.events(w, req)
		return
	}
	a, ok := assets()[req.URL.Path]
	if !ok {
		http.NotFound(w, req)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", assetTag())
	if req.Header.Get("If-None-Match") == assetTag() {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	text := a.text
	w.Header().Set("Vary", "Accept-Encoding")
	if strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		text = a.packed
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if req.Method != http.MethodHead {
		w.Write(text)
	}
}

// assetTag names this version of all assets.
var assetTag = sync.OnceValue(func() string { return tagOf(assets()) })

// secure sets what keeps a browser from doing anything but show the page: nothing is loaded from
// elsewhere, nothing written into it runs, nobody frames it, nobody learns of its address.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
		"connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Server", "Orchestra")
}

// Times of the events of a viewer.
const (
	writeTime = 10 * time.Second // for one frame
	// without a frame, a comment is sent: a dead connection is found out
	aliveTime = 15 * time.Second
)

// events sends a viewer what happens until it goes.
func (p *Page) events(w http.ResponseWriter, req *http.Request) {
	id := req.URL.Query().Get("id")
	if raw, err := hex.DecodeString(id); id != "" && (err != nil || len(raw) != 20) {
		http.Error(w, "id is no composition's: it has 40 hexadecimal digits", http.StatusBadRequest)
		return
	}
	if req.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return
	}
	from := remote(req)
	v := &viewer{id: strings.ToLower(id), source: network(from), masked: p.gate.masks(req), queue: make(chan []byte, viewerQueue)}
	ok := make(chan bool, 1)
	select {
	case p.enter <- entering{v, ok}:
	case <-p.ended:
	case <-req.Context().Done():
		return
	}
	select {
	case in := <-ok:
		if !in {
			w.Header().Set("Retry-After", "30")
			http.Error(w, "too many look already; try again in a while", http.StatusServiceUnavailable)
			return
		}
	case <-p.ended:
		http.Error(w, "it is ending", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		select {
		case p.leave <- v:
		case <-p.ended:
		}
	}()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	out.SetReadDeadline(time.Time{}) // nothing more is to come, for however long
	alive := time.NewTicker(aliveTime)
	defer alive.Stop()
	for text := []byte("retry: 2000\n\n"); ; {
		if err := write(out, w, text); err != nil {
			return
		}
		var open bool
		select {
		case text, open = <-v.queue:
			if !open {
				return
			}
			alive.Reset(aliveTime)
		case <-alive.C:
			text = []byte(": alive\n\n")
		case <-req.Context().Done():
			return
		}
	}
}

// write sends a text at once.
func write(out *http.ResponseController, w http.ResponseWriter, text []byte) error {
	if err := out.SetWriteDeadline(time.Now().Add(writeTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return out.Flush()
}

// remote is where a request comes from; the zero address if that cannot be told.
func remote(req *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(host)
	return a.Unmap().WithZone("")
}

// network is what viewers are counted by: an address, of IPv6 a /64.
func network(a netip.Addr) netip.Addr {
	if p, err := a.Prefix(64); a.Is6() && err == nil {
		return p.Masked().Addr()
	}
	return a
}
