package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"orchestra/proto"
)

var (
	errSilent    = errors.New("sends nothing")
	errPrivate   = errors.New("leads from a public to a private address")
	errQuery     = errors.New("is at a private address, where URLs with a query are not asked for")
	errEncrypted = errors.New("redirects from https to http, which is not encrypted")
	errRedirects = errors.New("redirects too often")
	errEncoded   = errors.New("sends the file compressed, which was not asked for")
	errElsewhere = errors.New("sends other bytes than it was asked for")
)

const (
	mostRedirects = 5
	mostHeader    = 64 << 10
	connectTime   = 10 * time.Second
	idleTime      = 30 * time.Second
)

func (s *Source) newClient() *http.Client {
	dialer := &net.Dialer{Timeout: connectTime, ControlContext: s.checkAddress}
	return &http.Client{
		// No proxy: it would resolve the names, and whom it asks could not be checked. No HTTP/2:
		// it would have one flow where there are to be two, and nothing to gain from it.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: connectTime,
			MaxResponseHeaderBytes: mostHeader, MaxIdleConnsPerHost: 2, IdleConnTimeout: idleTime,
			DisableCompression: true,
			TLSNextProto:       map[string]func(string, *tls.Conn) http.RoundTripper{},
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			switch {
			case len(via) > mostRedirects:
				return errRedirects
			case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
				return errEncrypted
			case req.URL.Scheme != "http" && req.URL.Scheme != "https":
				return fmt.Errorf("redirects to %s", req.URL.Scheme)
			}
			req.Header.Del("Referer") // there may be a signature in it
			if asking, ok := req.Context().Value(askingKey{}).(*asking); ok {
				asking.redirected.Store(true)
			}
			return nil
		},
	}
}

// asking is one request, with where it is redirected to.
type asking struct{ redirected atomic.Bool }

type askingKey struct{}

// checkAddress refuses, before it is dialled, an address that the open Internet must not choose.
// Whoever wrote the URL may be somebody else than the user: at a private address nothing is asked
// for that could do something there.
func (s *Source) checkAddress(ctx context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !proto.IsPrivate(a.Addr()) {
		return err
	}
	asking, ok := ctx.Value(askingKey{}).(*asking)
	switch {
	case s.public.Load() && (!ok || asking.redirected.Load()):
		return errPrivate
	case !isHarmless(s.url.Query()):
		return errQuery
	}
	return nil
}

// isHarmless reports whether a query only says who may read a file of a bucket, and which version
// of it. So it may go to a private address: the user's own servers sign like that.
func isHarmless(query url.Values) bool {
	for name := range query {
		if !strings.HasPrefix(name, "X-Amz-") && name != "x-id" && name != "versionId" {
			return false
		}
	}
	return true
}

// body is an answer that is being read.
type body struct {
	of     *stretch
	at     int64 // in the file
	in     io.ReadCloser
	whole  bool // the whole file comes, rather than what was asked for
	err    error
	cancel context.CancelCauseFunc
	silent *time.Timer
	limit  time.Duration
}

// Close ends the answer.
func (b *body) Close() {
	b.silent.Stop()
	b.cancel(errClosed)
	b.in.Close()
}

// read reads some of the answer, as long as it comes.
func (b *body) read(ctx context.Context, p []byte) (int, error) {
	defer context.AfterFunc(ctx, func() { b.cancel(context.Cause(ctx)) })()
	b.silent.Reset(b.limit)
	n, err := b.in.Read(p)
	b.silent.Stop()
	b.at += int64(n)
	b.err = err
	return n, err
}

