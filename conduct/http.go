package conduct

import (
	"bufio"
	"context"
	"crypto/sha1"
	"errors"
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

// httpHeader is how long a visitor's request may be, in bytes.
const httpHeader = 16 << 10

// visited brings a guest's announcement to the loop; the answer goes into reply, which has room for
// it.
type visited struct {
	guest webGuest
	reply chan<- answer
}

type answer struct {
	members []proto.Member
	refused string
}

func (visited) event() {}

// serveHTTP answers one request on a connection whose first byte was looked at, and returns when
// that is closed.
func (c *Conductor) serveHTTP(nc net.Conn, in *bufio.Reader, s seat, r *realm) error {
	nc.SetReadDeadline(time.Time{})
	l := &oneConn{conn: &visitor{Conn: nc, in: in, seat: s, realm: r, closed: make(chan struct{})}}
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
		Handler: mux, MaxHeaderBytes: httpHeader,
		ReadTimeout: c.cfg.HandshakeTimeout, WriteTimeout: c.cfg.WriteTimeout,
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			v := nc.(*visitor)
			return context.WithValue(context.WithValue(ctx, seatKey{}, v.seat), realmKey{}, v.realm)
		},
		ErrorLog: log.New(io.Discard, "", 0), // what strangers do wrong is no news
	}
	srv.SetKeepAlivesEnabled(false)
	return srv
}

type seatKey struct{}

type realmKey struct{}

// handleAnnounce is BEP 3's announce, answered as BEP 23 and BEP 7 have it.
func (c *Conductor) handleAnnounce(w http.ResponseWriter, req *http.Request) {
	s := req.Context().Value(seatKey{}).(seat)
	v, compact, err := parseVisit(req.URL.RawQuery, s)
	if err == nil && !c.allows(c.open, v.id) {
		err = errors.New(refusedComposition)
		c.notTaken.Add(1)
		c.news.refused(s.from, v.id, refusedComposition)
	}
	if err != nil {
		fail(w, err.Error())
		return
	}
	reply := make(chan answer, 1)
	c.post(c.running, visited{v, reply})
	select {
	case a := <-reply:
		if a.refused != "" {
			fail(w, a.refused)
			return
		}
		respond(w, announced(a.members, compact))
	case <-c.running.Done():
	}
}

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
	key := sha1.Sum([]byte("key " + q.Get("key")))
	if q.Get("key") == "" {
		key = sha1.Sum([]byte("from " + source(s.from.Addr()).String()))
	}
	v.ann = proto.Announce{Key: [16]byte(key[:16]), Port: uint16(port), Want: maxPeers}
	if n, err := strconv.ParseUint(q.Get("numwant"), 10, 32); err == nil {
		v.ann.Want = uint8(min(n, maxPeers))
	}
	v.ann.Parts = 1 // how many there are is not said: all of one, or none
	if q.Get("left") == "0" {
		v.ann.Have = 1
	}
	v.stopped = q.Get("event") == "stopped"
	return v, q.Get("compact") != "0", nil
}

// announced is the answer: each member at the first of its addresses of either kind.
func announced(members []proto.Member, compact bool) map[string]any {
	var peers, peers6 []byte
	list := []any{}
	for _, m := range members {
		var done4, done6 bool
		for _, a := range m.Addrs {
			is4 := a.Addr().Is4()
			if is4 && done4 || !is4 && done6 {
				continue
			}
			done4, done6 = done4 || is4, done6 || !is4
			if is4 {
				peers = appendCompact(peers, a)
			} else {
				peers6 = appendCompact(peers6, a)
			}
			list = append(list, map[string]any{"peer id": m.PeerID[:], "ip": a.Addr().String(), "port": int64(a.Port())})
		}
	}
	d := map[string]any{"interval": int64(visitEvery.Seconds()), "min interval": int64(10), "peers": peers, "peers6": peers6}
	if !compact {
		delete(d, "peers6")
		d["peers"] = list
	}
	return d
}

func appendCompact(b []byte, a netip.AddrPort) []byte {
	b = append(b, a.Addr().AsSlice()...)
	return append(b, byte(a.Port()>>8), byte(a.Port()))
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
	once   sync.Once
	closed chan struct{}
}

func (v *visitor) Read(p []byte) (int, error) { return v.in.Read(p) }

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
