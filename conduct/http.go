package conduct

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"orchestra/proto"
	"orchestra/proto/bencode"
)

// httpHeader is how long a visitor's request may be, in bytes; net/http adds 4 KiB to that.
const httpHeader = 4 << 10

// serveHTTP answers requests, the first of which has to be there until some time, on a connection
// whose first byte was looked at, and returns when that is closed.
func (c *Conductor) serveHTTP(
	nc net.Conn, in *bufio.Reader, s seat, place *pass, until time.Time, r *realm,
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
	mux.HandleFunc("GET /announce", c.handleAnnounce)
	mux.HandleFunc("GET /scrape", c.handleScrape)
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

// handleAnnounce is BEP 3's announce, answered as BEP 23 and BEP 7 have it.
func (c *Conductor) handleAnnounce(w http.ResponseWriter, req *http.Request) {
	v, isCompact, err := parseVisit(req.URL.RawQuery, seatOf(req))
	if err != nil {
		fail(w, err.Error())
		return
	}
	switch a, ok := c.visit(c.running, v); {
	case !ok:
	case a.refused != "":
		fail(w, a.refused)
	default:
		keep(w)
		respond(w, announced(a, isCompact))
	}
}

// handleScrape is BEP 48's scrape of up to mostScraped compositions. One of all that are here is
// refused: they are nobody's business.
func (c *Conductor) handleScrape(w http.ResponseWriter, req *http.Request) {
	ids, err := parseScrape(req.URL.RawQuery)
	if err != nil {
		fail(w, err.Error())
		return
	}
	all, ok := c.scrape(c.running, ids)
	if !ok {
		return
	}
	files := map[string]any{}
	for i, n := range all {
		if n.known {
			files[string(ids[i][:])] = map[string]any{
				"complete": int64(n.complete), "incomplete": int64(n.incomplete), "downloaded": int64(n.downloads),
			}
		}
	}
	keep(w)
	respond(w, map[string]any{"files": files, "flags": map[string]any{"min_request_interval": seconds(visitEvery)}})
}

// parseScrape reads the query of a scrape.
func parseScrape(query string) (ids [][20]byte, err error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the query is malformed")
	}
	hashes := q["info_hash"]
	switch {
	case len(hashes) == 0:
		return nil, errors.New("a scrape names its info_hash; all are not told")
	case len(hashes) > mostScraped:
		return nil, fmt.Errorf("a scrape names %d info_hash at most", mostScraped)
	}
	for _, h := range hashes {
		if len(h) != len([20]byte{}) {
			return nil, errors.New("info_hash has to be 20 bytes")
		}
		ids = append(ids, [20]byte([]byte(h)))
	}
	return ids, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func seatOf(req *http.Request) seat { return req.Context().Value(seatKey{}).(seat) }

// parseVisit reads the query of an announce from a seat. What it does not know is passed over; an
// "ip" is not believed. Where there is no "key", the address is: what came from one may be replaced
// from there alone.
func parseVisit(query string, s seat) (v webGuest, compact bool, err error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return v, false, errors.New("the query is malformed")
	}
	if len(q.Get("info_hash")) != len(v.id) || len(q.Get("peer_id")) != len(v.peer) {
		return v, false, errors.New("info_hash and peer_id have to be 20 bytes each")
	}
	v.seat = s
	copy(v.id[:], q.Get("info_hash"))
	copy(v.peer[:], q.Get("peer_id"))
	port, err := strconv.ParseUint(q.Get("port"), 10, 16)
	if err != nil {
		return v, false, errors.New("port has to be a number from 0 to 65535")
	}
	v.ann = proto.Announce{Key: guestKey([]byte(q.Get("key")), s), Port: uint16(port), Want: maxPeers}
	if n, err := strconv.ParseUint(q.Get("numwant"), 10, 32); err == nil {
		v.ann.Want = uint8(min(n, maxPeers))
	}
	v.ann.Parts = 1 // how many there are is not said: all of one, or none
	if q.Get("left") == "0" {
		v.ann.Have = 1
	}
	v.event = readEvent(q.Get("event"))
	return v, q.Get("compact") != "0", nil
}

// announced is the answer to an announce.
func announced(a answer, isCompact bool) map[string]any {
	d := map[string]any{
		"interval": seconds(interval()), "min interval": seconds(visitLeast),
		"complete": int64(a.census.complete), "incomplete": int64(a.census.incomplete), "downloaded": int64(a.census.downloads),
	}
	if isCompact {
		d["peers"], d["peers6"] = a.compact()
		return d
	}
	list := []any{}
	for _, f := range a.found {
		for _, at := range []netip.AddrPort{f.four, f.six} {
			if at.IsValid() {
				list = append(list, map[string]any{"peer id": f.peer[:], "ip": at.Addr().String(), "port": int64(at.Port())})
			}
		}
	}
	d["peers"] = list
	return d
}

func fail(w http.ResponseWriter, reason string) { respond(w, map[string]any{"failure reason": reason}) }

func respond(w http.ResponseWriter, d map[string]any) {
	b, err := bencode.Encode(d)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Server", "Orchestra") // by which a member tells a conductor from a tracker
	w.Header().Set("Content-Type", "text/plain")
	w.Write(b)
}

// visitor is a connection whose first bytes were read ahead, and which tells when it is closed.
type visitor struct {
	net.Conn
	in     *bufio.Reader
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
