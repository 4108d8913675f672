package conduct

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	plainQuery = "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1"
	plainLine  = "GET /announce?" + plainQuery + " HTTP/1.1\r\n"
	plainText  = plainLine + "Host: x\r\n\r\n"
)

// requests are what clients and strangers say, and whether it is read here or given to net/http.
var requests = []struct {
	name  string
	text  string
	plain bool
}{
	{"an announce", plainText, true},
	{"a scrape", "GET /scrape?info_hash=aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: x\r\n\r\n", true},
	{"of all", "GET /scrape? HTTP/1.1\r\nHost: x\r\n\r\n", true},
	{"malformed escape", "GET /announce?info_hash=%zz HTTP/1.1\r\nHost: x\r\n\r\n", true},
	{
		"as aria2 has it",
		plainLine +
			"User-Agent: aria2/1.36.0\r\nAccept: */*\r\nHost: 10.0.0.1:9999\r\n" +
			"Want-Digest: SHA-512;q=1, SHA-256;q=1, SHA;q=0.1\r\n\r\n", true,
	},
	{
		"as libcurl has it",
		plainLine +
			"Host: [::1]:9999\r\nUser-Agent: T/4 (x; y)\r\nAccept: */*\r\n" +
			"Accept-Encoding: deflate, gzip\r\n\r\n", true,
	},
	{
		"as Java has it",
		plainLine +
			"Accept-Encoding: gzip\r\nconnection:Close\r\nHOST:x.example:80 \r\n" +
			"Accept:\ttext/html, *; q=.2\r\n\r\n", true,
	},
	{"kept", plainLine + "Host: x\r\nConnection: keep-alive\r\n\r\n", true},
	{"the long form", strings.Replace(plainText, "port=1", "port=1&compact=0", 1), true},
	{"two at once", plainText + plainText, true},
	{
		"one that ends and one more",
		strings.Replace(plainText, "Host: x", "Host: x\r\nConnection: close", 1) + plainText, true,
	},
	{
		"one that is refused and one more",
		strings.Replace(plainText, "port=1", "port=x", 1) + plainText, true,
	},
	{"one and half a one", plainText + plainText[:len(plainText)-1], true},
	{"half a one", plainText[:40], true},
	{"a few letters", "GET /an", true},

	{"something else", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"something else after one", plainText + "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"another path", "GET /announcer?x HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"an escaped path", "GET /%61nnounce?" + plainQuery + " HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"a path in it", "GET /announce?/../x HTTP/1.1\r\nHost: x\r\n\r\n", true},
	{"no query", "GET /announce HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"a fragment", "GET /announce?" + plainQuery + "#a HTTP/1.1\r\nHost: x\r\n\r\n", false},
	{"HEAD", "HEAD" + plainText[3:], false},
	{
		"POST",
		"POST" +
			strings.Replace(plainText[3:], "Host: x", "Host: x\r\nContent-Length: 3", 1) + "abc", false,
	},
	{"lower case", "get" + plainText[3:], false},
	{"HTTP/1.0", strings.Replace(plainText, "1.1", "1.0", 1), false},
	{
		"HTTP/1.0 that is to be kept",
		strings.Replace(plainLine, "1.1", "1.0", 1) + "Connection: keep-alive\r\n\r\n", false,
	},
	{"HTTP/2", strings.Replace(plainText, "HTTP/1.1", "HTTP/2.0", 1), false},
	{"no version", "GET /announce?" + plainQuery + "\r\nHost: x\r\n\r\n", false},
	{"two blanks", strings.Replace(plainText, " HTTP", "  HTTP", 1), false},
	{"a tab", strings.Replace(plainText, " HTTP", "\tHTTP", 1), false},
	{
		"absolute form",
		"GET http://x/announce?" + plainQuery + " HTTP/1.1\r\nHost: x\r\n\r\n", false,
	},
	{"no host", plainLine + "\r\n", false},
	{"two hosts", plainLine + "Host: x\r\nHost: y\r\n\r\n", false},
	{"an empty host", plainLine + "Host:\r\n\r\n", false},
	{"a host with a path", plainLine + "Host: x/y\r\n\r\n", false},
	{"a body", plainLine + "Host: x\r\nContent-Length: 4\r\n\r\nbody", false},
	{"a body of nothing", plainLine + "Host: x\r\nContent-Length: 0\r\n\r\n", false},
	{
		"a request in a body",
		plainLine + fmt.Sprintf("Host: x\r\nContent-Length: %d\r\n\r\n", len(plainText)) +
			plainText, false,
	},
	{"chunks", plainLine + "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
	{
		"both lengths",
		plainLine +
			"Host: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false,
	},
	{
		"chunks, hidden",
		plainLine + "Host: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", false,
	},
	{"a folded line", plainLine + "Host: x\r\nAccept: a\r\n b\r\n\r\n", false},
	{
		"a folded line that hides a length",
		plainLine + "Host: x\r\nAccept: a\r\n\tContent-Length: 3\r\n\r\nabc", false,
	},
	{"bare line feeds", strings.ReplaceAll(plainText, "\r\n", "\n"), false},
	{"a bare line feed", plainLine + "Host: x\nAccept: a\r\n\r\n", false},
	{"a bare carriage return", plainLine + "Host: x\rAccept: a\r\n\r\n", false},
	{"a zero", plainLine + "Host: x\x00\r\n\r\n", false},
	{"another alphabet", plainLine + "Host: x\r\nUser-Agent: \xc3\xa4\r\n\r\n", false},
	{
		"another alphabet in the query",
		"GET /announce?\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", false,
	},
	{"a header without a colon", plainLine + "Host: x\r\nAccept\r\n\r\n", false},
	{"a header without a name", plainLine + "Host: x\r\n: a\r\n\r\n", false},
	{
		"a header that is not known",
		plainLine + "Host: x\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n", false,
	},
	{"something to expect", plainLine + "Host: x\r\nExpect: 100-continue\r\n\r\n", false},
	{
		"something to change to",
		plainLine + "Host: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", false,
	},
	{
		"two minds",
		plainLine + "Host: x\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", false,
	},
	{
		"a list of connections",
		plainLine + "Host: x\r\nConnection: keep-alive, close\r\n\r\n", false,
	},
	{
		"long",
		"GET /announce?" + strings.Repeat("x", plainMost) + "&" + plainQuery +
			" HTTP/1.1\r\nHost: x\r\n\r\n", false,
	},
	{
		"too long",
		"GET /announce?" + strings.Repeat("x", 3*httpHeader) + " HTTP/1.1\r\nHost: x\r\n\r\n", false,
	},
	{
		"headers without end",
		plainLine + "Host: x\r\n" + strings.Repeat("Accept: a\r\n", httpHeader), false,
	},
	{"garbage", "GARBAGE\r\n\r\n", false},
	{"a blank line first", plainText + "\r\n" + plainText, false},
}

// readAll reads plain requests until there is no more, or another one.
func readAll(b []byte) (plain bool) {
	for {
		_, n, plain := readPlain(b)
		if !plain || n == 0 {
			return plain
		}
		b = b[n:]
	}
}

func TestPlain(t *testing.T) {
	for _, r := range requests {
		if got := readAll([]byte(r.text)); got != r.plain {
			t.Errorf("%s is plain: %v", r.name, got)
		}
	}
	const closes = "Connection: CLOSE\r\n"
	r, n, plain := readPlain([]byte(plainLine + closes + "Host: x\r\n\r\n" + "GET"))
	if !plain || n != len(plainText)+len(closes) || string(r.query) != plainQuery || !r.closes {
		t.Errorf("read %q, %d bytes, %v", r.query, n, r.closes)
	}
	for n := range plainText { // each beginning is that of a plain one
		if _, length, plain := readPlain([]byte(plainText[:n])); length != 0 || !plain {
			t.Errorf("%q: %d, %v", plainText[:n], length, plain)
		}
	}
	full := "GET /announce?" + strings.Repeat("x", plainMost)
	if _, n, plain := readPlain([]byte(full[:plainMost])); n != 0 || plain {
		t.Error("as long as a plain request is at most, and not complete: it may become one")
	}
}

// FuzzReadPlain holds that net/http reads the same in what is plain, and as far; and that its
// beginnings may all become plain.
func FuzzReadPlain(f *testing.F) {
	for _, r := range requests {
		f.Add([]byte(r.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, n, plain := readPlain(b)
		if n == 0 {
			return
		}
		all := bytes.NewReader(b)
		in := bufio.NewReader(all)
		req, err := http.ReadRequest(in)
		if err != nil || !plain {
			t.Fatalf("%q is plain: %v; to net/http it is none: %v", b[:n], plain, err)
		}
		path := "/announce"
		if r.question == scraping {
			path = "/scrape"
		}
		switch read := len(b) - all.Len() - in.Buffered(); {
		case read != n:
			t.Errorf("%q: net/http reads %d bytes, want %d", b, read, n)
		case req.Method != http.MethodGet || req.Proto != "HTTP/1.1" || req.Host == "":
			t.Errorf("%q is %s by %s of %q", b[:n], req.Method, req.Proto, req.Host)
		case req.URL.Path != path || req.URL.RawQuery != string(r.query) || req.URL.Host != "":
			t.Errorf("%q asks %v", b[:n], req.URL)
		case req.ContentLength != 0 || len(req.TransferEncoding) > 0 || len(req.Trailer) > 0:
			t.Errorf("%q has %d bytes, %v", b[:n], req.ContentLength, req.TransferEncoding)
		case req.Close != r.closes:
			t.Errorf("%q ends the connection: %v", b[:n], req.Close)
		}
		for i := range n {
			if _, n, plain := readPlain(b[:i]); n != 0 || !plain {
				t.Fatalf("%q is read as a request of %d bytes, plain: %v", b[:i], n, plain)
			}
		}
	})
}

// Whoever answers, the answer is the same.
func TestPlainAnswers(t *testing.T) {
	for _, r := range requests {
		t.Run(r.name, func(t *testing.T) {
			sameAnswers(t, []byte(r.text), 1<<20)
			if len(r.text) < plainMost {
				sameAnswers(t, []byte(r.text), 7)
			}
		})
	}
}

// FuzzPlain holds that whatever a client says, and in whatever pieces, it is answered as net/http
// alone has it answered.
func FuzzPlain(f *testing.F) {
	for _, r := range requests {
		if len(r.text) < plainMost {
			f.Add([]byte(r.text), byte(0))
		}
	}
	f.Add([]byte(plainText+plainText), byte(3))
	f.Fuzz(func(t *testing.T, said []byte, piece byte) {
		if len(said) == 0 || said[0] != 'G' || len(said) > 2*httpHeader {
			return
		}
		size := int(piece)
		if size == 0 {
			size = len(said)
		}
		sameAnswers(t, said, size)
	})
}

// sameAnswers says something, in pieces, to two conductors that make the same choices, one of which
// leaves all to net/http.
func sameAnswers(t *testing.T, said []byte, piece int) {
	t.Helper()
	ours := conversation(t, said, piece, func(
		ctx context.Context, c *Conductor, nc net.Conn, in *bufio.Reader, place *pass, until time.Time,
	) error {
		return c.serveClient(ctx, nc, in, farSeat(1), place, until)
	})
	theirs := conversation(t, said, piece, func(
		_ context.Context, c *Conductor, nc net.Conn, in *bufio.Reader, place *pass, until time.Time,
	) error {
		return c.serveHTTP(nc, in, farSeat(1), place, until, c.open)
	})
	if ours.text != theirs.text {
		t.Errorf("%q is answered\n%q, by net/http alone\n%q", said, ours.text, theirs.text)
	}
	if late := ours.took - theirs.took; late.Abs() > time.Second {
		t.Errorf("%q: the connection ends after %v, by net/http alone after %v",
			said, ours.took, theirs.took)
	}
}

// A servingOne serves a connection that is to have said what it wants by some time.
type servingOne func(context.Context, *Conductor, net.Conn, *bufio.Reader, *pass, time.Time) error

// A heardAll is all that is heard on a connection until it ends, and how long that took.
type heardAll struct {
	text string
	took time.Duration
}

// conversation returns all that a conductor answers, until it ends the connection: in a bubble,
// where that takes no time.
func conversation(t *testing.T, said []byte, piece int, serve servingOne) (heard heardAll) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { heard = converse(t, said, piece, serve) })
	return heard
}

func converse(t *testing.T, said []byte, piece int, serve servingOne) heardAll {
	c, err := newConductor(Config{}.withDefaults(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.open.reg.random = rand.New(rand.NewPCG(1, 2))
	c.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.running, c.http = ctx, c.newHTTP()
	ended := make(chan struct{})
	go func() { defer close(ended); c.loop(ctx) }()
	for n := range 60 { // somebody is there
		v := newVisited()
		v.guest = webGuest{arrival: arrival{
			id: [20]byte([]byte(strings.Repeat("a", 20))), peer: peerN(n), seat: farSeat(n), ann: plain(n),
		}}
		if !c.visit(ctx, v) || v.answer.refused != "" {
			t.Fatalf("a guest is refused: %s", v.answer.refused)
		}
	}

	here, there := net.Pipe()
	place := c.gate.enter(farAddr(1), there)
	began := time.Now()
	until := began.Add(c.cfg.HandshakeTimeout)
	there.SetReadDeadline(until)
	served := make(chan struct{})
	go func() {
		defer close(served)
		defer place.leave()
		defer there.Close()
		_ = serve(ctx, c, there, bufio.NewReaderSize(there, sniffBuffer), place, until)
	}()
	saying := make(chan struct{})
	go func() {
		defer close(saying)
		for b := said; len(b) > 0; {
			n := min(piece, len(b))
			if _, err := here.Write(b[:n]); err != nil {
				return
			}
			b = b[n:]
			time.Sleep(time.Millisecond)
		}
	}()
	var heard bytes.Buffer
	_, _ = io.Copy(&heard, here)
	took := time.Since(began)
	here.Close()
	<-served
	<-saying
	cancel()
	<-ended
	c.wg.Wait()
	if n := c.gate.count(); n != 0 {
		t.Errorf("%d connections are open", n)
	}
	return heardAll{withoutChance(heard.String()), took}
}

// withoutChance is answers without what is different each time.
func withoutChance(text string) string {
	const key = "8:intervali"
	for i := 0; ; {
		at := strings.Index(text[i:], key)
		if at < 0 {
			return text
		}
		i += at + len(key)
		if i+2 <= len(text) {
			text = text[:i] + "60" + text[i+2:]
		}
	}
}

// A thousand connections that are kept are answered as one is.
func TestManyKeptConnections(t *testing.T) {
	c := serving(t, Config{MaxPerAddress: 8192})
	all := newAnnouncers(1000, 10)
	errs := make(chan error)
	for n := range 1000 {
		go func() {
			ask := all.askHTTP(c.Addr().String(), []int{n}, 1, false)
			for range 5 {
				if err := ask(); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range 1000 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// A connection on which plain requests were answered is net/http's from the first other one on.
func TestConnectionIsHandedOver(t *testing.T) {
	nc := dial(t, serving(t, Config{}).Addr().String())
	nc.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(nc)
	for n, text := range []string{
		plainText, plainText, plainLine + "X: y\r\nHost: x\r\n\r\n", plainText, "HEAD" + plainText[3:],
		"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		_, _ = io.WriteString(nc, text)
		method, status := strings.Fields(text)[0], http.StatusOK
		if strings.Contains(text, "/elsewhere") {
			status = http.StatusNotFound
		}
		res, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status || (len(b) == 0) != (method == "HEAD") {
			t.Errorf("request %d is answered %s, %q, %v", n, res.Status, b, err)
		}
	}
}
