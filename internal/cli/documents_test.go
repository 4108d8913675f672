package cli

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentsAreCurrent holds the man pages and completions in docs/ against the command table.
func TestDocumentsAreCurrent(t *testing.T) {
	const docs = "../../docs"
	made, there := madeAndThere(t, docs)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(made)), there); diff != "" {
		t.Errorf("docs/ has other files than the table makes; 'make docs' mends it:\n%s", diff)
	}
	for _, path := range there {
		text, err := os.ReadFile(filepath.Join(docs, path))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(made[path], strings.ReplaceAll(string(text), "\r\n", "\n")); diff != "" {
			t.Errorf("docs/%s is not current; 'make docs' mends it:\n%s", path, diff)
		}
	}
}

// madeAndThere are the documents that the table makes, by their paths, and the paths of those
// there.
func madeAndThere(t *testing.T, docs string) (made map[string]string, there []string) {
	t.Helper()
	made, err := documents(docs)
	if err != nil {
		t.Fatal(err)
	}
	if there, err = madeFiles(docs); err != nil {
		t.Fatal(err)
	}
	return made, there
}

func TestWriteDocuments(t *testing.T) {
	docs := t.TempDir()
	scripting, err := os.ReadFile("../../docs/scripting.md")
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t, docs, map[string]string{"scripting.md": string(scripting), "man/orchestra-gone.1": "of a command that is no more"})
	if err := WriteDocuments(docs); err != nil {
		t.Fatal(err)
	}
	made, there := madeAndThere(t, docs)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(made)), there); diff != "" {
		t.Error(diff)
	}
	text, err := os.ReadFile(filepath.Join(docs, "man/orchestra.1"))
	if err != nil || string(text) != made["man/orchestra.1"] {
		t.Errorf("orchestra.1: %v, %d bytes", err, len(text))
	}
}

func writeFiles(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for path, text := range files {
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestExamples reads each example of the man pages as the command line does.
func TestExamples(t *testing.T) {
	for command, list := range examples {
		for _, e := range list {
			table := newTable(&program{}, &rootOptions{})
			var grammars []grammar
			known := command == ""
			for _, c := range table.commands {
				known = known || c.name == command
				grammars = append(grammars, grammar{c.name, slices.Concat(c.options, table.common)})
			}
			if !known {
				t.Errorf("there are examples of %q, which is no command", command)
			}
			words := strings.Fields(e.line)
			if _, quoted, ok := strings.Cut(e.line, "'"); ok { // one word, the last
				words = append(strings.Fields(strings.TrimSuffix(e.line, "'"+quoted)), strings.TrimSuffix(quoted, "'"))
			}
			if words[0] != "orchestra" || command != "" && words[1] != command {
				t.Errorf("%q is no example of %q", e.line, command)
			}
			if _, err := arrange(words, slices.Concat(table.root, table.common), grammars); err != nil {
				t.Errorf("%s: %v", e.line, err)
			}
		}
	}
}

// TestManPages has them read by a program that knows how they must be.
func TestManPages(t *testing.T) {
	lint, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("mandoc is not installed")
	}
	made, err := documents("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range made {
		if !strings.HasPrefix(path, "man/") {
			continue
		}
		cmd := exec.Command(lint, "-Tlint")
		cmd.Stdin = strings.NewReader(text)
		out, _ := cmd.CombinedOutput() // it fails for anything that it says
		for line := range bytes.Lines(out) {
			// pages are the same whenever they are made
			if !bytes.Contains(line, []byte("missing date")) {
				t.Errorf("%s: %s", path, line)
			}
		}
	}
}

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"plain":                        "plain",
		".TH is no request":            `\&.TH is no request`,
		"'quoted'":                     `\&'quoted'`,
		`a\b`:                          `a\eb`,
		"with --max-peers or `q` (-:)": `with \fB\-\-max\-peers\fP or \fBq\fP (\-:)`,
		strings.Repeat("word ", 15) + "and .PP at the line's begin": strings.TrimSpace(strings.Repeat("word ", 15)) + " and\n" + `\&.PP at the line's begin`,
	} {
		if got := prose(text); got != want {
			t.Errorf("prose(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestCompleterOf(t *testing.T) {
	for placeholder, want := range map[string]completer{
		"":                      {},
		"N":                     {},
		"HOST:PORT":             {},
		"SIZE|auto":             {words: []string{"auto"}},
		"auto|bar|plain|none":   {words: []string{"auto", "bar", "plain", "none"}},
		"DIR":                   {files: anyFolder},
		"FILE|DIR":              {files: anyFile},
		"FILE|FOLDER":           {files: anyFile},
		"[PATH]":                {files: anyFile},
		"FILE.orch":             {files: orchFile},
		"FILE.orch|FOLDER.orch": {files: orchFile},
		"[FILE.orch...]":        {files: orchFile},
	} {
		if diff := cmp.Diff(want, completerOf(placeholder), cmp.AllowUnexported(completer{})); diff != "" {
			t.Errorf("%q:\n%s", placeholder, diff)
		}
	}
}
