package orch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestReadGolden(t *testing.T) {
	for file, want := range map[string]struct {
		name, conductor string
		parts           int
	}{
		"maxresdefault.jpg.orch":          {"maxresdefault.jpg", "192.168.1.1:9999", 9},
		"ATJ.jpg.orch":                    {"ATJ.jpg", "192.168.1.1:9999", 1},
		"ExamML_example.pdf.orch":         {"ExamML_example.pdf", "88.172.118.101:9999", 12},
		"Sciences.M1ML.complete.zip.orch": {"Sciences.M1ML.complete.zip", "88.172.118.101:9999", 1506},
	} {
		f, err := Open(filepath.Join(golden(t), file))
		if err != nil {
			t.Error(err)
			continue
		}
		conductors, err := f.Conductors()
		if err != nil || f.Name != want.name || f.NumParts() != want.parts || !reflect.DeepEqual(conductors, []string{want.conductor}) {
			t.Errorf("%s: %q, %d parts, conductors %q, %v", file, f.Name, f.NumParts(), conductors, err)
		}
	}
}

func TestSampleIsWrittenAsItWasRead(t *testing.T) {
	if got := text(t, mustParse(t, sample)); got != sample {
		t.Errorf("written:\n%s", got)
	}
}

func TestLineEnds(t *testing.T) {
	want := sample + "comment: one\nx: two\n"
	crlf := strings.ReplaceAll(want, "\n", "\r\n")
	for name, in := range map[string]string{
		"LF":                    want,
		"LF, last missing":      strings.TrimSuffix(want, "\n"),
		"CRLF":                  crlf,
		"CRLF, last missing":    strings.TrimSuffix(crlf, "\r\n"),
		"CRLF, last half there": strings.TrimSuffix(crlf, "\n"),
		"mixed":                 sample + "comment: one\r\nx: two\n",
	} {
		if got := text(t, mustParse(t, in)); got != want {
			t.Errorf("%s: written:\n%s", name, got)
		}
	}
	noLast := strings.TrimSuffix(sample, "\n")
	if got := text(t, mustParse(t, noLast)); got != sample {
		t.Errorf("sample without last newline: written:\n%s", got)
	}
}

// TestSmallReads holds that lines may come in pieces of any size.
func TestSmallReads(t *testing.T) {
	in := sample + "comment: " + strings.Repeat("long ", 50_000) + "\nx: \n"
	want := mustParse(t, in)
	for _, r := range []io.Reader{iotest.OneByteReader(strings.NewReader(in)), iotest.DataErrReader(strings.NewReader(in))} {
		f, err := Parse(r)
		if err != nil || !reflect.DeepEqual(f, want) {
			t.Errorf("%T: %v", r, err)
		}
	}
}

func TestOptionalLinesKeepTheirOrder(t *testing.T) {
	in := sample + "x: 1\ncomment:  two blanks \nX-Y_z.2: a: b\nx: 1\nempty: \nwebseed: http://h/\xff\t\nconductor: [::1]\n"
	f := mustParse(t, in)
	want := []Line{
		{"x", "1"},
		{"comment", " two blanks "},
		{"X-Y_z.2", "a: b"},
		{"x", "1"},
		{"empty", ""},
		{"webseed", "http://h/\xff\t"},
		{"conductor", "[::1]"},
	}
	if !reflect.DeepEqual(f.Lines, want) {
		t.Errorf("Lines = %q", f.Lines)
	}
	if got := text(t, f); got != in {
		t.Errorf("written:\n%s", got)
	}
}

