package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"orchestra/orch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func content(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// file is a composition of one file, as far as an origin looks at it.
func file(name string, size int) *orch.File {
	return &orch.File{Name: name, Size: int64(size), PartSize: 16 << 10}
}

// source is an origin served by a handler.
func source(t *testing.T, f *orch.File, path string, handler http.HandlerFunc) *Source {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s, err := New(Config{URL: server.URL + path, File: f})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func read(t *testing.T, s *Source, from, to int) ([]byte, error) {
	t.Helper()
	r := s.Open(t.Context(), int64(from), int64(to))
	defer r.Close()
	return io.ReadAll(r)
}

func serve(name string, b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
	}
}

func TestRanges(t *testing.T) {
	b := content(100_000)
	s := source(t, file("image.iso", len(b)), "/image.iso", serve("image.iso", b))
	for _, span := range [][2]int{{0, 100_000}, {0, 1}, {99_999, 100_000}, {16384, 49152}} {
		got, err := read(t, s, span[0], span[1])
		if err != nil || !bytes.Equal(got, b[span[0]:span[1]]) {
			t.Errorf("%v: %d bytes, %v", span, len(got), err)
		}
	}
	if s.Ranges() != WithRanges {
		t.Error("it is not known that the origin sends ranges")
	}
}

// A folder is a request for each file; the zeros between them are asked of nobody.
func TestFolder(t *testing.T) {
	one, two := content(5000), content(7000)
	f := &orch.File{Name: "my folder", Size: 16384 + 7000, PartSize: 16384}
	f.Lines = []orch.Line{
		{Key: "file", Value: "5000 a b/50%?.txt"},
		{Key: "!pad", Value: "11384 .pad/0"},
		{Key: "file", Value: "7000 ü"},
	}
	if n := len(f.Entries()); n != 2 {
		t.Fatalf("%d entries", n)
	}
	var asked atomic.Int32
	s := source(t, f, "/copies", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/copies/my folder/a b/50%?.txt":
			serve("", one)(w, r)
		case "/copies/my folder/ü":
			serve("", two)(w, r)
		default:
			t.Errorf("it asks for %s", r.URL.Path)
			http.NotFound(w, r)
		}
	})
	want := append(append(bytes.Clone(one), make([]byte, 11384)...), two...)
	for _, span := range [][2]int{{0, len(want)}, {4000, 17000}, {6000, 7000}, {5000, 16384}, {16384, 16385}} {
		got, err := read(t, s, span[0], span[1])
		if err != nil || !bytes.Equal(got, want[span[0]:span[1]]) {
			t.Errorf("%v: %d bytes, %v", span, len(got), err)
		}
	}
	if n := asked.Load(); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
}

func TestURLs(t *testing.T) {
	for url, want := range map[string]string{
		"http://h/":                   "http://h/a%20file",
		"http://h":                    "http://h/a%20file",
		"http://h/dir/":               "http://h/dir/a%20file",
		"http://h/other%2Fname.iso":   "http://h/other%2Fname.iso",
		"https://h/d%20d/?token=a%26": "https://h/d%20d/a%20file?token=a%26",
		"s3://bucket/x/":              "s3://bucket/x/a%20file",
	} {
		s, err := New(Config{URL: url, File: file("a file", 10)})
		if err != nil {
			t.Error(err)
			continue
		}
		if got := s.layout[0].url.String(); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
		s.Close()
	}
	for _, url := range []string{"ftp://h/x", "http:///x", "http://h/%zz", "file:///etc/passwd"} {
		if _, err := New(Config{URL: url, File: file("f", 1)}); err == nil {
			t.Errorf("%s is taken", url)
		}
	}
}

