package orch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const magnetID = "0123456789abcdef0123456789abcdef01234567"

func TestParseMagnet(t *testing.T) {
	id, err := ParseID(magnetID)
	if err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]*Magnet{
		"magnet:?xt=urn:btih:" + magnetID:                                     {ID: id},
		"MAGNET:?dn=a+b%26c&xt=URN:BTIH:" + strings.ToUpper(magnetID):         {ID: id, Name: "a b&c"},
		"magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH":                {ID: id},
		"magnet:?xt=urn:btmh:1220ab&xt=urn:btih:" + magnetID:                  {ID: id},
		"magnet:?xt.1=urn:sha1:x&xt.2=urn:btih:" + magnetID:                   {ID: id},
		"magnet:?xt=urn:btih:" + magnetID + "&so=0,2,4-6":                     {ID: id, Only: []Span{{0, 0}, {2, 2}, {4, 6}}},
		"magnet:?xt=urn:btih:" + magnetID + "&so=6-4&x.pe=nothing&tr=ftp://x": {ID: id},
		"magnet:?xt=urn:btih:" + magnetID + "&tr=http%3A%2F%2Fa%2Fannounce&tr=udp://b:1&ws=https://c/f&x.pe=10.0.0.1:77&x.pe=[::1]:78": {
			ID: id, Trackers: []string{"http://a/announce", "udp://b:1"}, Webseeds: []string{"https://c/f"},
			Peers: []string{"10.0.0.1:77", "[::1]:78"},
		},
	} {
		got, err := ParseMagnet(link)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got): %s", link, err, diff)
		}
	}
}

func TestParseMagnetRefuses(t *testing.T) {
	for link, want := range map[string]string{
		"http://x":                                   "begins with magnet:",
		"magnet:":                                    "begins with magnet:",
		"magnet:xt=urn:btih:" + magnetID:             "begins with magnet:",
		"magnet:?dn=x":                               "no info-hash",
		"magnet:?xt=urn:btmh:1220" + magnetID:        "v2 alone",
		"magnet:?xt=urn:btih:" + magnetID[1:]:        "40 hex digits",
		"magnet:?xt=urn:btih:" + magnetID[:31] + "!": "base 32",
		"magnet:?xt=%zz":                             "cannot be read",
		"magnet:?dn=" + strings.Repeat("x", 1<<17):   "longer",
	} {
		if _, err := ParseMagnet(link); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want one with %q", link, err, want)
		}
	}
}

func TestMagnet(t *testing.T) {
	f := compose("a b&c", content(10), 6, SHA1)
	f.Conductor = "10.0.0.1"
	f.Lines = []Line{{"tracker", "udp://t:1/x http://u/y"}, {"webseed", "https://w/f?a=b&c"}}
	link, err := f.Magnet()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseMagnet(link)
	want := &Magnet{
		ID: f.ID(), Name: "a b&c", Webseeds: []string{"https://w/f?a=b&c"},
		Trackers: []string{"http://10.0.0.1:9999/announce", "udp://t:1/x", "http://u/y"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%s: %v (-want +got): %s", link, err, diff)
	}
	raw, err := f.Info()
	if err != nil {
		t.Fatal(err)
	}
	bare, err := ParseInfo(raw)
	if err != nil || bare.ID() != f.ID() {
		t.Fatalf("the info dictionary is read as %+v, %v", bare, err)
	}
	if err := bare.WithHints(got); err != nil {
		t.Fatal(err)
	}
	conductors, err := bare.Conductors()
	if diff := cmp.Diff([]string{"10.0.0.1:9999"}, conductors); err != nil || diff != "" {
		t.Errorf("conductors %v (-want +got): %s", err, diff)
	}
	if diff := cmp.Diff([][]string{{"udp://t:1/x"}, {"http://u/y"}}, bare.Trackers()); diff != "" {
		t.Error("trackers (-want +got):", diff)
	}
	sha256 := compose("x", content(10), 6, SHA256)
	if _, err := sha256.Magnet(); err == nil {
		t.Error("a magnet link of SHA-256 checksums")
	}
}

func FuzzParseMagnet(f *testing.F) {
	f.Add("magnet:?xt=urn:btih:" + magnetID + "&dn=x&tr=http://a/announce&ws=http://b/&x.pe=1.2.3.4:5&so=0,2-3")
	f.Fuzz(func(t *testing.T, link string) {
		m, err := ParseMagnet(link)
		if err != nil {
			return
		}
		for _, address := range m.Trackers {
			if CheckTracker(address) != nil || strings.ContainsAny(address, " \n") {
				t.Errorf("tracker %q", address)
			}
		}
		for _, s := range m.Only {
			if s.First < 0 || s.Last < s.First {
				t.Errorf("span %v", s)
			}
		}
	})
}
