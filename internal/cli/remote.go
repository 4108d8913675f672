package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"orchestra/compose"
	"orchestra/internal/cli/fetch"
	"orchestra/member/origin"
	"orchestra/orch"
)

// A remote is a file on a web server, or in a bucket, that is composed.
type remote struct {
	address string // as members ask for it
	url     *url.URL
	name    string
}

// isRemote reports whether what is to be composed is on a server.
func isRemote(typed string) bool { return fetch.IsURL(typed) }

// newRemote reads the URL of a file.
func newRemote(address string) (*remote, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the URL cannot be read")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "s3":
		return nil, fmt.Errorf("%s: only http, https and s3 can be composed", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("the URL names no host")
	case u.User != nil:
		return nil, errors.New("the URL has a user name or a password, which everybody who gets the " +
			".orch file would learn; members ask the server without")
	case u.Scheme == "s3" && (u.RawQuery != "" || u.ForceQuery):
		return nil, errors.New("the URL of a bucket has no query: a ? in a name is written %3F")
	case u.Fragment != "":
		return nil, errors.New("the URL has a #, after which comes what is no part of a file")
	}
	name, err := orch.ReadName(path.Base(u.Path))
	if err != nil || strings.HasSuffix(u.Path, "/") || u.Path == "" {
		return nil, errors.New("the URL does not end in the name of a file")
	}
	return &remote{address: u.String(), url: u, name: name}, nil
}

// shown is the URL as it may be shown.
func (r *remote) shown() string { return fetch.Shown(r.url) }

// composeTime is how long the reading of a remote file may take, in all.
const composeTime = 7 * 24 * time.Hour

// get asks for the file.
func (r *remote) get(ctx context.Context) (*fetch.Body, error) {
	address := r.address
	if r.url.Scheme == "s3" {
		var err error
		if address, err = origin.SignedURL(address, os.Getenv); err != nil {
			return nil, fmt.Errorf("%s %w", r.shown(), err)
		}
	}
	body, err := fetch.Open(ctx, address, fetch.Config{
		Size: math.MaxInt64 / 2, Time: composeTime, Agent: agent(), Plain: true,
	})
	if refused := (*fetch.StatusError)(nil); errors.As(err, &refused) {
		why := origin.Refusal(r.url, refused.Answer, refused.Start, os.Getenv, time.Now())
		if why != "" {
			return nil, fmt.Errorf("%w: %s", err, why)
		}
	}
	return body, err
}

// open begins to read the file. What it returns last ends that.
func (r *remote) open(ctx context.Context) (*compose.Stream, func(), error) {
	body, err := r.get(ctx)
	if err != nil {
		return nil, nil, fetchError(ctx, err)
	}
	if encoding := body.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		body.Close()
		return nil, nil, withCode(exitNetwork, fmt.Errorf("%s: the server compresses the file, which it was asked not to", r.shown()))
	}
	if body.Length < 0 {
		body.Close()
		return nil, nil, withCode(exitNetwork, fmt.Errorf("%s: the server does not say how long the file is", r.shown()))
	}
	before := stateOf(body)
	modified, _ := http.ParseTime(before.modified)
	return &compose.Stream{
		Name: r.name, Size: body.Length, ModTime: modified, Reader: body,
		Unchanged: func(ctx context.Context) error {
			again, err := r.get(ctx)
			if err != nil {
				return err
			}
			defer again.Close()
			if stateOf(again) != before {
				return compose.ErrChanged
			}
			return nil
		},
	}, body.Close, nil
}

// fileState is what shows that a file on a server is another one.
type fileState struct {
	length         int64
	etag, modified string
}

func stateOf(b *fetch.Body) fileState {
	return fileState{b.Length, b.Header.Get("ETag"), b.Header.Get("Last-Modified")}
}