// An origin without ranges is read in order: what follows comes from the same answer.
func TestWithoutRangesItIsReadOnce(t *testing.T) {
	b := content(300_000)
	var asked atomic.Int32
	s := source(t, file("f", len(b)), "/f", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		w.Write(b)
	})
	for _, span := range [][2]int{{0, 1000}, {1000, 50_000}, {80_000, 90_000}, {90_000, 300_000}} {
		got, err := read(t, s, span[0], span[1])
		if err != nil || !bytes.Equal(got, b[span[0]:span[1]]) {
			t.Errorf("%v: %d bytes, %v", span, len(got), err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	if s.Ranges() != WithoutRanges {
		t.Error("it is not known that the origin has no ranges")
	}
	if got, err := read(t, s, 10, 20); err != nil || !bytes.Equal(got, b[10:20]) || asked.Load() != 2 {
		t.Errorf("back again: %v, %v, %d requests", got, err, asked.Load())
	}
}

func TestWrongAnswers(t *testing.T) {
	b := content(1000)
	part := func(header string, n int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", header)
			w.WriteHeader(http.StatusPartialContent)
			w.Write(b[:n])
		}
	}
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"not found":     {status(404), "answers 404 Not Found"},
		"not satisfied": {status(416), "answers 416 Requested Range Not Satisfiable"},
		"shorter": {
			status(416, "Content-Range", "bytes */50"),
			"has a file of 50 bytes, not of 1000: it is another one",
		},
		"not there":  {status(416, "Content-Range", "bytes */1000"), "answers 416 Requested Range Not Satisfiable"},
		"busy":       {status(503, "Retry-After", "7"), "answers 503 Service Unavailable"},
		"elsewhere":  {part("bytes 101-200/1000", 100), "sends other bytes than it was asked for"},
		"longer":     {part("bytes 100-299/1000", 200), "sends other bytes than it was asked for"},
		"no range":   {part("", 100), "sends other bytes than it was asked for"},
		"other file": {part("bytes 100-199/1001", 100), "has a file of 1001 bytes, not of 1000: it is another one"},
		"short": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			part("bytes 100-199/1000", 50)(w, r)
		}, "ended the answer too soon: unexpected EOF"},
		"short page": {
			func(w http.ResponseWriter, r *http.Request) { w.Write(b[:300]) },
			"has a file of 300 bytes, not of 1000: it is another one",
		},
		"short chunks": {func(w http.ResponseWriter, r *http.Request) {
			w.Write(b[:100])
			w.(http.Flusher).Flush()
			w.Write(b[:50])
		}, "ended the answer too soon: unexpected EOF"},
		"compressed": {status(206, "Content-Encoding", "gzip"), "sends the file compressed, which was not asked for"},
		"redirects": {
			func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) },
			"redirects too often",
		},
	} {
		s := source(t, file("f", 1000), "/f", test.answer)
		got, err := read(t, s, 100, 200)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %d bytes, %v, want %s", name, len(got), err, test.want)
		}
		var refused *StatusError
		if errors.As(err, &refused) && refused.Code == 503 && refused.After != 7*time.Second {
			t.Errorf("it is to be left alone for %v", refused.After)
		}
	}
}

func TestRedirects(t *testing.T) {
	b := content(1000)
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from := r.Referer(); from != "" {
			t.Errorf("it says that it comes from %s", from)
		}
		serve("f", b)(w, r)
	}))
	defer there.Close()
	s := source(t, file("f", 1000), "/f", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/f" {
			http.Redirect(w, r, "/g", http.StatusFound)
			return
		}
		http.Redirect(w, r, there.URL+"/h", http.StatusTemporaryRedirect)
	})
	if got, err := read(t, s, 100, 200); err != nil || !bytes.Equal(got, b[100:200]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	s.public.Store(true) // as if the first address had been
	s.client.CloseIdleConnections()
	if _, err := read(t, s, 100, 200); err == nil || err.Error() != errPrivate.Error() {
		t.Errorf("from a public to a private address: %v", err)
	}
}

