package orch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is the specification of the format.
func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "docs", "orch-format.md"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// TestDocExamples reads each example of the specification, writes it again, and
// compares its ID with the one that stands below it.
func TestDocExamples(t *testing.T) {
	examples := regexp.MustCompile("(?s)```orch\n(.*?)```\n\nIts ID is `([0-9a-f]*)`").FindAllStringSubmatch(page(t), -1)
	if len(examples) != 8 || len(examples) != strings.Count(page(t), "```orch") {
		t.Fatalf("%d examples with an ID, want 8 and no others", len(examples))
	}
	if examples[0][1] != sample {
		t.Errorf("the first example is not the sample:\n%s", examples[0][1])
	}
	keys := map[string]bool{}
	for i, e := range examples {
		f := mustParse(t, e[1])
		for _, l := range f.Lines {
			keys[l.Key] = true
		}
		if got := text(t, f); got != e[1] {
			t.Errorf("example %d is written as\n%s", i+1, got)
		}
		if got := f.ID().String(); got != e[2] {
			t.Errorf("example %d has the ID %s, the page says %s", i+1, got, e[2])
		}
		if i == 0 {
			continue // its content is a picture
		}
		content := []byte("one two three four")
		if keyedLine(f, keyPad) {
			content = []byte("one two \x00\x00\x00\x00\x00\x00\x00\x00three four")
		}
		want := compose("", content[:f.Size], f.PartSize, f.Hash())
		if !bytes.Equal(f.PartSums, want.PartSums) || f.Checksum != nil && !bytes.Equal(f.Checksum, want.Checksum) {
			t.Errorf("example %d has other checksums than its content", i+1)
		}
	}
	for _, key := range []string{keyFile, keyExec, keyFolder, keyLink, keyTime, keyConductor, keyInfo, keyComment, keyPad, keyTracker, keyWebseed} {
		if !keys[key] {
			t.Errorf("no example has the line %q", key)
		}
	}
}

func keyedLine(f *File, key string) bool {
	return slices.ContainsFunc(f.Lines, func(l Line) bool { return l.Key == key })
}

// TestDocLinks reads the table of links: where each leads, or that it is
// refused.
func TestDocLinks(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `link: (.*)` \\| (leads to `(.*)`|leads to the folder itself|refused: .*) \\|$").
		FindAllStringSubmatch(page(t), -1)
	if len(rows) != 6 {
		t.Fatalf("%d rows, want 6", len(rows))
	}
	for _, row := range rows {
		l, err := parseLinkLine(row[1])
		want := row[3]
		if want == "" && err == nil {
			want = "."
		}
		if refused := strings.HasPrefix(row[2], "refused"); refused != (err != nil) || !refused && l.Destination() != want {
			t.Errorf("%q leads to %q, %v; the page says %q", row[1], l.Destination(), err, row[2])
		}
	}
}

// TestDocMeanings reads the tables of what is written and what is meant: the
// conductors' and the names'.
func TestDocMeanings(t *testing.T) {
	tables := strings.Split(page(t), "| written | meant |\n|---|---|\n")[1:]
	if len(tables) != 2 {
		t.Fatalf("%d tables, want 2", len(tables))
	}
	for i, read := range []func(string) (string, error){ReadConductor, ReadName} {
		table, _, _ := strings.Cut(tables[i], "\n\n")
		rows := regexp.MustCompile("(?m)^\\| `(.*)` \\| `(.*)` \\|$").FindAllStringSubmatch(table, -1)
		if len(rows) != strings.Count(table, "\n")+1 {
			t.Errorf("table %d: %d of its rows could be read:\n%s", i+1, len(rows), table)
		}
		for _, row := range rows {
			if got, err := read(row[1]); err != nil || got != row[2] {
				t.Errorf("%q means %q, %v; the page says %q", row[1], got, err, row[2])
			}
		}
	}
}

func TestDocLimits(t *testing.T) {
	text := strings.Join(strings.Fields(page(t)), " ") // wherever its lines end
	for _, want := range []string{
		fmt.Sprintf("| bytes in an `.orch` file | %d |", MaxFileSize),
		fmt.Sprintf("%d with SHA-1, %d with SHA-256 |", MaxFileSize/41, MaxFileSize/65),
		fmt.Sprintf("| bytes in a line up to the last part, without its end | %d |", maxHeadLine),
		fmt.Sprintf("| bytes in an optional line, without its end | %d |", maxLine),
		fmt.Sprintf("| optional lines | %d |", MaxLines),
		fmt.Sprintf("from 1 to %d", MaxPartSize),
		fmt.Sprintf("more than %d bytes", maxName),
		fmt.Sprintf("longer than %d bytes", maxComponent),
		fmt.Sprintf("Without a port %d is meant", DefaultPort),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
