package origin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The example of the documentation of Amazon S3, "Authenticating Requests: Using Query Parameters".
const (
	exampleID        = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	exampleSignature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)

func TestSignature(t *testing.T) {
	s := signing{
		host: "examplebucket.s3.amazonaws.com", path: "/test.txt", region: "us-east-1",
		id: exampleID, secret: exampleSecret, now: time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC),
		seconds: 86400,
	}
	want := "X-Amz-Algorithm=AWS4-HMAC-SHA256" +
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
		"&X-Amz-Signature=" + exampleSignature
	if got := s.query(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestBucketURLs(t *testing.T) {
	keys := map[string]string{"AWS_ACCESS_KEY_ID": exampleID, "AWS_SECRET_ACCESS_KEY": exampleSecret}
	for _, test := range []struct {
		address string
		env     map[string]string
		want    string // up to the signature
		signed  bool
	}{
		{"s3://bucket/a/b c+d.iso", nil, "https://bucket.s3.us-east-1.amazonaws.com/a/b%20c%2Bd.iso", false},
		{"s3://bucket/f", keys, "https://bucket.s3.us-east-1.amazonaws.com/f", true},
		{"s3://my.bucket/f", map[string]string{"AWS_REGION": "eu-west-1"},
			"https://s3.eu-west-1.amazonaws.com/my.bucket/f", false},
		{"s3://bucket/f", map[string]string{"AWS_ENDPOINT_URL": "http://minio:9000/"},
			"http://minio:9000/bucket/f", false},
	} {
		got, err := SignedURL(test.address, func(name string) string { return test.env[name] })
		bare, query, _ := strings.Cut(got, "?")
		if err != nil || bare != test.want || (query != "") != test.signed {
			t.Errorf("%s: %s, %v, want %s", test.address, got, err, test.want)
		}
		if strings.Contains(got, exampleSecret) {
			t.Error("the secret is in the URL")
		}
		u, err := url.Parse(got)
		if req, _ := http.NewRequest("GET", got, nil); err != nil || req.URL.EscapedPath() != u.EscapedPath() ||
			!strings.HasSuffix(test.want, req.URL.EscapedPath()) {
			t.Errorf("%s goes over the wire as %s", got, u.EscapedPath())
		}
	}
	for _, bad := range []string{"s3:///key", "http://h/x", "s3://%zz/x"} {
		if _, err := SignedURL(bad, func(string) string { return "" }); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
