package orch

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxURL is the longest URL of a tracker or web seed, in bytes.
const maxURL = 8 << 10

// Trackers gives the BitTorrent trackers beside the conductors, in tiers (BEP
// 12): those of one tier are alike, and a tier is asked when the ones before it
// do not answer.
func (f *File) Trackers() [][]string {
	var tiers [][]string
	for _, l := range f.Lines {
		if l.Key == keyTracker {
			tier, _ := parseTrackerLine(l.Value)
			tiers = append(tiers, tier)
		}
	}
	return tiers
}

// Webseeds gives the URLs of copies of the content (BEP 19). What is no URL of
// http, https or s3 is left out.
func (f *File) Webseeds() []string {
	var all []string
	for _, l := range f.Lines {
		if l.Key == keyWebseed && checkURL(l.Value, "http", "https", "s3") == nil && !slices.Contains(all, l.Value) {
			all = append(all, l.Value)
		}
	}
	return all
}

// parseTrackerLine reads the value of a "tracker" line: the URLs of a tier,
// separated by blanks.
func parseTrackerLine(value string) ([]string, error) {
	tier := strings.Split(value, " ")
	for _, address := range tier {
		if err := CheckTracker(address); err != nil {
			return nil, err
		}
	}
	return tier, nil
}

// CheckTracker says why s is not the URL of a tracker.
func CheckTracker(s string) error {
	if err := checkURL(s, "http", "https", "udp"); err != nil {
		return fmt.Errorf("expected the URL of a tracker: %w", err)
	}
	return nil
}

// checkURL says why s is no absolute URL of one of these schemes.
func checkURL(s string, schemes ...string) error {
	if len(s) > maxURL {
		return fmt.Errorf("a URL of %d bytes; %d is the most", len(s), maxURL)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return fmt.Errorf("%s is no URL", quote(s))
	case !slices.Contains(schemes, u.Scheme):
		return fmt.Errorf("%s does not begin with %s://", quote(s), strings.Join(schemes, ":// or "))
	case u.Hostname() == "":
		return fmt.Errorf("%s names no host", quote(s))
	}
	return nil
}

// announcePath is where conductors take announcements of BitTorrent clients.
const announcePath = "/announce"

// conductorOf is the conductor, HOST:PORT, that would be announced to at the
// URL of a tracker; empty if it cannot be one.
func conductorOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Path != announcePath || u.RawQuery != "" || u.User != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	c, err := ReadConductor("[" + u.Hostname() + "]:" + port)
	if err != nil {
		c, err = ReadConductor(u.Hostname() + ":" + port)
	}
	if err != nil {
		return ""
	}
	return c
}
