package origin

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// StatusError tells that an origin does not send what it was asked for.
type StatusError struct {
	Code  int
	After time.Duration // it asks to be left alone for so long; 0: it does not say
	Why   string        // in words of this program; "": it is not known
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("answers %d", e.Code)
	if name := http.StatusText(e.Code); name != "" {
		text += " " + name
	}
	if e.Why != "" {
		text += ": " + e.Why
	}
	return text
}

// IsRefusal reports whether an error says that an origin does not give what it was asked for, or
// has another file there, rather than that it cannot give it now.
func IsRefusal(err error) bool {
	if length := (*lengthError)(nil); errors.As(err, &length) {
		return true
	}
	status := (*StatusError)(nil)
	return errors.As(err, &status) && status.Code < 500 &&
		status.Code != http.StatusTooManyRequests && status.Code != http.StatusRequestTimeout
}

// lengthError tells that a file is another one.
type lengthError struct{ has, want int64 }

func (e *lengthError) Error() string {
	return fmt.Sprintf("has a file of %d bytes, not of %d: it is another one", e.has, e.want)
}

// FileError tells that an origin does not have one file of a folder, as far as is known: others may
// be there.
type FileError struct {
	Path       string // in the folder
	Start, End int64  // of the file, in the content
	Err        error
}

func (e *FileError) Error() string { return fmt.Sprintf("%v (%s)", e.Err, e.Path) }

// Unwrap returns what is wrong with the file.
func (e *FileError) Unwrap() error { return e.Err }

// ofFile makes an error one of a file alone, if it is.
func (s *Source) ofFile(st *stretch, err error) error {
	if len(s.layout) < 2 || !IsRefusal(err) {
		return err
	}
	return &FileError{st.path, st.start, st.start + st.length, err}
}

const (
	mostWait = time.Hour // that a server may ask for
	// mostReason is how much of an answer is read that says why there is nothing else.
	mostReason = 4 << 10
	// clockMost is how far two clocks may be apart before that is held to be why a signature is
	// refused; S3 allows 15 minutes.
	clockMost = 10 * time.Minute
)

// refused makes an error of an answer that is not what was asked for.
func (s *Source) refused(res *http.Response, now time.Time) *StatusError {
	start, _ := io.ReadAll(io.LimitReader(res.Body, mostReason)) // without it less is said
	return &StatusError{
		Code: res.StatusCode, After: retryAfter(res.Header.Get("Retry-After"), now),
		Why: Refusal(s.url, res, start, s.cfg.Env, now),
	}
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, mostWait)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), mostWait)
	}
	return 0
}

// Refusal says in words why the server of a bucket refused what it was asked for, as far as it
// tells in the header of its answer and in the beginning of the rest: what the user can do about it
// is one step further than the number. It is empty if there is nothing to say. The URL is that of
// the origin: s3, or one that was signed by somebody.
func Refusal(
	u *url.URL, res *http.Response, start []byte, env func(string) string, now time.Time,
) string {
	query := u.Query()
	bucket := u.Scheme == "s3"
	with, err := accountOf(env)
	if err != nil {
		with = account{} // it was another one when the bucket was asked
	}
	signed := bucket && with.hasKeys() || query.Has("X-Amz-Signature")
	if !bucket && !signed {
		return ""
	}
	said := readReason(start)
	if signed && (res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusBadRequest) {
		if text := clocks(res.Header.Get("Date"), now); text != "" {
			return text
		}
	}
	if !bucket {
		return goodUntil(query, now)
	}
	if region := said.region(res.Header); region != "" && region != with.region.value {
		return fmt.Sprintf("its region is %s, and %s says %s",
			region, with.region.from, with.region.value)
	}
	switch said.Code {
	case "SignatureDoesNotMatch":
		return with.secret.from + " is not the secret of the key in " + with.id.from
	case "InvalidAccessKeyId":
		return "it does not know the key in " + with.id.from
	case "InvalidToken", "InvalidSecurity":
		return "it does not take the token in " + with.token.from
	case "ExpiredToken":
		return "the token in " + with.token.from + " has expired"
	case "NoSuchBucket":
		return "there is no bucket of this name"
	case "NoSuchKey":
		return "the bucket has no such file"
	case "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError":
		return with.region.from + " may not be the bucket's region"
	case "PermanentRedirect":
		return "the bucket is elsewhere, as " + with.region.from + " or AWS_ENDPOINT_URL should say"
	}
	refused := res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusUnauthorized
	switch {
	case refused && !signed:
		return "the bucket is not public, and neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY " +
			"nor AWS_PROFILE are set"
	case refused:
		return "the key in " + with.id.from + " may not read this file"
	case isCode(said.Code):
		return "it says " + said.Code
	}
	return ""
}

// isCode reports whether a text has the form of what S3 calls a code, and so may be shown.
func isCode(s string) bool {
	return s != "" && len(s) <= 60 && strings.Trim(s, letters+strings.ToUpper(letters)) == ""
}

const letters = "abcdefghijklmnopqrstuvwxyz"

// reason is what the server of a bucket says of why it refuses something.
type reason struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
	Region  string
}

// expected is how servers name the region that they wanted.
var expected = regexp.MustCompile(`expecting ['"]([a-z0-9-]+)['"]`)

// readReason reads what may be no reason at all.
func readReason(start []byte) (r reason) {
	if err := xml.Unmarshal(start, &r); err != nil {
		return reason{}
	}
	return r
}

// region is where the bucket is, as the server says; "": it does not say, or not in the form of a
// region.
func (r *reason) region(header http.Header) string {
	all := []string{header.Get("X-Amz-Bucket-Region"), r.Region}
	all = append(all, expected.FindStringSubmatch(r.Message)...)
	for _, said := range all {
		if said != "" && len(said) <= 40 && strings.Trim(said, letters+"0123456789-") == "" {
			return said
		}
	}
	return ""
}

// clocks says that this machine's clock and the server's are far apart, if they are.
func clocks(date string, now time.Time) string {
	theirs, err := http.ParseTime(date)
	if err != nil {
		return ""
	}
	apart, how := now.Sub(theirs).Round(time.Minute), "ahead of"
	if apart < 0 {
		apart, how = -apart, "behind"
	}
	if apart < clockMost {
		return ""
	}
	return fmt.Sprintf("the clock of this machine is %s %s the server's, which refuses that",
		strings.TrimSuffix(apart.String(), "0s"), how)
}

// goodUntil says when a URL that was signed by somebody was good, if that is over.
func goodUntil(query url.Values, now time.Time) string {
	at, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
	seconds, wrong := strconv.ParseUint(query.Get("X-Amz-Expires"), 10, 31)
	if err != nil || wrong != nil {
		return ""
	}
	end := at.Add(time.Duration(seconds) * time.Second)
	if now.Before(end) {
		return ""
	}
	return "the signed URL was good until " + end.UTC().Format("2006-01-02 15:04 MST")
}
