package orch

import (
	"reflect"
	"strings"
	"testing"

	"orchestra/proto/bencode"
)

// FuzzLines holds that lines after the parts, whatever they say, are refused or
// describe a folder that can be: each path once, under folders alone, and with an
// info dictionary that is the torrent's.
func FuzzLines(f *testing.F) {
	for _, lines := range []string{
		"file: 0 a/b\nfile: 10 a/c\nexec: a/c\nfolder: d/e\nlink: a/d // ../a/b\nlink: d/up // ..",
		"file: 10 A/B\nlink: a/b // x", "file: 10 a\nfile: 0 a/b", "folder: é\nlink: E\u0301 // a\nfile: 10 x",
		"file: 10 a\ntime: 2026-01-31T08:15:00.25Z", "info: ZDc6cHJpdmF0ZWkxZWU=\nconductor: h:1\ncomment: x",
		"file: 10 " + strings.Repeat("a/", 254) + "b",
	} {
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		c := ten()
		for line := range strings.SplitSeq(lines, "\n") {
			key, value, ok := strings.Cut(line, ": ")
			if !ok {
				return
			}
			c.Lines = append(c.Lines, Line{key, value})
		}
		if c.Validate() != nil {
			return
		}
		if again := mustParse(t, text(t, c)); !reflect.DeepEqual(again.Lines, c.Lines) {
			t.Fatalf("%q came back as %q", c.Lines, again.Lines)
		}
		kinds := map[string]string{}
		take := func(path, what string) {
			if kinds[path] != "" || CheckPath(path) != nil {
				t.Fatalf("%s %q is a %s as well, or no path", what, path, kinds[path])
			}
			kinds[path] = what
		}
		for _, e := range c.Entries() {
			take(e.Path, "file")
		}
		for _, l := range c.Links() {
			take(l.Path, "link")
		}
		for path := range kinds {
			for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path[:i], '/') {
				if kinds[path[:i]] != "" {
					t.Fatalf("%q goes through a %s", path, kinds[path[:i]])
				}
			}
			if kinds[path] != "link" {
				continue
			}
			for other := range kinds {
				if other != path && FoldName(other) == FoldName(path) {
					t.Fatalf("the link %q has the name of %q", path, other)
				}
			}
		}
		torrent, err := c.Torrent()
		if err != nil {
			t.Fatal(err)
		}
		v, err := bencode.Decode(torrent)
		if err != nil {
			t.Fatal(err)
		}
		if info := v.(map[string]any)["info"].(map[string]any); infoHash(t, info) != c.ID() {
			t.Fatal("the ID is not the info-hash")
		}
	})
}

// FuzzFoldName holds that what is folded stays as it is, component by component.
func FuzzFoldName(f *testing.F) {
	for _, name := range []string{"readme", "É/e\u0301", "Straße", "\u212a/\u03c2", "\u13a0\u13f0", "a\u200b/b", "\xff/\xc3"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		folded := FoldName(name)
		if FoldName(folded) != folded {
			t.Fatalf("%+q becomes %+q, and then %+q", name, folded, FoldName(folded))
		}
		if strings.Count(folded, "/") != strings.Count(name, "/") {
			t.Fatalf("%+q becomes %+q, with other components", name, folded)
		}
	})
}

// FuzzReadConductor holds that an address is read once and for all.
func FuzzReadConductor(f *testing.F) {
	for _, s := range []string{"h:1", "h", "10.0.0.1", "[fe80::1%eth0]:77", "::1", "h:0", "H.example.:99999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		read, err := ReadConductor(s)
		if err != nil {
			return
		}
		if again, err := ReadConductor(read); err != nil || again != read {
			t.Fatalf("%q is read as %q, and that as %q, %v", s, read, again, err)
		}
	})
}
