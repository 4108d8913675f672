package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestUnits reads the command lines of the systemd units as the program does, and has systemd read
// the rest.
func TestUnits(t *testing.T) {
	units, err := filepath.Glob("../../docs/systemd/*.service")
	if err != nil || len(units) == 0 {
		t.Fatalf("%d units: %v", len(units), err)
	}
	table := newTable(&program{}, &rootOptions{})
	var grammars []grammar
	for _, c := range table.commands {
		grammars = append(grammars, grammar{c.name, slices.Concat(c.options, table.common)})
	}
	variables := map[string]bool{}
	for _, g := range grammars {
		for _, o := range g.options {
			variables[o.env()] = true
		}
	}
	dir := t.TempDir()
	for _, path := range units {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		start := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/(orchestra .*)$`).FindSubmatch(text)
		if start == nil {
			t.Errorf("%s does not start /usr/bin/orchestra", path)
			continue
		}
		if _, err := arrange(strings.Fields(string(start[1])), table.common, grammars); err != nil {
			t.Errorf("%s: %s: %v", path, start[1], err)
		}
		for _, name := range regexp.MustCompile(`ORCHESTRA_\w+`).FindAllString(string(text), -1) {
			if !variables[name] {
				t.Errorf("%s names %s, which no flag has", path, name)
			}
		}
		// What is not installed here must not be missed: the program, and the page.
		there := regexp.MustCompile(`(?m)^Documentation=.*\n`).ReplaceAllString(strings.ReplaceAll(string(text), "/usr/bin/orchestra", "/bin/sh"), "")
		writeFiles(t, dir, map[string]string{strings.Replace(filepath.Base(path), "@.", "@image.iso.", 1): there})
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not installed")
		return
	}
	copies, err := filepath.Glob(filepath.Join(dir, "*.service"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, append([]string{"verify"}, copies...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestPackagedFiles looks whether what the packages and the image are made of is there.
func TestPackagedFiles(t *testing.T) {
	const root = "../.."
	for file, pattern := range map[string]string{
		".goreleaser.yaml":       `src: ((?:docs|LICENSE|README)[^,\s}]*)`,
		"Makefile":               `(?m)^\tinstall -m 644 (\S+)`,
		"docs/docker/Dockerfile": `(?m)^COPY (go\.mod)`,
	} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllSubmatch(text, -1)
		if len(found) == 0 {
			t.Errorf("%s takes nothing in", file)
		}
		for _, match := range found {
			if there, err := filepath.Glob(filepath.Join(root, string(match[1]))); err != nil || len(there) == 0 {
				t.Errorf("%s takes %s, which is not there: %v", file, match[1], err)
			}
		}
	}
}

// TestReleaseLinks looks whether each command has its links in packages and where make installs.
func TestReleaseLinks(t *testing.T) {
	text, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`(?m)^LINKS +:= (.*)$`).FindSubmatch(makefile)
	if links == nil {
		t.Fatal("the Makefile has no LINKS")
	}
	commands := newTable(&program{}, &rootOptions{}).commands
	for _, c := range commands {
		for _, link := range []string{
			"/usr/bin/orchestra-" + c.name, "/usr/share/bash-completion/completions/orchestra-" + c.name,
			"/usr/share/fish/vendor_completions.d/orchestra-" + c.name + ".fish",
		} {
			if !strings.Contains(string(text), "dst: "+link+", type: symlink") {
				t.Errorf(".goreleaser.yaml does not make %s", link)
			}
		}
		if !slices.Contains(strings.Fields(string(links[1])), c.name) {
			t.Errorf("the Makefile has no link for %s", c.name)
		}
	}
	if n := len(strings.Fields(string(links[1]))); n != len(commands) {
		t.Errorf("the Makefile has %d links for %d commands", n, len(commands))
	}
}
