package origin

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"github.com/rclone/gofakes3/signature"

	"orchestra/orch"
)

// A bucketServer is an S3 server that verifies signatures, written by others.
type bucketServer struct {
	*httptest.Server
	clock time.Duration // its clock, against the one of this machine
}

// serveBucket serves the bucket "music" with objects.
func serveBucket(t *testing.T, objects map[string][]byte, options ...gofakes3.Option) *bucketServer {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(t.Context(), "music"); err != nil {
		t.Fatal(err)
	}
	for key, b := range objects {
		_, err := backend.PutObject(t.Context(), "music", key, nil, bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
	}
	options = append(options, gofakes3.WithV4Auth(map[string]string{exampleID: exampleSecret}))
	handler := gofakes3.New(backend, options...).Server()
	s := &bucketServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(s.clock).UTC().Format(http.TimeFormat))
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// set sets the server's clock, against the one of this machine.
func (s *bucketServer) set(clock time.Duration) {
	s.clock = clock
	signature.TimeNow = func() time.Time { return time.Now().Add(clock) }
}

// env is the environment of who has the keys, with some of it otherwise.
func (s *bucketServer) env(other ...string) func(string) string {
	all := map[string]string{
		"AWS_ACCESS_KEY_ID": exampleID, "AWS_SECRET_ACCESS_KEY": exampleSecret,
		"AWS_ENDPOINT_URL": s.URL,
	}
	for i := 0; i < len(other); i += 2 {
		all[other[i]] = other[i+1]
	}
	return func(name string) string { return all[name] }
}

func bucketSource(t *testing.T, address string, f *orch.File, env func(string) string) *Source {
	t.Helper()
	s, err := New(Config{URL: address, File: f, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestBucket(t *testing.T) {
	b := content(100_000)
	keys := map[string]string{ // by URL
		"s3://music/image.iso":                      "image.iso",
		"s3://music/a%20b+c/d=e&f%25g,h;i:j@k!(l)~": "a b+c/d=e&f%g,h;i:j@k!(l)~",
		"s3://music/%C3%BC/東京%3Fno%23.iso":          "ü/東京?no#.iso",
		"s3://music/*'$/-_.~":                       "*'$/-_.~",
	}
	objects := map[string][]byte{}
	for _, key := range keys {
		objects[key] = b
	}
	server := serveBucket(t, objects)
	for address := range keys {
		for who, env := range map[string]func(string) string{
			"key":     server.env(),
			"session": server.env("AWS_SESSION_TOKEN", "token/with+signs=="),
			"region":  server.env("AWS_REGION", "eu-central-1"),
			"path":    server.env("AWS_ENDPOINT_URL", server.URL+"/"),
		} {
			s := bucketSource(t, address, file("image.iso", len(b)), env)
			for _, span := range [][2]int{{0, 100_000}, {99_999, 100_000}, {16384, 49152}} {
				got, err := read(t, s, span[0], span[1])
				if err != nil || !bytes.Equal(got, b[span[0]:span[1]]) {
					t.Errorf("%s with %s, %v: %d bytes, %v", address, who, span, len(got), err)
				}
			}
		}
	}
}

// An endpoint that is the bucket's own has it in the name of the host.
func TestBucketInTheName(t *testing.T) {
	b := content(1000)
	server := serveBucket(t, map[string][]byte{"a b/image.iso": b}, gofakes3.WithHostBucket(true))
	host := "music.s3.example"
	s := bucketSource(t, "s3://music/a%20b/image.iso", file("image.iso", len(b)),
		server.env("AWS_ENDPOINT_URL_S3", "http://"+host))
	transport := s.client.Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != host+":80" {
			t.Errorf("it asks %s", address)
		}
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	if got, err := read(t, s, 100, 200); err != nil || !bytes.Equal(got, b[100:200]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestFolderInABucket(t *testing.T) {
	one, two := content(5000), content(7000)
	f := &orch.File{Name: "my folder", Size: 16384 + 7000, PartSize: 16384}
	f.Lines = []orch.Line{
		{Key: "file", Value: "5000 a b/50%+1?.txt"},
		{Key: "!pad", Value: "11384 .pad/0"},
		{Key: "file", Value: "7000 ü"},
	}
	server := serveBucket(t, map[string][]byte{
		"copies/my folder/a b/50%+1?.txt": one, "copies/my folder/ü": two,
	})
	want := append(append(bytes.Clone(one), make([]byte, 11384)...), two...)
	for _, address := range []string{"s3://music/copies", "s3://music/copies/"} {
		s := bucketSource(t, address, f, server.env())
		if got, err := read(t, s, 0, len(want)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", address, len(got), err)
		}
	}
}

// A URL that somebody signed is one of http to members, also at a private address.
func TestSignedURL(t *testing.T) {
	b := content(1000)
	server := serveBucket(t, map[string][]byte{"a b.iso": b})
	address, err := SignedURL("s3://music/a%20b.iso", server.env())
	if err != nil {
		t.Fatal(err)
	}
	s := bucketSource(t, address, file("a b.iso", len(b)), nil)
	for _, span := range [][2]int{{0, 1000}, {500, 600}} {
		got, err := read(t, s, span[0], span[1])
		if err != nil || !bytes.Equal(got, b[span[0]:span[1]]) {
			t.Errorf("%v: %d bytes, %v", span, len(got), err)
		}
	}
	// One that has not been good for long, and one that does something.
	old := signing{
		host: strings.TrimPrefix(server.URL, "http://"), path: "/music/a%20b.iso",
		region: "us-east-1", id: exampleID, secret: exampleSecret,
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), seconds: 60,
	}
	for address, want := range map[string]string{
		server.URL + old.path + "?" + old.query(): "answers 403 Forbidden: " +
			"the signed URL was good until 2026-01-02 03:05 UTC",
		address + "&delete=1": errQuery.Error(),
	} {
		s := bucketSource(t, address, file("a b.iso", len(b)), nil)
		if _, err := read(t, s, 0, 10); err == nil || err.Error() != want {
			t.Errorf("it says %v, want %s", err, want)
		}
	}
}

// What a bucket's server refuses is said with what can be done about it, and without a secret.
func TestBucketRefuses(t *testing.T) {
	server := serveBucket(t, map[string][]byte{"f": content(1000)})
	defer server.set(0)
	for name, test := range map[string]struct {
		address string
		env     []string
		clock   time.Duration
		want    string
	}{
		"secret": {
			env: []string{"AWS_SECRET_ACCESS_KEY", "wrong"},
			want: "answers 403 Forbidden: " +
				"AWS_SECRET_ACCESS_KEY is not the secret of the key in AWS_ACCESS_KEY_ID",
		},
		"key": {
			env:  []string{"AWS_ACCESS_KEY_ID", "SOMEBODY"},
			want: "answers 403 Forbidden: it does not know the key in AWS_ACCESS_KEY_ID",
		},
		"no key": {
			env: []string{"AWS_ACCESS_KEY_ID", ""},
			want: "answers 403 Forbidden: the bucket is not public, " +
				"and neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor AWS_PROFILE are set",
		},
		"file": {
			address: "s3://music/g", want: "answers 404 Not Found: the bucket has no such file",
		},
		"bucket": {
			address: "s3://images/f", want: "answers 404 Not Found: there is no bucket of this name",
		},
		"ahead": {
			clock: -2 * time.Hour,
			want: "answers 403 Forbidden: " +
				"the clock of this machine is 2h0m ahead of the server's, which refuses that",
		},
		"behind": {
			clock: 90 * time.Minute,
			want: "answers 403 Forbidden: " +
				"the clock of this machine is 1h30m behind the server's, which refuses that",
		},
		"endpoint": {
			env:  []string{"AWS_ENDPOINT_URL", "minio:9000"},
			want: "cannot be asked: AWS_ENDPOINT_URL is no URL of http or https",
		},
	} {
		if test.address == "" {
			test.address = "s3://music/f"
		}
		server.set(test.clock)
		s := bucketSource(t, test.address, file("f", 1000), server.env(test.env...))
		if _, err := read(t, s, 0, 10); err == nil || err.Error() != test.want {
			t.Errorf("%s: it says %v, want %s", name, err, test.want)
		}
	}
	for _, address := range []string{"s3://music/f?versionId=1", "s3://music/f?"} {
		if _, err := New(Config{URL: address, File: file("f", 1)}); err != errBucketQuery {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// What Amazon's servers say that the one above does not.
func TestRefusals(t *testing.T) {
	const (
		region = "its region is eu-west-1, and AWS_REGION says us-east-1"
		may    = "the key in AWS_ACCESS_KEY_ID may not read this file"
	)
	code := func(code, rest string) string {
		return "<Error><Code>" + code + "</Code>" + rest + "</Error>"
	}
	for _, test := range []struct {
		code         int
		body, region string
		want         string
	}{
		{400, code("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"), "", region},
		{400, code("AuthorizationQueryParametersError",
			"<Message>wrong; expecting &#34;eu-west-1&#34;</Message>"), "", region},
		{301, code("PermanentRedirect", ""), "eu-west-1", region},
		{
			301, code("PermanentRedirect", ""), "",
			"the bucket is elsewhere, as AWS_REGION or AWS_ENDPOINT_URL should say",
		},
		{
			400, code("AuthorizationQueryParametersError", ""), "",
			"AWS_REGION may not be the bucket's region",
		},
		{400, code("ExpiredToken", ""), "", "the token in AWS_SESSION_TOKEN has expired"},
		{400, code("InvalidToken", ""), "", "it does not take the token in AWS_SESSION_TOKEN"},
		{403, code("AccessDenied", ""), "us-east-1", may},
		{403, code("AccessDenied", "<Region>\x1b[31m</Region>"), "x y", may},
		{403, "<html>" + strings.Repeat("<a>", 1000), "", may},
		{503, code("SlowDown", ""), "", "it says SlowDown"},
		{404, code("No such\x1b", ""), "", ""},
		{404, "", "", ""},
	} {
		res := &http.Response{StatusCode: test.code, Header: http.Header{}}
		res.Header.Set("X-Amz-Bucket-Region", test.region)
		env := (&bucketServer{Server: &httptest.Server{}}).env()
		s := bucketSource(t, "s3://music/f", file("f", 1), env)
		res.Body = io.NopCloser(strings.NewReader(test.body))
		if got := s.refused(res, time.Now()); got.Why != test.want {
			t.Errorf("%d %.60q: %q, want %q", test.code, test.body, got.Why, test.want)
		}
	}
}

func FuzzRefusal(f *testing.F) {
	f.Add(403, "<Error><Code>AccessDenied</Code><Region>eu-west-1</Region></Error>",
		"Mon, 02 Jan 2006 15:04:05 GMT", "")
	f.Add(301, "<Error>", "", "eu-west-1")
	f.Fuzz(func(t *testing.T, code int, body, date, region string) {
		s := bucketSource(t, "s3://music/f", file("f", 1), (&bucketServer{Server: &httptest.Server{}}).env())
		res := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
		res.Header.Set("Date", date)
		res.Header.Set("X-Amz-Bucket-Region", region)
		why := s.refused(res, time.Now()).Why
		if len(why) > 200 || strings.ContainsFunc(why, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("it says %q", why)
		}
	})
}
