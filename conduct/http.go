package conduct

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// httpHeader is how long a visitor's request may be, in bytes; net/http adds 4 KiB to that.
const httpHeader = 4 << 10

// serveHTTP answers requests, the first of which has to be there until some time, on a connection
// whose first byte was looked at, and returns when that is closed.
func (c *Conductor) serveHTTP(
	nc net.Conn, in io.Reader, s seat, place *pass, until time.Time, r *realm,
) error {
	l := &oneConn{conn: &visitor{
		Conn: nc, in: in, seat: s, realm: r, place: place, until: until,
		closed: make(chan struct{}),
	}}
	srv := c.http
	if r != c.open {
		srv = c.inside
	}
	if err := srv.Serve(l); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (c *Conductor) newHTTP() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /announce", c.handleQuestion(announcing))
	mux.HandleFunc("GET /scrape", c.handleQuestion(scraping))
	if c.admin == nil {
		c.handlePage(mux)
	}
	c.publish(mux)
	return c.httpServer(mux)
}

// newInside makes the server for the holders of a key: they get what is published for them.
func (c *Conductor) newInside() *http.Server {
	mux := http.NewServeMux()
	c.publish(mux)
	return c.httpServer(mux)
}

func (c *Conductor) httpServer(mux *http.ServeMux) *http.Server {
	srv := &http.Server{
		Handler: oneRequest(mux), MaxHeaderBytes: httpHeader,
		ReadTimeout: c.cfg.HandshakeTimeout, WriteTimeout: c.cfg.WriteTimeout, IdleTimeout: c.cfg.HandshakeTimeout,
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			v := nc.(*visitor)
			return context.WithValue(context.WithValue(ctx, seatKey{}, v.seat), realmKey{}, v.realm)
		},
		ConnState: func(nc net.Conn, state http.ConnState) {
			if v, ok := nc.(*visitor); ok && state == http.StateIdle {
				v.served(c.cfg.HandshakeTimeout)
			}
		},
		ErrorLog: log.New(io.Discard, "", 0), // what strangers do wrong is no news
	}
	return srv
}

// oneRequest has a connection end with its answer, unless the handler has it kept.
func oneRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Connection", "close")
		next.ServeHTTP(w, req)
	})
}

// keep has the connection kept for another request: clients of a tracker have many.
func keep(w http.ResponseWriter) { w.Header().Del("Connection") }

type seatKey struct{}

type realmKey struct{}

// handleQuestion answers a client.
func (c *Conductor) handleQuestion(q question) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		d := c.takeDesk()
		body, kept, ok := c.answer(c.running, d, q, []byte(req.URL.RawQuery), seatOf(req), d.body[:0])
		if !ok {
			return
		}
		d.body = body
		if kept {
			keep(w)
		}
		w.Header().Set("Server", ourServer)
		w.Header().Set("Content-Type", answerKind)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
		c.putDesk(d)
	}
}

// What the answers to clients say of themselves. By the server a member tells a conductor from a
// tracker.
const (
	ourServer  = "Orchestra"
	answerKind = "text/plain"
)

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func seatOf(req *http.Request) seat { return req.Context().Value(seatKey{}).(seat) }

// visitor is a connection whose first bytes were read ahead, and which tells when it is closed.
type visitor struct {
	net.Conn
	in     io.Reader
	seat   seat
	realm  *realm
	place  *pass
	until  time.Time // when it has to have said what it wants
	once   sync.Once
	closed chan struct{}
}

func (v *visitor) Read(p []byte) (int, error) { return v.in.Read(p) }

// SetReadDeadline sets no later one than there is for all connections, unless it is to end.
func (v *visitor) SetReadDeadline(at time.Time) error {
	if at.After(v.until) {
		at = v.until
	}
	return v.Conn.SetReadDeadline(at)
}

// served leaves time for another request.
func (v *visitor) served(wait time.Duration) {
	v.until = time.Now().Add(wait)
	v.place.spoke()
}

func (v *visitor) Close() error {
	err := v.Conn.Close()
	v.once.Do(func() { close(v.closed) })
	return err
}

// oneConn is a listener of one connection: it hands that out, and ends when that is closed.
type oneConn struct {
	conn  *visitor
	given bool
}

func (l *oneConn) Accept() (net.Conn, error) {
	if l.given {
		<-l.conn.closed
		return nil, io.EOF
	}
	l.given = true
	return l.conn, nil
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }
