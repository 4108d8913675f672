package origin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A file in a bucket is read by a signed URL (AWS Signature Version 4, as a query), which allows
// who has it this one file for some time: so HTTP does the rest. The keys go nowhere.

// signedFor is how long a signed URL is good.
const signedFor = time.Hour

// address is the URL to be asked.
func (s *Source) address(u *url.URL) (string, error) {
	if u.Scheme != "s3" {
		return u.String(), nil
	}
	return signedURL(u, s.cfg.Env, time.Now())
}

// SignedURL turns s3://BUCKET/KEY into a URL that can be fetched for an hour: signed with the keys
// that env has under the names that the programs of AWS know, or the profile that AWS_PROFILE
// names, or as it is where there are none.
func SignedURL(address string, env func(string) string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Hostname() == "" {
		return "", errors.New("expected s3://BUCKET/KEY")
	}
	if u.RawQuery != "" || u.ForceQuery {
		return "", errBucketQuery
	}
	return signedURL(u, env, time.Now())
}

func signedURL(u *url.URL, env func(string) string, now time.Time) (string, error) {
	with, err := accountOf(env)
	if err != nil {
		return "", err
	}
	region, bucket := with.region.value, u.Host
	var at *url.URL
	var path string
	key := awsEscape(strings.TrimPrefix(u.Path, "/"), true)
	switch {
	case with.endpoint.value != "":
		if at, err = url.Parse(with.endpoint.value); err != nil || at.Host == "" ||
			at.Scheme != "http" && at.Scheme != "https" {
			return "", errors.New("cannot be asked: " + with.endpoint.from + " is no URL of http or https")
		}
		path = strings.TrimSuffix(at.EscapedPath(), "/") + "/" + key
		if !strings.HasPrefix(at.Host, bucket+".") { // else the endpoint is that of the bucket
			path = strings.TrimSuffix(at.EscapedPath(), "/") + "/" + bucket + "/" + key
		}
	case strings.Contains(bucket, "."): // no certificate is for such a name
		at = &url.URL{Scheme: "https", Host: "s3." + amazon(region)}
		path = "/" + bucket + "/" + key
	default:
		at = &url.URL{Scheme: "https", Host: bucket + ".s3." + amazon(region)}
		path = "/" + key
	}
	sign := signing{
		host: at.Host, path: path, region: region, now: now.UTC(),
		id: with.id.value, secret: with.secret.value, token: with.token.value,
		seconds: int(signedFor.Seconds()),
	}
	whole := at.Scheme + "://" + at.Host + path
	if !with.hasKeys() {
		return whole, nil
	}
	return whole + "?" + sign.query(), nil
}

// amazon is the end of the names of Amazon's servers in a region.
func amazon(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return region + ".amazonaws.com.cn"
	}
	return region + ".amazonaws.com"
}

// signing is what a signature is made of.
type signing struct {
	host, path        string // as they go over the wire
	region            string
	id, secret, token string
	now               time.Time
	seconds           int // that it is good for
}

// query returns the query with the signature.
func (s signing) query() string {
	day, at := s.now.Format("20060102"), s.now.Format("20060102T150405Z")
	scope := day + "/" + s.region + "/s3/aws4_request"
	pairs := []string{
		"X-Amz-Algorithm=AWS4-HMAC-SHA256",
		"X-Amz-Credential=" + awsEscape(s.id+"/"+scope, false),
		"X-Amz-Date=" + at,
		fmt.Sprintf("X-Amz-Expires=%d", s.seconds),
		"X-Amz-SignedHeaders=host",
	}
	if s.token != "" {
		pairs = append(pairs, "X-Amz-Security-Token="+awsEscape(s.token, false))
	}
	slices.Sort(pairs)
	query := strings.Join(pairs, "&")
	request := strings.Join([]string{
		"GET", s.path, query, "host:" + s.host, "", "host", "UNSIGNED-PAYLOAD",
	}, "\n")
	sum := sha256.Sum256([]byte(request))
	text := strings.Join([]string{
		"AWS4-HMAC-SHA256", at, scope, hex.EncodeToString(sum[:]),
	}, "\n")
	key := []byte("AWS4" + s.secret)
	for _, of := range []string{day, s.region, "s3", "aws4_request"} {
		key = hmacOf(key, of)
	}
	return query + "&X-Amz-Signature=" + hex.EncodeToString(hmacOf(key, text))
}

func hmacOf(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// awsEscape escapes all but letters, digits and -_.~, and slashes unless they stay.
func awsEscape(text string, slashes bool) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("-_.~", c) >= 0, c == '/' && slashes:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
