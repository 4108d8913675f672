package tracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"orchestra/proto/bencode"
)

// client gives the HTTP client for trackers, or for what does not look like one. They share no
// connections: what may be asked for is checked where those are made.
func (c *Client) client(isTracker bool) *http.Client {
	c.once.Do(func() { c.trackers, c.others = newClient(true), newClient(false) })
	if isTracker {
		return c.trackers
	}
	return c.others
}

func newClient(isTracker bool) *http.Client {
	dialer := net.Dialer{Timeout: patience, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return allowed(isTracker, at.Addr())
	}}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
			DisableCompression: true,
		},
		Timeout: 2 * patience,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			switch {
			case len(via) > redirects:
				return errors.New("it redirects without end")
			case via[0].URL.Scheme == "https" && req.URL.Scheme != "https":
				return errors.New("it redirects from https to http")
			case isTracker && !hasTrackersPath(req.URL):
				return errors.New("it redirects to what is no tracker")
			}
			return nil
		},
	}
}

// Close gives back what is kept open.
func (c *Client) Close() {
	c.client(true).CloseIdleConnections()
	c.client(false).CloseIdleConnections()
}

// hasTrackersPath reports whether a URL looks like a tracker's, by a custom that is as old as
// scrapes: the last component begins with announce.
func hasTrackersPath(u *url.URL) bool { return strings.HasPrefix(path.Base(u.Path), "announce") }

func (c *Client) announceHTTP(ctx context.Context, u *url.URL, a Announcement) (answer Answer, err error) {
	full := *u
	full.RawQuery = a.query(u.RawQuery)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, full.String(), nil)
	if err != nil {
		return answer, errors.New("its URL cannot be read")
	}
	req.Header.Set("User-Agent", c.Agent)
	res, err := c.client(hasTrackersPath(u)).Do(req)
	if err != nil {
		var whole *url.Error // it has the query in it, which is nobody's business
		if errors.As(err, &whole) {
			err = whole.Err
		}
		return answer, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, longest+1))
	switch {
	case err != nil:
		return answer, err
	case len(b) > longest:
		return answer, errors.New("its answer has no end")
	}
	answer, err = parseHTTP(b)
	var refused *RefusedError
	if err != nil && !errors.As(err, &refused) && res.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("it answers %s", res.Status)
	}
	answer.Conducts = res.Header.Get("Server") == "Orchestra"
	return answer, err
}

// query is the announcement as BEP 3 has it, behind what stands in the tracker's URL.
func (a Announcement) query(own string) string {
	q := url.Values{
		"port": {strconv.Itoa(int(a.Port))}, "key": {fmt.Sprintf("%08x", a.Key)}, "numwant": {strconv.Itoa(a.Want)},
		"uploaded": {strconv.FormatInt(a.Uploaded, 10)}, "downloaded": {strconv.FormatInt(a.Downloaded, 10)},
		"left": {strconv.FormatInt(a.Left, 10)}, "compact": {"1"}, "no_peer_id": {"1"},
	}
	if a.Event != None {
		q.Set("event", a.Event.String())
	}
	if a.TrackerID != "" {
		q.Set("trackerid", a.TrackerID)
	}
	text := "info_hash=" + escape(a.ID[:]) + "&peer_id=" + escape(a.PeerID[:]) + "&" + q.Encode()
	if own != "" {
		text = own + "&" + text
	}
	return text
}

// escape writes all bytes in the one way that every tracker reads.
func escape(b []byte) string {
	var text strings.Builder
	for _, c := range b {
		fmt.Fprintf(&text, "%%%02X", c)
	}
	return text.String()
}

// parseHTTP reads the answer of an HTTP tracker.
func parseHTTP(b []byte) (answer Answer, err error) {
	v, err := bencode.DecodeLoose(b)
	d, ok := v.(map[string]any)
	if err != nil || !ok {
		return answer, errors.New("it does not answer like a tracker")
	}
	if reason, ok := d["failure reason"].(string); ok {
		return answer, &RefusedError{Reason: cut(reason), After: retryIn(d["retry in"])}
	}
	answer.Interval, answer.Least = asSeconds(d["interval"]), asSeconds(d["min interval"])
	answer.Warning, _ = d["warning message"].(string)
	answer.Warning = cut(answer.Warning)
	if id, ok := d["tracker id"].(string); ok && len(id) <= 1024 {
		answer.TrackerID = id
	}
	switch peers := d["peers"].(type) {
	case string:
		err = answer.addCompact([]byte(peers), 4)
	case []any:
		for _, v := range peers {
			answer.addListed(v)
		}
	}
	if six, ok := d["peers6"].(string); ok && err == nil {
		err = answer.addCompact([]byte(six), 16)
	}
	return answer, err
}

// addListed takes in a peer as BEP 3 has it. One that is named, and not by an address, is left out.
func (a *Answer) addListed(v any) {
	d, _ := v.(map[string]any)
	text, _ := d["ip"].(string)
	port, _ := d["port"].(int64)
	if ip, err := netip.ParseAddr(text); err == nil && port > 0 && port < 1<<16 {
		a.add(netip.AddrPortFrom(ip.WithZone(""), uint16(port)))
	}
}

// asSeconds reads a number of seconds. What is none, or too many, is 0.
func asSeconds(v any) time.Duration {
	n, _ := v.(int64)
	if n < 0 || n > int64(24*time.Hour/time.Second) {
		return 0
	}
	return time.Duration(n) * time.Second
}

// retryIn reads "retry in" (BEP 31): minutes, or "never".
func retryIn(v any) time.Duration {
	switch v := v.(type) {
	case string:
		if v == "never" {
			return -1
		}
		n, _ := strconv.ParseInt(v, 10, 64)
		return 60 * asSeconds(n)
	case int64:
		return 60 * asSeconds(v)
	}
	return 0
}

// cut bounds what a tracker says to people.
func cut(text string) string {
	const most = 200
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
