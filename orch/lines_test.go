package orch

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
)

func TestConductors(t *testing.T) {
	for in, want := range map[string]string{
		"192.168.1.1":         "192.168.1.1:9999",
		"192.168.1.1:80":      "192.168.1.1:80",
		"lab-1.example.org":   "lab-1.example.org:9999",
		"büro.example:1":      "büro.example:1",
		"localhost:65535":     "localhost:65535",
		"::1":                 "[::1]:9999",
		"[::1]":               "[::1]:9999",
		"[::1]:1":             "[::1]:1",
		"2001:DB8:0:0::1":     "[2001:db8::1]:9999",
		"[fe80::1%eth0]:9999": "[fe80::1%eth0]:9999",
	} {
		got, err := ReadConductor(in)
		if err != nil || got != want {
			t.Errorf("ReadConductor(%q) = %q, %v, want %q", in, got, err, want)
		}
		if again, err := ReadConductor(got); err != nil || again != got {
			t.Errorf("ReadConductor(%q) = %q, %v, want it unchanged", got, again, err)
		}
	}
	for _, in := range []string{
		"", ":", ":9999", "h:", "h:0", "h:65536", "h:99999999999999999999", "h:1:2", "h:x", "h:-1", "h: 1", "h:01",
		"[::1", "::1]", "[]:1", "[h]:1", "[1.2.3.4]:1", "[::1]:", "[::1]9", "[::1]:1:1", "[[::1]]:1",
		"a b", " h", "h ", "a\tb", "a\nb", "a\x00b", "\xff", "u@h", "h/p", "http://h", strings.Repeat("h", 254),
	} {
		if got, err := ReadConductor(in); err == nil {
			t.Errorf("ReadConductor(%q) = %q, want an error", in, got)
		}
	}
}

func TestConductorsInOrder(t *testing.T) {
	f := mustParse(t, change(1, "b")+"conductor: a:1\ncomment: c\nconductor: b:9999\nconductor: ::1\n")
	got, err := f.Conductors()
	if want := []string{"b:9999", "a:1", "[::1]:9999"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Conductors = %q, %v, want %q", got, err, want)
	}
	f.Lines[0].Value = "a b"
	if _, err := f.Conductors(); err == nil || !strings.Contains(err.Error(), "line 16") {
		t.Errorf("Conductors = %v, want an error on line 16", err)
	}
}

// ten describes ten bytes, so that "file" lines have little to sum to.
func ten() *File { return compose("folder", []byte("0123456789"), 4, SHA1) }

func TestFileLines(t *testing.T) {
	long := strings.Repeat("c", maxComponent)
	for name, files := range map[string][]string{
		"one":           {"10 a"},
		"several":       {"3 b", "0 empty", "7 a"},
		"folders":       {"3 x/a", "3 x/y/a", "4 x.y/a"},
		"blanks":        {"10  a /b "},
		"many dots":     {"10 .../..a"},
		"long":          {"10 " + long + "/" + long},
		"like a folder": {"5 a", "5 ab/c"},
	} {
		f := ten()
		for _, v := range files {
			f.Lines = append(f.Lines, Line{"file", v})
		}
		if err := f.Validate(); err != nil || !f.IsFolder() {
			t.Errorf("%s: Validate = %v, IsFolder = %v", name, err, f.IsFolder())
			continue
		}
		if got := mustParse(t, text(t, f)); !reflect.DeepEqual(got.Lines, f.Lines) {
			t.Errorf("%s: read back as %q", name, got.Lines)
		}
	}
	for name, files := range map[string][]string{
		"no path":               {"10"},
		"empty path":            {"10 "},
		"no size":               {"a"},
		"negative size":         {"-1 a", "11 b"},
		"overflowing sum":       {"9223372036854775807 a", "9223372036854775807 b", "12 c"},
		"sum too small":         {"9 a"},
		"sum too large":         {"9 a", "2 b"},
		"absolute":              {"10 /a"},
		"up":                    {"10 ../a"},
		"up in the middle":      {"10 a/../../b"},
		"here":                  {"10 ./a"},
		"empty component":       {"10 a//b"},
		"ends with a separator": {"10 a/"},
		"backslash":             {`10 ..\a`},
		"control character":     {"10 a/\x1b"},
		"long component":        {"10 " + long + "c"},
		"twice":                 {"5 a/b", "5 a/b"},
		"file, then folder":     {"5 a", "5 a/b/c"},
		"folder, then file":     {"5 a/b/c", "5 a/b"},
	} {
		f := ten()
		for _, v := range files {
			f.Lines = append(f.Lines, Line{"file", v})
		}
		if err := f.Validate(); err == nil {
			t.Errorf("%s: Validate took %q", name, files)
		}
	}
}

