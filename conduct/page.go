package conduct

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"orchestra/conduct/page"
)

// looked brings the page's question to the loop; the answer goes into reply, which has room for it.
type looked struct {
	ids   []string
	reply chan<- page.View
}

func (looked) event() {}

// lookForPage asks the loop how things are.
func (c *Conductor) lookForPage(ctx context.Context, ids []string) (page.View, bool) {
	reply := make(chan page.View, 1)
	c.post(ctx, looked{ids, reply})
	select {
	case v := <-reply:
		v.Role, v.Version, v.Since = "conductor", c.cfg.Version, c.since.UnixMilli()
		c.offer(&v)
		return v, true
	case <-ctx.Done():
		return page.View{}, false
	}
}

// offer adds to a view where the .orch files are that are published here.
func (c *Conductor) offer(v *page.View) {
	if c.cfg.Publish == nil {
		return
	}
	if at := c.public(); at != "" {
		v.Base = "http://" + at
	}
	v.Here = c.admin == nil
	files := c.cfg.Publish.files()
	for i := range v.List {
		if file := files[v.List[i].ID]; file != "" {
			v.List[i].File = PublishedPath(file)
		}
	}
}

// public is HOST:PORT by which others reach this conductor; "" if that is not known.
func (c *Conductor) public() string {
	switch {
	case c.cfg.Public != nil:
		return c.cfg.Public()
	case c.Addr().Addr().IsUnspecified():
		return ""
	}
	return c.Addr().String()
}

// handlePage adds what people and their programs look at, to the public port or to the other one.
func (c *Conductor) handlePage(mux *http.ServeMux) {
	mux.Handle("/", c.page)
	mux.Handle("GET /metrics", c.page.Guard(c.handleMetrics()))
	mux.HandleFunc("GET /healthz", c.handleHealth)
	mux.HandleFunc("GET /readyz", c.handleReady)
}

// serveAdmin serves the page on an address of its own until the context ends.
func (c *Conductor) serveAdmin(ctx context.Context) {
	mux := http.NewServeMux()
	c.handlePage(mux)
	srv := &http.Server{
		Handler: mux, MaxHeaderBytes: httpHeader,
		ReadTimeout: c.cfg.HandshakeTimeout, WriteTimeout: c.cfg.WriteTimeout, IdleTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(&gatedListener{c.admin, c.gate}); !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
		c.log.Error().Err(err).Msg("the page cannot be reached any more")
	}
	srv.Close()
}

// gatedListener takes connections through a gate.
type gatedListener struct {
	net.Listener
	gate *gate
}

func (l *gatedListener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if place := l.gate.enter(addrPort(nc.RemoteAddr()).Addr(), nc); place != nil {
			return &gatedConn{Conn: nc, place: place}, nil
		}
		nc.Close()
	}
}

// gatedConn leaves the gate when it is closed.
type gatedConn struct {
	net.Conn
	place *pass
}

func (c *gatedConn) Close() error {
	c.place.leave()
	return c.Conn.Close()
}
