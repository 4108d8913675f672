package orch

import (
	"reflect"
	"strings"
	"testing"
)

// withLines makes a composition of ten bytes with lines, KEY: VALUE.
func withLines(hash Hash, texts ...string) *File {
	f := compose("folder", []byte("0123456789"), 4, hash)
	for _, text := range texts {
		key, value, _ := strings.Cut(text, ": ")
		f.Lines = append(f.Lines, Line{key, value})
	}
	return f
}

func TestLinkLines(t *testing.T) {
	f := withLines(SHA1,
		"file: 10 a/b", "folder: e", "link: a/c // b", "link: e/ f  //  g", "link: up // a/c", "link: a/x/y // ../../e")
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	links := []Link{{"a/c", "b"}, {"e/ f ", " g"}, {"up", "a/c"}, {"a/x/y", "../../e"}}
	if got := f.Links(); !reflect.DeepEqual(got, links) {
		t.Errorf("Links = %+v, want %+v", got, links)
	}
	if got := mustParse(t, text(t, f)); !reflect.DeepEqual(got.Lines, f.Lines) {
		t.Errorf("read back as %q", got.Lines)
	}
	again := ten()
	again.AddFolder(f.Entries(), f.Folders(), links)
	if !reflect.DeepEqual(again.Lines, f.Lines) {
		t.Errorf("AddFolder made %q", again.Lines)
	}
	for i, want := range []string{"a/b", "e/ g", "a/c", "e"} {
		if got := links[i].Destination(); got != want {
			t.Errorf("%+v leads to %q, want %q", links[i], got, want)
		}
	}
}

// TestLinkTargets holds what a target may be, and that what could lead out of
// the folder on any system is refused.
func TestLinkTargets(t *testing.T) {
	for _, l := range []Link{
		{"a", "b"},
		{"a", "b/c"},
		{"a", "a"},
		{"a", "."},
		{"a/b", ".."},
		{"a/b/c", "../.."},
		{"a/b", "../c"},
		{"a/b/c", "../../d/e"},
		{"a", "..."},
		{"a", "..b"},
		{"a/b", "../..b"},
		{"a", "b/C:"},
		{"a", " "},
		{"a", "nowhere"},
	} {
		if err := CheckLink(l); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
	}
	for name, l := range map[string]Link{
		"empty":                    {"a", ""},
		"absolute":                 {"a", "/etc/passwd"},
		"absolute, twice":          {"a", "//b"},
		"up":                       {"a", ".."},
		"up to a file":             {"a", "../b"},
		"up too often":             {"a/b", "../../c"},
		"up and in again":          {"a/b", "../../folder/c"},
		"up in the middle":         {"a/b", "c/../d"},
		"up through a link":        {"a/b/c", "l/../../../d"},
		"up at the end":            {"a/b", "c/.."},
		"here at the beginning":    {"a", "./b"},
		"here in the middle":       {"a", "b/./c"},
		"here after up":            {"a/b", "../."},
		"ends with a separator":    {"a", "b/"},
		"up with a separator":      {"a/b", "../"},
		"empty component":          {"a", "b//c"},
		"empty component, up":      {"a/b/c", "..//.."},
		"backslash":                {"a", `..\b`},
		"backslash, UNC":           {"a", `\\host\share`},
		"drive":                    {"a", "C:/b"},
		"drive alone":              {"a", "c:"},
		"drive after up":           {"a/b", "../C:/b"},
		"control character":        {"a", "b\x1b[2J"},
		"invisible C1 character":   {"a", "b\u0085"},
		"long component":           {"a", strings.Repeat("b", maxComponent+1)},
		"long":                     {"a", strings.Repeat("b/", maxPath/2) + "c"},
		"link absolute":            {"/a", "b"},
		"link up":                  {"../a", "b"},
		"link is the folder":       {".", "b"},
		"link without a name":      {"", "b"},
		"link with a backslash":    {`a\b`, "c"},
		"link ends in a component": {"a/", "c"},
	} {
		if err := CheckLink(l); err == nil {
			t.Errorf("%s: CheckLink took %+v", name, l)
		}
	}
}