// TestFolderLines writes KEY: VALUE lines beside the files.
func TestFolderLines(t *testing.T) {
	lines := func(texts ...string) *File {
		f := ten()
		for _, text := range texts {
			key, value, _ := strings.Cut(text, ": ")
			f.Lines = append(f.Lines, Line{key, value})
		}
		return f
	}
	f := lines("file: 3 a", "file: 0 b/c", "file: 7 d", "exec: b/c", "exec: a", "folder: b/e", "folder: f")
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	entries := []Entry{
		{Path: "a", Size: 3, Exec: true}, {Path: "b/c", Offset: 3, Exec: true}, {Path: "d", Size: 7, Offset: 3},
	}
	if got := f.Entries(); !reflect.DeepEqual(got, entries) {
		t.Errorf("Entries = %+v, want %+v", got, entries)
	}
	if got, want := f.Folders(), []string{"b/e", "f"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Folders = %q, want %q", got, want)
	}
	again := ten()
	again.AddFolder(f.Entries(), f.Folders(), f.Links())
	if again.ID() != f.ID() || !reflect.DeepEqual(again.Entries(), entries) || !reflect.DeepEqual(again.Folders(), f.Folders()) {
		t.Errorf("AddFolder made %q", again.Lines)
	}
	if plain := lines("file: 3 a", "file: 0 b/c", "file: 7 d"); plain.ID() != f.ID() {
		t.Error("the ID depends on exec or folder lines")
	}
	if single := ten(); single.Entries() != nil || single.Folders() != nil || single.IsFolder() {
		t.Error("a single file has entries")
	}
	deep := strings.Repeat(strings.Repeat("a", maxComponent)+"/", maxPath/maxComponent+1)
	for name, f := range map[string]*File{
		"exec of nothing":           lines("file: 10 a", "exec: b"),
		"exec of a folder":          lines("file: 10 a/b", "exec: a"),
		"exec before its file":      lines("exec: a", "file: 10 a"),
		"exec twice":                lines("file: 10 a", "exec: a", "exec: a"),
		"exec alone":                lines("exec: a"),
		"folder twice":              lines("file: 10 a", "folder: b", "folder: b"),
		"folder is a file":          lines("file: 10 a", "folder: a"),
		"folder has a file":         lines("file: 10 a/b", "folder: a"),
		"file in an empty folder":   lines("folder: a", "file: 10 a/b"),
		"folder in an empty folder": lines("file: 10 x", "folder: a", "folder: a/b"),
		"folder with a folder":      lines("file: 10 x", "folder: a/b", "folder: a"),
		"folder through a file":     lines("file: 10 a", "folder: a/b"),
		"folder above":              lines("file: 10 a", "folder: .."),
		"folder up":                 lines("file: 10 a", "folder: b/../../c"),
		"folder absolute":           lines("file: 10 a", "folder: /b"),
		"folder here":               lines("file: 10 a", "folder: ."),
		"folder without a name":     lines("file: 10 a", "folder: "),
		"folder on a drive":         lines("file: 10 a", "folder: c:"),
		"folder with a backslash":   lines("file: 10 a", `folder: b\c`),
		"folder without files":      lines("folder: a"), // ten bytes are nobody's
		"path too long":             lines("file: 10 " + deep + "ab"),
		"drive":                     lines("file: 10 C:/a"),
		"drive without separator":   lines("file: 10 z:a"),
	} {
		if err := f.Validate(); err == nil {
			t.Errorf("%s: Validate took %q", name, f.Lines)
		}
	}
	for name, f := range map[string]*File{
		"longest path":   lines("file: 10 " + deep[:maxPath-1]),
		"colon later on": lines("file: 10 a/b:/c: d"),
	} {
		if err := f.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFolderWithoutFiles holds that its info dictionary has an empty list of
// files, so that it is told from an empty file of the same name.
func TestFolderWithoutFiles(t *testing.T) {
	empty := compose("n", nil, 16384, SHA1)
	f := compose("n", nil, 16384, SHA1)
	f.Lines = []Line{{"folder", "a"}}
	if err := f.Validate(); err != nil || !f.IsFolder() || f.Entries() != nil || f.ID() == empty.ID() {
		t.Errorf("Validate = %v, IsFolder = %v, Entries = %v, ID %v", err, f.IsFolder(), f.Entries(), f.ID())
	}
}

func TestInfoLine(t *testing.T) {
	value := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	f := ten()
	plain := f.ID()
	f.Lines = []Line{{"info", value("d7:privatei1ee")}}
	if err := f.Validate(); err != nil || f.ID() == plain {
		t.Errorf("Validate = %v; the ID is %v with and %v without the line", err, f.ID(), plain)
	}
	for name, lines := range map[string][]Line{
		"no base64":      {{"info", "d7:privatei1ee"}},
		"no padding":     {{"info", strings.TrimRight(value("d1:ai1ee"), "=")}},
		"no bencode":     {{"info", value("hello")}},
		"no dictionary":  {{"info", value("i1e")}},
		"left-over":      {{"info", value("dei1e")}},
		"unsorted":       {{"info", value("d1:bi1e1:ai1ee")}},
		"has the name":   {{"info", value("d4:name1:ae")}},
		"has the pieces": {{"info", value("d6:pieces0:e")}},
		"twice":          {{"info", value("de")}, {"info", value("de")}},
	} {
		f := ten()
		f.Lines = lines
		if err := f.Validate(); err == nil {
			t.Errorf("%s: Validate took it", name)
		}
	}
	f = compose("n", []byte("0123456789"), 4, SHA256)
	f.Lines = []Line{{"info", value("d7:privatei1ee")}}
	if err := f.Validate(); err == nil {
		t.Error("with SHA-256: Validate took it")
	}
}