func TestNameIsTheLastComponent(t *testing.T) {
	for in, want := range map[string]string{
		`files/a.zip`:   "a.zip",
		`.\a.pdf`:       "a.pdf",
		`C:\x\y/z`:      "z",
		`/a`:            "a",
		`a b.txt`:       "a b.txt",
		`...`:           "...",
		"\xe9t\xe9.txt": "\xe9t\xe9.txt",
		`-rf`:           "-rf",
	} {
		if got := mustParse(t, change(2, in)).Name; got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
}

// change gives the sample with line n replaced.
func change(n int, line string) string {
	lines := strings.SplitAfter(sample, "\n")
	lines[n-1] = line + "\n"
	return strings.Join(lines, "")
}

// head gives the first n lines of the sample.
func head(n int) string { return strings.Join(strings.SplitAfter(sample, "\n")[:n], "") }

func TestParseRefuses(t *testing.T) {
	sum := strings.Repeat("0", 40)
	for _, c := range []struct {
		name, in string
		line     int
		say      string // part of the message
	}{
		{"nothing", "", 1, "expected the conductor"},
		{"no conductor", change(1, ""), 1, "HOST:PORT"},
		{"port 0", change(1, "h:0"), 1, "1 to 65535"},
		{"port too large", change(1, "h:65536"), 1, "1 to 65535"},
		{"port with a sign", change(1, "h:+1"), 1, "HOST:PORT"},
		{"URL", change(1, "http://h:1"), 1, "HOST:PORT"},
		{"blank in conductor", change(1, "h:1 "), 1, "HOST:PORT"},
		{"byte order mark", change(1, "\ufeffh:1"), 1, "HOST:PORT"},
		{"no text", change(1, "\xff\x00h:1"), 1, "found 5 bytes that are no UTF-8 text"},
		{"long text", change(1, strings.Repeat("\u4e2d", 100)), 1, "found \"" + strings.Repeat("\u4e2d", 26) + "\"..."},
		{"no name", head(1), 2, "expected the name"},
		{"empty name", change(2, ""), 2, "empty"},
		{"dot", change(2, "."), 2, "folder"},
		{"dots", change(2, "a/.."), 2, "folder"},
		{"separator last", change(2, `a\`), 2, "empty"},
		{"zero byte", change(2, "a\x00b"), 2, "control"},
		{"escape", change(2, "a\x1bb"), 2, "control"},
		{"delete", change(2, "a\x7fb"), 2, "control"},
		{"C1", change(2, "a\u009bb"), 2, "control"},
		{"carriage return", change(2, "a\rb"), 2, "control"},
		{"long name", change(2, strings.Repeat("a", 251)), 2, "251 bytes"},
		{"very long name", change(2, strings.Repeat("a", 1<<20)), 2, "longer than"},
		{"no checksum", head(2), 3, "expected the checksum of the whole"},
		{"short checksum", change(3, sum[1:]), 3, "40 (SHA-1) or 64"},
		{"checksum no hex", change(3, "x"+sum[1:]), 3, "hex"},
		{"negative size", change(4, "-1"), 4, "size in bytes"},
		{"size with a sign", change(4, "+142044"), 4, "digits alone"},
		{"size with a blank", change(4, "142044 "), 4, "digits alone"},
		{"size with zeros", change(4, "0142044"), 4, "digits alone"},
		{"size overflows", change(4, "9223372036854775808"), 4, "64 bits"},
		{"size empty", change(4, ""), 4, "found nothing"},
		{"part size 0", change(5, "0"), 5, "part size from 1"},
		{"part size too large", change(5, "268435457"), 5, "part size from 1"},
		{"part size in hex", change(5, "0x4000"), 5, "digits alone"},
		{"a part less", change(6, "8"), 6, "expected 9 parts"},
		{"a part more", change(6, "10"), 6, "expected 9 parts"},
		{"no parts", change(6, "0"), 6, "expected 9 parts"},
		{"too many parts", "h\nn\n" + sum + "\n9000000000000000000\n1\n9000000000000000000\n", 6, "too many"},
		{"ends in the parts", head(14), 15, "part 9 of 9, but the file ends"},
		{"SHA-256 among SHA-1", change(9, sum+sum[:24]), 9, "part 3 of 9"},
		{"SHA-1 among SHA-256", change(3, sum+sum[:24]), 7, "64 hex digits"},
		{"part no hex", change(15, "x"+sum[1:]), 15, "part 9 of 9"},
		{"blank line", sample + "\n", 16, "key: value"},
		{"no blank after the colon", sample + "a:b\n", 16, "key: value"},
		{"a checksum too many", sample + sum + "\n", 16, "all 9 parts"},
		{"blank in key", sample + "a b: c\n", 16, "key"},
		{"no key", sample + ": c\n", 16, "key"},
		{"must be understood", sample + "a: b\n!new: c\n", 17, "must be understood"},
		{"which key, too short", sample + "!private: 0123456789abcdef\n", 16, "32 hex digits"},
		{"which key, no hex", sample + "!private: 0123456789ABCDEF0123456789abcdef\n", 16, "32 hex digits"},
		{
			"which key, twice", sample + "!private: 0123456789abcdef0123456789abcdef\na: b\n" +
				"!private: 0123456789abcdef0123456789abcdef\n", 18, "a second !private line",
		},
		{"carriage return in value", sample + "a: b\r\r\n", 16, "line break"},
		{"zero byte in value", sample + "a: b\x00\n", 16, "zero byte"},
		{"bad further conductor", sample + "conductor: a b\n", 16, "HOST:PORT"},
		{"long line", sample + "a: " + strings.Repeat("b", maxLine) + "\n", 16, "longer than"},
	} {
		f, err := Parse(strings.NewReader(c.in))
		pe, ok := errors.AsType[*ParseError](err)
		if !ok || f != nil {
			t.Errorf("%s: Parse = %v, %v, want a ParseError", c.name, f, err)
			continue
		}
		if pe.Line != c.line || !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), fmt.Sprintf("line %d: ", c.line)) {
			t.Errorf("%s: %v, want line %d and %q", c.name, err, c.line, c.say)
		}
		if len(err.Error()) > 500 {
			t.Errorf("%s: a message of %d bytes", c.name, len(err.Error()))
		}
	}
}

func TestLargestNumbers(t *testing.T) {
	for _, c := range [][3]string{
		{"9223372036854775807", "268435456", "34359738368"},
		{"13094413", "1", "13094413"},
	} {
		in := "h\nn\n" + strings.Repeat("0", 40) + "\n" + strings.Join(c[:], "\n") + "\n"
		_, err := Parse(strings.NewReader(in))
		if pe, ok := errors.AsType[*ParseError](err); !ok || pe.Line != 6 {
			t.Errorf("%s bytes in parts of %s: %v, want an error on line 6", c[0], c[1], err)
		}
	}
	// One part fewer fits, and only then are checksums asked for.
	in := "h\nn\n" + strings.Repeat("0", 40) + "\n13094412\n1\n13094412\n"
	if MaxFileSize/41 != 13094412 {
		t.Fatal("the limit has changed, and this test with it")
	}
	_, err := Parse(strings.NewReader(in))
	if pe, ok := errors.AsType[*ParseError](err); !ok || pe.Line != 7 {
		t.Errorf("%v, want an error on line 7", err)
	}
}

// TestClaimsTakeNoMemory holds that a number of parts is believed only as far
// as their lines are there.
func TestClaimsTakeNoMemory(t *testing.T) {
	in := "h\nn\n" + strings.Repeat("0", 40) + "\n13000000\n1\n13000000\n" + strings.Repeat("0", 40) + "\n"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse(strings.NewReader(in))
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; err == nil || n > 1<<20 {
		t.Errorf("Parse took %d bytes of memory; its error is %v", n, err)
	}
}

// TestMemoryPerPart holds what a part costs: its checksum while the file is
// kept, and at most twice as much again in rooms that were too small.
func TestMemoryPerPart(t *testing.T) {
	const parts = 200_000
	in := fmt.Sprintf("h\nn\n%040d\n%d\n1\n%d\n", 0, parts, parts) + strings.Repeat(strings.Repeat("0", 40)+"\n", parts)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := Parse(strings.NewReader(in))
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.PartSums) != 20*parts || cap(f.PartSums) > 20*parts {
		t.Errorf("%d bytes of checksums with room for %d", len(f.PartSums), cap(f.PartSums))
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 60*parts+1<<20 {
		t.Errorf("Parse took %d bytes a part", n/parts)
	}
}

func TestSizeLimit(t *testing.T) {
	for _, in := range []string{sample, sample + "a: b\n", strings.TrimSuffix(sample, "\n")} {
		if _, err := parse(strings.NewReader(in), int64(len(in))); err != nil {
			t.Errorf("as long as the limit: %v", err)
		}
		if _, err := parse(strings.NewReader(in), int64(len(in))-1); !errors.Is(err, errTooLong) {
			t.Errorf("a byte longer than the limit: %v", err)
		}
	}
	// What never ends is given up, line or no line.
	endless := io.MultiReader(strings.NewReader(sample), neverEnding("a: b\n"))
	if _, err := parse(endless, 1<<20); !errors.Is(err, errTooLong) {
		t.Errorf("endless lines: %v", err)
	}
	if _, err := Parse(neverEnding("a")); err == nil {
		t.Error("an endless line was taken")
	}
}

type neverEnding string

func (s neverEnding) Read(p []byte) (int, error) {
	n := 0
	for n+len(s) <= len(p) {
		n += copy(p[n:], s)
	}
	return n, nil
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader(head(8)), iotest.ErrReader(broken))
	_, err := Parse(r)
	if pe, ok := errors.AsType[*ParseError](err); !ok || pe.Line != 9 || !errors.Is(err, broken) {
		t.Errorf("Parse = %v, want the reader's error on line 9", err)
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.orch")
	if _, err := Open(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of nothing: %v", err)
	}
	if err := os.WriteFile(path, []byte(change(4, "x")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.HasPrefix(err.Error(), path+": line 4: ") {
		t.Errorf("Open = %v, want it to begin with the path and the line", err)
	}
	if _, err := Open(filepath.Dir(path)); err == nil {
		t.Error("Open took a folder")
	}
}

// drawn makes valid files.
func drawn(t *rapid.T) *File {
	h := rapid.SampledFrom([]Hash{SHA1, SHA256}).Draw(t, "hash")
	content := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "content")
	name := rapid.StringMatching(`[a-z .]{0,20}[a-z]`).Draw(t, "name")
	f := compose(name, content, rapid.Int64Range(1, 100).Draw(t, "part size"), h)
	f.Conductor = rapid.SampledFrom([]string{"h", "h:1", "[::1]:5", "10.0.0.1", "::1"}).Draw(t, "conductor")
	for range rapid.IntRange(0, 5).Draw(t, "lines") {
		f.Lines = append(f.Lines, Line{
			Key:   rapid.StringMatching(`[a-eg-z]{1,8}`).Draw(t, "key"),
			Value: rapid.StringMatching(`[ -~é]{0,30}`).Draw(t, "value"),
		})
	}
	return f
}

func TestWriteThenParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawn(t)
		if f.Validate() != nil {
			t.Skip("a key with a meaning was drawn")
		}
		var b strings.Builder
		if _, err := f.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		got, err := Parse(strings.NewReader(b.String()))
		if err != nil {
			t.Fatalf("%v\nof %q", err, b.String())
		}
		if len(f.PartSums) == 0 {
			f.PartSums = got.PartSums[:0] // nil or empty
		}
		if !reflect.DeepEqual(got, f) {
			t.Fatalf("%+v came back as %+v", f, got)
		}
		if got.ID() != f.ID() {
			t.Fatal("the ID changed on the way")
		}
	})
}

// FuzzParse holds that what is read is valid, and is written so that the same
// is read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(strings.ReplaceAll(sample, "\n", "\r\n") + "a: b\r"))
	f.Add([]byte("::1\n./x\n" + strings.Repeat("0", 64) + "\n0\n1\n0\nfile: 0 a/b\n"))
	f.Add([]byte("h\nx\n" + strings.Repeat("F", 40) + "\n3\n16384\n1\n" + strings.Repeat("F", 40) +
		"\nfile: 1 a/b\nfile: 2 a/c\ninfo: ZDc6cHJpdmF0ZWkxZWU=\nconductor: h:1"))
	f.Add([]byte("h\nx\n" + strings.Repeat("F", 40) + "\n3\n16384\n1\n" + strings.Repeat("F", 40) +
		"\nfile: 1 a/b\nfile: 2 a/c\nexec: a/c\nfolder: d/e\n"))
	f.Add([]byte("h\nx\n" + strings.Repeat("F", 40) + "\n0\n1\n0\nfolder: C:/e\nexec: ../a\n"))
	f.Add([]byte("h\nx\n" + strings.Repeat("F", 40) + "\n3\n16384\n1\n" + strings.Repeat("F", 40) +
		"\nfile: 1 a/b\ntime: 2026-01-31T08:15:00.25Z\nfile: 2 a/c\nfolder: d\n" +
		"link: a/d // ../a/b\nlink: d/up // ..\nlink: here // .\n"))
	f.Add([]byte("h\nx\n" + strings.Repeat("F", 40) + "\n0\n1\n0\ntime: 1970-01-01T00:00:00Z\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := Parse(strings.NewReader(string(in)))
		if err != nil {
			return
		}
		out := text(t, first)
		again := mustParse(t, out)
		if !reflect.DeepEqual(first, again) {
			t.Fatalf("%+v came back as %+v", first, again)
		}
		if twice := text(t, again); twice != out {
			t.Fatalf("written %q and then %q", out, twice)
		}
		var offset int64
		for _, e := range first.Entries() {
			if e.Offset != offset || e.Size < 0 || !fs.ValidPath(strings.ToValidUTF8(e.Path, "?")) {
				t.Fatalf("entry %+v, expected at %d", e, offset)
			}
			offset += e.Size
		}
		for _, l := range first.Links() {
			if at := l.Destination(); at != "." && !fs.ValidPath(strings.ToValidUTF8(at, "?")) {
				t.Fatalf("link %+v leads to %s", l, at)
			}
		}
		if first.IsFolder() && offset != first.Size {
			t.Fatalf("files of %d bytes in a content of %d", offset, first.Size)
		}
		if _, err := first.Conductors(); err != nil {
			t.Fatalf("Conductors: %v", err)
		}
		if first.ID() != again.ID() {
			t.Fatal("the ID changed on the way")
		}
	})
}
