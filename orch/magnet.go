package orch

import (
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Magnet is what a magnet link says (BEP 9). Everything but the ID is a hint.
type Magnet struct {
	ID       ID
	Name     string   // for people; "": not said
	Trackers []string // URLs, see [CheckTracker]
	Webseeds []string // URLs
	Peers    []string // HOST:PORT
	Only     []Span   // of the files, those that are wanted (BEP 53); nil: all
}

// Span is the files from First to Last in the list of a torrent, counted from 0.
type Span struct{ First, Last int }

const magnetScheme = "magnet:"

// IsMagnet reports whether s is meant as a magnet link.
func IsMagnet(s string) bool {
	return len(s) > len(magnetScheme) && strings.EqualFold(s[:len(magnetScheme)], magnetScheme)
}

// ParseMagnet reads a magnet link. It must name an info-hash of BitTorrent v1;
// hints that are wrong are left out.
func ParseMagnet(s string) (*Magnet, error) {
	if !IsMagnet(s) {
		return nil, errors.New("a magnet link begins with magnet:?")
	}
	if len(s) > 64<<10 {
		return nil, errors.New("the magnet link is longer than 64 KiB")
	}
	query, ok := strings.CutPrefix(s[len(magnetScheme):], "?")
	if !ok {
		return nil, errors.New("a magnet link begins with magnet:?")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("the magnet link cannot be read: %w", err)
	}
	m := &Magnet{Name: values.Get("dn")}
	if m.ID, err = exactTopic(values); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if key != "tr" && !strings.HasPrefix(key, "tr.") {
			continue
		}
		for _, address := range values[key] {
			if CheckTracker(address) == nil && !strings.Contains(address, " ") && len(m.Trackers) < mostTrackers {
				m.Trackers = append(m.Trackers, address)
			}
		}
	}
	for _, address := range values["ws"] {
		if checkURL(address, "http", "https") == nil && len(m.Webseeds) < mostTrackers {
			m.Webseeds = append(m.Webseeds, address)
		}
	}
	for _, peer := range values["x.pe"] {
		if host, port := splitHost(peer); host != "" && port != "" && len(m.Peers) < mostTrackers {
			m.Peers = append(m.Peers, peer)
		}
	}
	m.Only = parseSpans(values.Get("so"))
	return m, nil
}

// exactTopic finds the info-hash among what a link is about, in 40 hex digits or
// 32 of base 32.
func exactTopic(values url.Values) (ID, error) {
	v2 := false
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if key != "xt" && !strings.HasPrefix(key, "xt.") {
			continue
		}
		for _, topic := range values[key] {
			if digits, ok := cutFold(topic, "urn:btih:"); ok {
				return parseTopic(digits)
			}
			_, is := cutFold(topic, "urn:btmh:")
			v2 = v2 || is
		}
	}
	if v2 {
		return ID{}, fmt.Errorf("the magnet link is %w", errMagnetV2)
	}
	return ID{}, errors.New("the magnet link names no info-hash (xt=urn:btih:)")
}

var errMagnetV2 = errors.New("of BitTorrent v2 alone (urn:btmh, BEP 52), and Orchestra reads v1 and hybrid torrents")

func parseTopic(digits string) (ID, error) {
	if len(digits) != 32 {
		return ParseID(digits)
	}
	b, err := base32.StdEncoding.DecodeString(strings.ToUpper(digits))
	if err != nil || len(b) != len(ID{}) { // line breaks are skipped, and padding is none
		return ID{}, fmt.Errorf("expected an info-hash of 32 digits of base 32, found %s", quote(digits))
	}
	return ID(b), nil
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// parseSpans reads a choice of files, as in 0,2,4-6. One that is wrong is none.
func parseSpans(s string) []Span {
	if s == "" {
		return nil
	}
	var spans []Span
	for item := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(item, "-")
		a, err := strconv.ParseUint(first, 10, 31)
		b := a
		if err == nil && isRange {
			b, err = strconv.ParseUint(last, 10, 31)
		}
		if err != nil || b < a {
			return nil
		}
		spans = append(spans, Span{int(a), int(b)})
	}
	return spans
}

// Magnet gives the magnet link of f: its ID, name, conductors and trackers, web
// seeds. A composition with SHA-256 checksums has none: [ErrNoTorrent].
func (f *File) Magnet() (string, error) {
	if f.Hash() != SHA1 {
		return "", ErrNoTorrent
	}
	tiers, err := f.announceList()
	if err != nil {
		return "", err
	}
	link := "magnet:?xt=urn:btih:" + f.ID().String() + "&dn=" + url.QueryEscape(f.Name)
	for _, tier := range tiers {
		for _, address := range tier {
			link += "&tr=" + url.QueryEscape(address)
		}
	}
	for _, address := range f.Webseeds() {
		link += "&ws=" + url.QueryEscape(address)
	}
	return link, nil
}

// Conductors are those of its trackers that may be conductors, as HOST:PORT.
func (m *Magnet) Conductors() []string {
	var all []string
	for _, address := range m.Trackers {
		if c := conductorOf(address); c != "" && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// WithHints adds the trackers and web seeds of a link to a composition that came
// without.
func (f *File) WithHints(m *Magnet) error {
	var tiers [][]string
	for _, address := range m.Trackers {
		tiers = append(tiers, []string{address})
	}
	f.takeAround(tiers, m.Webseeds, "")
	return f.describes()
}

// Paths gives the path of each file in the list of the torrent, of which a span
// of a magnet link counts; "" for one of which no file is made.
func (f *File) Paths() []string {
	var paths []string
	for _, l := range f.Lines {
		switch l.Key {
		case keyFile:
			_, p, _ := parseFileLine(l.Value)
			paths = append(paths, p)
		case keyPad:
			paths = append(paths, "")
		}
	}
	return paths
}