// TestLinkPlaces holds that nothing else has the path of a link, or one through
// it, on any file system.
func TestLinkPlaces(t *testing.T) {
	for name, lines := range map[string][]string{
		"no separator":               {"file: 10 a", "link: b"},
		"another separator":          {"file: 10 a", "link: b -> a"},
		"twice":                      {"file: 10 a", "link: b // a", "link: b // c"},
		"is a file":                  {"file: 10 a", "link: a // b"},
		"is a file that follows":     {"link: a // b", "file: 10 a"},
		"is a folder":                {"file: 10 a/b", "link: a // c"},
		"is an empty folder":         {"file: 10 x", "folder: a", "link: a // c"},
		"file through it":            {"link: a // c", "file: 10 a/b"},
		"file through it, above":     {"file: 10 a/b", "link: a // c"},
		"file far through it":        {"link: a // c", "file: 10 a/b/d/e"},
		"folder through it":          {"file: 10 x", "link: a // c", "folder: a/b"},
		"link through it":            {"file: 10 x", "link: a // c", "link: a/b // c"},
		"through a file":             {"file: 10 a", "link: a/b // c"},
		"exec":                       {"file: 10 a", "link: b // a", "exec: b"},
		"file of another case":       {"file: 10 a", "link: A // b"},
		"file, decomposed":           {"file: 10 \u00e9", "link: e\u0301 // b"},
		"file with nothing to see":   {"file: 10 a", "link: a\u200b // b"},
		"folder of another case":     {"file: 10 a/b", "link: A // b"},
		"deep folder, another case":  {"file: 10 x/a/b/c", "link: X/A // b"},
		"empty folder, another case": {"file: 10 x", "folder: a", "link: A // b"},
		"link of another case":       {"file: 10 x", "link: a // b", "link: A // b"},
		"no folder":                  {"link: a // b"},
	} {
		for _, hash := range []Hash{SHA1, SHA256} {
			if err := withLines(hash, lines...).Validate(); err == nil {
				t.Errorf("%s: Validate took %q", name, lines)
			}
		}
	}
	if err := withLines(SHA1, "file: 10 A/b", "folder: a", "link: c // A/b").Validate(); err != nil {
		t.Errorf("files that differ in case, without a link: %v", err)
	}
}

// TestNeitherLinksNorTimesAreInTheID holds that only what is in the content
// tells compositions apart, by the info-hash and by the canonical text.
func TestNeitherLinksNorTimesAreInTheID(t *testing.T) {
	for _, hash := range []Hash{SHA1, SHA256} {
		plain := withLines(hash, "file: 3 a", "file: 7 b", "folder: c")
		for name, other := range map[string]*File{
			"link":       withLines(hash, "file: 3 a", "file: 7 b", "folder: c", "link: d // a"),
			"time":       withLines(hash, "file: 3 a", "time: 2026-01-31T08:15:00Z", "file: 7 b", "folder: c"),
			"other time": withLines(hash, "file: 3 a", "time: 2025-01-31T08:15:00Z", "file: 7 b", "folder: c"),
		} {
			if err := other.Validate(); err != nil || other.ID() != plain.ID() {
				t.Errorf("%v, %s: Validate = %v, ID %v, want %v", hash, name, err, other.ID(), plain.ID())
			}
			if hash == SHA256 {
				continue
			}
			if _, ok := other.info()["files"]; !ok || len(other.info()) != len(plain.info()) {
				t.Errorf("%s: the info dictionary has %v", name, other.info())
			}
		}
		single, timed := withLines(hash), withLines(hash, "time: 2026-01-31T08:15:00Z")
		if err := timed.Validate(); err != nil || single.ID() != timed.ID() {
			t.Errorf("%v: Validate = %v; the ID of a single file depends on its time", hash, err)
		}
	}
}
