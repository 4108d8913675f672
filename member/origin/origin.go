// Package origin reads stretches of a composition's content from a web server that has a copy of it
// (BEP 19), over HTTP, HTTPS, or from a bucket (S3). It knows neither members nor parts, and
// believes nothing: what it returns is to be verified.
package origin

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"orchestra/orch"
)

// Config describes an origin.
type Config struct {
	URL     string // http, https or s3
	File    *orch.File
	Agent   string                   // the User-Agent; "" is Orchestra
	Silence time.Duration            // that an answer may take to begin, or to go on; 0 is 20 s
	Env     func(name string) string // where the keys for s3 are; nil: nowhere
}

const defaultSilence = 20 * time.Second

// Source is one origin. Its methods may be called from several goroutines.
type Source struct {
	cfg    Config
	url    *url.URL
	layout []stretch
	client *http.Client
	public atomic.Bool // an address that was connected to is public

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	ranges  Ranges
	changed bool  // a file was, since that was asked for last
	kept    *body // of an answer without ranges, that is read on; nil: none
}

// Ranges is what is known of whether an origin sends stretches of a file.
type Ranges int

// What may be known.
const (
	RangesUnknown Ranges = iota
	WithRanges
	WithoutRanges // the whole file comes each time
)

var (
	errClosed      = errors.New("the origin is closed")
	errBucketQuery = errors.New("the URL of a bucket has no query: a ? in a name is written %3F")
)

// CheckURL says what is wrong with the URL of an origin. It does not show it: there may be a
// password in it.
func CheckURL(address string) error {
	_, err := parseURL(address)
	return err
}

func parseURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	switch {
	case u.Scheme == "":
		return nil, errors.New("the URL does not begin with http://, https:// or s3://")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "s3":
		return nil, fmt.Errorf("%s is no scheme of a web server", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("the URL names no host")
	case u.Scheme == "s3" && (u.RawQuery != "" || u.ForceQuery):
		return nil, errBucketQuery
	}
	return u, nil
}

// New describes an origin; nothing is connected to. The error is that of [CheckURL].
func New(cfg Config) (*Source, error) {
	u, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Agent == "" {
		cfg.Agent = "Orchestra"
	}
	if cfg.Silence <= 0 {
		cfg.Silence = defaultSilence
	}
	if cfg.Env == nil {
		cfg.Env = func(string) string { return "" }
	}
	s := &Source{cfg: cfg, url: u, layout: layoutOf(cfg.File, u)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.client = s.newClient()
	return s, nil
}

// Name is how the user knows it: the host, or the bucket.
func (s *Source) Name() string {
	if s.url.Scheme == "s3" {
		return "s3://" + s.url.Host
	}
	return s.url.Host
}

// ID is a number by which all who know the URL know the origin.
func (s *Source) ID() [20]byte { return sha1.Sum([]byte("origin " + s.cfg.URL)) }

// Ranges tells whether the origin sends stretches, as far as it is known.
func (s *Source) Ranges() Ranges {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ranges
}

// Close ends all that is being read.
func (s *Source) Close() {
	s.cancel(errClosed)
	s.keep(nil)
	s.client.CloseIdleConnections()
}

// keep leaves the rest of an answer without ranges for who reads on.
func (s *Source) keep(b *body) {
	s.mu.Lock()
	before := s.kept
	s.kept = b
	s.mu.Unlock()
	if before != nil {
		before.Close()
	}
}

// takeKept takes what was kept, if it leads to an offset of a file.
func (s *Source) takeKept(st *stretch, at int64) *body {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.kept
	if b == nil || b.of != st || b.at > at {
		return nil
	}
	s.kept = nil
	return b
}

// Open begins to read the content from one offset to another. What it returns asks for one file
// after the other as it is read, and ends with io.EOF when all came. Reads end with ctx.
func (s *Source) Open(ctx context.Context, from, to int64) *Reader {
	return &Reader{s: s, ctx: ctx, at: from, to: to}
}

// Reader reads a stretch of the content. One goroutine uses it.
type Reader struct {
	s      *Source
	ctx    context.Context
	at, to int64
	body   *body
}

// Read reads some of the content.
func (r *Reader) Read(p []byte) (int, error) {
	if r.at >= r.to {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), r.to-r.at)]
	st, upto := r.s.find(r.at)
	if st == nil { // zeros between files
		n := min(int64(len(p)), upto-r.at)
		clear(p[:n])
		r.at += n
		return int(n), nil
	}
	inFile := r.at - st.start
	if r.body == nil || r.body.of != st || r.body.at != inFile {
		r.end()
		b, err := r.s.open(r.ctx, st, inFile, min(r.to-st.start, st.length))
		if err != nil {
			return 0, err
		}
		r.body = b
	}
	n, err := r.body.read(r.ctx, p[:min(int64(len(p)), st.length-inFile)])
	r.at += int64(n)
	if err == io.EOF {
		if err = nil; r.at < min(r.to, st.start+st.length) {
			err = explain(io.ErrUnexpectedEOF)
		}
	}
	return n, err
}

// Close ends the reading. The rest of an answer without ranges is kept for who goes on from there.
func (r *Reader) Close() { r.end() }

func (r *Reader) end() {
	b := r.body
	r.body = nil
	switch {
	case b == nil:
	case b.whole && b.err == nil && r.ctx.Err() == nil && b.at < b.of.length:
		r.s.keep(b)
	default:
		b.Close()
	}
}