// A server of one's own may redirect to a public one, and is asked again.
func TestPrivateServerIsAskedAgain(t *testing.T) {
	b := content(1000)
	s := source(t, file("f", 1000), "/f", serve("f", b))
	s.public.Store(true) // as if it had been redirected to a public address
	if got, err := read(t, s, 100, 200); err != nil || !bytes.Equal(got, b[100:200]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestNoRedirectFromHTTPSToHTTP(t *testing.T) {
	plain := httptest.NewServer(serve("f", content(1000)))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer secure.Close()
	s, err := New(Config{URL: secure.URL + "/f", File: file("f", 1000)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := read(t, s, 0, 10); err == nil || !strings.Contains(err.Error(), "no certificate that can be trusted") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	s.client.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	if _, err := read(t, s, 0, 10); err == nil || err.Error() != errEncrypted.Error() {
		t.Errorf("it says %v", err)
	}
}

func TestNoQueryAtPrivateAddresses(t *testing.T) {
	s := source(t, file("f", 1000), "/reboot?now=1", func(http.ResponseWriter, *http.Request) {
		t.Error("it was asked")
	})
	if _, err := read(t, s, 0, 10); err == nil || err.Error() != errQuery.Error() {
		t.Errorf("it says %v", err)
	}
}

// What sends nothing, at first or in the middle, is left after a while.
func TestSilence(t *testing.T) {
	b := content(1000)
	for name, sends := range map[string]int{"nothing": 0, "half": 500} {
		end := make(chan struct{})
		s := source(t, file("f", 1000), "/f", func(w http.ResponseWriter, r *http.Request) {
			if sends > 0 {
				w.Header().Set("Content-Range", "bytes 0-999/1000")
				w.Header().Set("Content-Length", "1000")
				w.WriteHeader(http.StatusPartialContent)
				w.Write(b[:sends])
				w.(http.Flusher).Flush()
			}
			<-end
		})
		s.cfg.Silence = 50 * time.Millisecond
		got, err := read(t, s, 0, 1000)
		for len(got) < sends && s.cfg.Silence < time.Minute { // the machine was silent
			s.cfg.Silence *= 2
			got, err = read(t, s, 0, 1000)
		}
		if err == nil || err.Error() != errSilent.Error() || len(got) != sends {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		close(end)
	}
}

func TestCancel(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	asked := make(chan struct{})
	s := source(t, file("f", 1000), "/f", func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-end
	})
	why := errors.New("for a reason")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-asked
		cancel(why)
	}()
	if _, err := io.ReadAll(s.Open(ctx, 0, 1000)); !errors.Is(err, why) {
		t.Errorf("it ends with %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for text, want := range map[string]time.Duration{
			"": 0, "5": 5 * time.Second, "-5": 0, "99999999": time.Hour, "x": 0,
			now.Add(time.Minute).UTC().Format(http.TimeFormat):  time.Minute,
			now.Add(-time.Minute).UTC().Format(http.TimeFormat): 0,
		} {
			if got := retryAfter(text, now); got != want {
				t.Errorf("%q: %v, want %v", text, got, want)
			}
		}
	})
}

func FuzzContentRange(f *testing.F) {
	for _, text := range []string{
		"bytes 0-499/1234", "bytes 0-0/*", "Bytes  1-2/3", "bytes 2-1/3", "bytes 0-9/9", "bytes */9",
		"bytes -1-2/3", "bytes 0-+1/3", "bytes 0-9223372036854775807/*", "items 0-1/2",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, last, size, ok := parseContentRange(text)
		if !ok {
			return
		}
		if first < 0 || last < first || size != -1 && last >= size {
			t.Errorf("%q: %d-%d/%d", text, first, last, size)
		}
		whole := fmt.Sprint(size)
		if size == -1 {
			whole = "*"
		}
		again := fmt.Sprintf("bytes %d-%d/%s", first, last, whole)
		if a, b, c, ok := parseContentRange(again); !ok || a != first || b != last || c != size {
			t.Errorf("%q is %q, and that is %d-%d/%d, %v", text, again, a, b, c, ok)
		}
	})
}
