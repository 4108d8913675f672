// Package fetch gets a small file from a URL, for a user who typed it. It follows redirects within
// bounds: an address on the open Internet must not make this machine ask another one behind its
// firewall.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"orchestra/proto"
	"orchestra/proto/mtu"
)

// Config says how much a fetch may take. The zero value of a field is its default.
type Config struct {
	Size    int64         // bytes at most; 0 is 1 MiB
	Time    time.Duration // of the whole fetch; 0 is 5 minutes
	Silence time.Duration // until the answer begins, and between two pieces of it; 0 is 15 s
	Agent   string        // the User-Agent; "" is Orchestra
	Plain   bool          // as the server has it: it is asked not to compress it

	// Secure makes the connection to a server of http one on which the server has proven who it is;
	// nil leaves it as it is.
	Secure func(ctx context.Context, nc net.Conn) (net.Conn, error)
}

const (
	defaultSize    = 1 << 20
	defaultTime    = 5 * time.Minute
	defaultSilence = 15 * time.Second
	mostRedirects  = 5
	mostHeader     = 64 << 10
)

// A Body is what a URL leads to. Close ends the fetch.
type Body struct {
	io.Reader
	URL    *url.URL    // where it came from in the end
	Header http.Header // of the answer
	Length int64       // bytes, as the server says; -1: it does not say
	end    func()
}

// Close ends the fetch.
func (b *Body) Close() { b.end() }

// IsURL reports whether s is meant as the URL of something to fetch.
func IsURL(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && scheme != "" && strings.Trim(scheme, schemeLetters) == ""
}

const schemeLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."

// A StatusError is an answer other than the file.
type StatusError struct {
	URL    string
	Status string
	Code   int
	Answer *http.Response // its body has been read
	Start  []byte         // the beginning of that
}

// mostStart is how much is kept of an answer that is not the file.
const mostStart = 4 << 10

// newStatusError makes an error of an answer, which it ends.
func newStatusError(u *url.URL, res *http.Response) *StatusError {
	defer res.Body.Close()
	start, _ := io.ReadAll(io.LimitReader(res.Body, mostStart)) // the rest is as good without it
	return &StatusError{Shown(u), res.Status, res.StatusCode, res, start}
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: the server answers %s", e.URL, e.Status)
}

var (
	errTooLarge = errors.New("the file is too large")
	errSilent   = errors.New("nothing comes")
	errLate     = errors.New("it takes too long")
	errNoHost   = errors.New("there is no host of this name")
	errPrivate  = errors.New("it leads from a public to a private address")
)

// Open asks for the file at a URL and returns its beginning as soon as it is there. Reading fails
// beyond the bounds of the Config. The errors name the URL, without a password in it.
func Open(ctx context.Context, address string, cfg Config) (*Body, error) {
	u, err := Parse(address)
	if err != nil {
		return nil, err
	}
	f := newFetching(ctx, cfg)
	res, err := f.follow(u)
	if err != nil {
		f.end()
		return nil, err
	}
	from := res.Request.URL
	in := &bounded{f: f, in: res.Body, left: f.cfg.Size, at: Shown(from)}
	end := func() {
		res.Body.Close()
		f.end()
	}
	if res.ContentLength > f.cfg.Size {
		end()
		return nil, in.tooLarge()
	}
	return &Body{Reader: in, URL: from, Header: res.Header, Length: res.ContentLength, end: end}, nil
}

// Shown is a URL as it may be shown and logged: a password, a query and a
// fragment, which may be secrets, are left out.
func Shown(u *url.URL) string {
	shown := *u
	shown.RawQuery, shown.ForceQuery = "", false
	shown.Fragment, shown.RawFragment = "", ""
	text := shown.Redacted()
	if u.RawQuery != "" {
		text += "?..."
	}
	return text
}

// ShownText is what was typed for a URL, with or without its scheme, as it may be
// shown and logged.
func ShownText(typed string) string {
	scheme, rest, ok := strings.Cut(typed, "://")
	if !ok {
		scheme, rest = "", typed
	}
	host := strings.IndexByte(rest, '@')
	if !ok && (host < 0 || !strings.Contains(rest[:host], ":")) {
		return typed // it has no password, and may be no URL
	}
	u, err := url.Parse("http://" + rest)
	if err != nil {
		return "the URL"
	}
	u.Scheme = scheme
	return strings.TrimPrefix(Shown(u), "//")
}

// errURL does not say what is wrong with a URL: that would be a piece of it, and
// perhaps of a password.
var errURL = errors.New(`the URL cannot be read; ` +
	`characters like / ? # @ and % in a user name or password are written as %2F and so on`)

// Parse reads a URL that can be fetched.
func Parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errURL
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%s: only http and https can be fetched", Shown(u))
	case u.Hostname() == "":
		return nil, fmt.Errorf("%s names no host", Shown(u))
	}
	return u, nil
}

// A fetching is one fetch, with all its redirects.
type fetching struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelCauseFunc
	late   *time.Timer
	silent *time.Timer
	client *http.Client
	public bool // an address on the way was public
}

func newFetching(ctx context.Context, cfg Config) *fetching {
	if cfg.Size <= 0 {
		cfg.Size = defaultSize
	}
	if cfg.Time <= 0 {
		cfg.Time = defaultTime
	}
	if cfg.Silence <= 0 {
		cfg.Silence = defaultSilence
	}
	if cfg.Agent == "" {
		cfg.Agent = "Orchestra"
	}
	f := &fetching{cfg: cfg}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	f.late = time.AfterFunc(cfg.Time, func() { f.cancel(errLate) })
	f.silent = time.AfterFunc(cfg.Silence, func() { f.cancel(errSilent) })
	dialer := &net.Dialer{ControlContext: f.control}
	dial := dialer.DialContext
	if cfg.Secure != nil {
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			secured, err := cfg.Secure(ctx, nc)
			if err != nil {
				nc.Close()
				return nil, err
			}
			return secured, nil
		}
	}
	f.client = &http.Client{
		// No proxy: it would resolve the names, and whom it asks could not be checked.
		Transport: &http.Transport{
			DialContext: dial, DisableKeepAlives: true,
			MaxResponseHeaderBytes: mostHeader, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return f
}

func (f *fetching) end() {
	f.late.Stop()
	f.silent.Stop()
	f.cancel(nil)
	f.client.CloseIdleConnections()
}

// explain gives the reason for which the fetch was ended here, if it was.
func (f *fetching) explain(err error) error {
	if cause := context.Cause(f.ctx); cause != nil {
		return cause
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err // the rest is the URL, which stands there already
	}
	var name *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, errPrivate):
		return errPrivate
	case errors.As(err, &name) && name.IsNotFound:
		return errNoHost
	case errors.As(err, &name):
		return fmt.Errorf("its name cannot be looked up: %w", err)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("cannot connect: %w%s", op.Err, f.proxyHint())
	}
	return err
}

// proxyHint says that no proxy is used if the environment names one, which may be the only way to
// the Internet.
func (f *fetching) proxyHint() string {
	for _, name := range []string{"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"} {
		if os.Getenv(name) != "" {
			return "; " + name + " is set, and orchestra asks no proxy"
		}
	}
	return ""
}

// follow asks for the file, and again wherever it is said to be.
func (f *fetching) follow(u *url.URL) (*http.Response, error) {
	for range mostRedirects + 1 {
		res, err := f.ask(u)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", Shown(u), f.explain(err))
		}
		switch {
		case res.StatusCode == http.StatusOK:
			return res, nil
		case res.StatusCode < 300 || res.StatusCode > 399 || res.Header.Get("Location") == "":
			return nil, newStatusError(u, res)
		}
		res.Body.Close()
		next, err := u.Parse(res.Header.Get("Location"))
		if err != nil {
			return nil, fmt.Errorf("%s redirects to what is no URL", Shown(u))
		}
		if next, err = Parse(next.String()); err != nil {
			return nil, fmt.Errorf("%s redirects: %w", Shown(u), err)
		}
		if u.Scheme == "https" && next.Scheme == "http" {
			return nil, fmt.Errorf("%s redirects to %s, which is not encrypted", Shown(u), Shown(next))
		}
		u = next
	}
	return nil, fmt.Errorf("%s: more than %d redirects", Shown(u), mostRedirects)
}

func (f *fetching) ask(u *url.URL) (*http.Response, error) {
	ctx := httptrace.WithClientTrace(f.ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		if a, ok := c.Conn.RemoteAddr().(*net.TCPAddr); ok && !proto.IsPrivate(a.AddrPort().Addr()) {
			f.public = true
		}
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", f.cfg.Agent)
	if f.cfg.Plain {
		req.Header.Set("Accept-Encoding", "identity")
	}
	f.silent.Reset(f.cfg.Silence)
	return f.client.Do(req)
}

// control refuses addresses that are not to be connected to, and has packets made small: what is
// fetched is, and has to pass everywhere.
func (f *fetching) control(_ context.Context, network, address string, c syscall.RawConn) error {
	if err := f.checkAddress(address); err != nil {
		return err
	}
	return mtu.Limit(mtu.Small)(network, address, c)
}

// checkAddress refuses, before it is dialled, an address that the open Internet must not choose.
func (f *fetching) checkAddress(address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if f.public && proto.IsPrivate(a.Addr()) {
		return errPrivate
	}
	return nil
}

// bounded reads what comes, as long as something does and no more than may.
type bounded struct {
	f    *fetching
	in   io.Reader
	left int64
	at   string
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more, to see whether there is more
	}
	n, err := b.in.Read(p)
	if n > 0 {
		b.f.silent.Reset(b.f.cfg.Silence)
	}
	if int64(n) > b.left {
		return int(b.left), b.tooLarge()
	}
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s: %w", b.at, b.f.explain(err))
	}
	return n, err
}

func (b *bounded) tooLarge() error {
	return fmt.Errorf("%s: %w, %d bytes are the most", b.at, errTooLarge, b.f.cfg.Size)
}