// open asks for a stretch of a file, or goes on with an answer that leads there.
func (s *Source) open(ctx context.Context, st *stretch, from, to int64) (*body, error) {
	b := s.takeKept(st, from)
	if b == nil {
		var err error
		if b, err = s.ask(ctx, st, from, to); err != nil {
			return nil, err
		}
	}
	if err := b.skip(ctx, from-b.at); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// skip passes over n bytes.
func (b *body) skip(ctx context.Context, n int64) error {
	if n == 0 {
		return nil
	}
	_, err := io.CopyN(io.Discard, readerFunc(func(p []byte) (int, error) { return b.read(ctx, p) }), n)
	if err == io.EOF {
		err = explain(io.ErrUnexpectedEOF)
	}
	return err
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// ask asks for a stretch of a file.
func (s *Source) ask(ctx context.Context, st *stretch, from, to int64) (*body, error) {
	address, err := s.address(st.url)
	if err != nil {
		return nil, err
	}
	own, cancel := context.WithCancelCause(s.ctx)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	b := &body{of: st, cancel: cancel, limit: s.cfg.Silence}
	b.silent = time.AfterFunc(s.cfg.Silence, func() { cancel(errSilent) })
	defer b.silent.Stop()
	traced := httptrace.WithClientTrace(context.WithValue(own, askingKey{}, &asking{}),
		&httptrace.ClientTrace{GotConn: s.connected})
	req, err := http.NewRequestWithContext(traced, http.MethodGet, address, nil)
	if err != nil {
		cancel(err)
		return nil, errors.New("has a URL that cannot be read")
	}
	req.Header.Set("User-Agent", s.cfg.Agent)
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, to-1))
	res, err := s.client.Do(req)
	if err != nil {
		defer cancel(err)
		if cause := context.Cause(own); cause != nil {
			err = cause
		}
		return nil, explain(err)
	}
	b.in = &explained{res.Body, own}
	if err := s.check(res, b, from, to); err != nil {
		b.Close()
		return nil, s.ofFile(st, err)
	}
	return b, nil
}

func (s *Source) connected(c httptrace.GotConnInfo) {
	a, ok := c.Conn.RemoteAddr().(*net.TCPAddr)
	if ok && !proto.IsPrivate(a.AddrPort().Addr()) {
		s.public.Store(true)
	}
}

// check finds out what an answer is. A file of another length is another file.
func (s *Source) check(res *http.Response, b *body, from, to int64) error {
	switch res.Header.Get("Content-Encoding") {
	case "", "identity":
	default:
		return errEncoded
	}
	switch res.StatusCode {
	case http.StatusPartialContent:
		first, last, size, ok := parseContentRange(res.Header.Get("Content-Range"))
		switch {
		case ok && size >= 0 && size != b.of.length:
			return &lengthError{size, b.of.length}
		case !ok || first != from || last != to-1:
			return errElsewhere
		case res.ContentLength >= 0 && res.ContentLength != to-from:
			return errElsewhere
		}
		b.at = from
		s.learns(WithRanges)
	case http.StatusOK:
		if n := res.ContentLength; n >= 0 && n != b.of.length {
			return &lengthError{n, b.of.length}
		}
		b.whole = true
		if from > 0 || to < b.of.length {
			s.learns(WithoutRanges)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		size, ok := parseUnsatisfied(res.Header.Get("Content-Range"))
		if ok && size != b.of.length {
			return &lengthError{size, b.of.length}
		}
		return s.refused(res, time.Now())
	default:
		return s.refused(res, time.Now())
	}
	s.notice(b.of, res.Header)
	return nil
}

func (s *Source) learns(r Ranges) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ranges = r
}

// explained gives the reason for which an answer was ended here.
type explained struct {
	io.ReadCloser
	ctx context.Context
}

func (e *explained) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		if cause := context.Cause(e.ctx); cause != nil {
			return n, cause
		}
		return n, explain(err)
	}
	return n, err
}

// explain says what went wrong, in words that follow the name of the server, without the URL: there
// may be a password or a signature in it.
func explain(err error) error {
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	var name *net.DNSError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	for _, own := range []error{errPrivate, errQuery, errEncrypted, errRedirects, errSilent} {
		if errors.Is(err, own) {
			return own
		}
	}
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return errors.New("is not known: there is no host of this name")
	case errors.As(err, &name):
		return fmt.Errorf("is not known: its name cannot be looked up: %w", err)
	case errors.As(err, &certificate):
		return fmt.Errorf("has no certificate that can be trusted: %w", certificate.Err)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("cannot be connected to: %w", op.Err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("ended the answer too soon: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("failed: %w", err)
}
