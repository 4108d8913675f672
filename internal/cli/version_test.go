package cli

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

func TestVersionOf(t *testing.T) {
	module := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	for _, test := range []struct {
		release string
		info    *debug.BuildInfo
		want    string
	}{
		{"", module("v1.2.3"), "v1.2.3"},
		{"v1.2.4", module("v1.2.3"), "v1.2.4"},
		{"", module("v0.0.0-20260102030405-0123456789ab+dirty", revision), "v0.0.0-20260102030405-0123456789ab+dirty"},
		{"", module("(devel)", revision), "devel-0123456789ab"},
		{"", module("", revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "devel-0123456789ab+dirty"},
		{"", module("(devel)", debug.BuildSetting{Key: "vcs.modified", Value: "false"}), "(unknown version)"},
		{"", &debug.BuildInfo{}, "(unknown version)"},
	} {
		if got := versionOf(test.release, test.info); got != test.want {
			t.Errorf("versionOf(%q, %+v) = %q, want %q", test.release, test.info, got, test.want)
		}
	}
}

// TestInstalledVersion installs the program from a repository with a tag, and with one commit more.
func TestInstalledVersion(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"go", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	dir, bin := t.TempDir(), t.TempDir()
	if err := os.CopyFS(dir, sources{os.DirFS("../..")}); err != nil {
		t.Fatal(err)
	}
	run := func(name string, arguments ...string) string {
		t.Helper()
		cmd := exec.Command(name, arguments...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-buildvcs=true", "CGO_ENABLED=0", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, arguments, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	commit := func() {
		t.Helper()
		run("git", "add", "-A")
		run("git", "-c", "user.name=nobody", "-c", "user.email=nobody@localhost", "commit", "-qm", "a commit", "--no-gpg-sign")
	}
	installed := func(flags ...string) string {
		t.Helper()
		run("go", append(append([]string{"install"}, flags...), ".")...)
		return run(filepath.Join(bin, "orchestra"), "--version")
	}
	run("git", "init", "-q")
	commit()
	run("git", "tag", "v1.2.3")
	if got := installed(); got != "orchestra v1.2.3" {
		t.Errorf("at the tag: %q", got)
	}
	if got := installed("-ldflags", "-X orchestra/internal/cli.release=v1.2.4-rc1"); got != "orchestra v1.2.4-rc1" {
		t.Errorf("a release: %q", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "more"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	commit()
	if got, revision := installed(), run("git", "rev-parse", "--short=12", "HEAD"); !strings.HasPrefix(got, "orchestra v1.2.4-0.") || !strings.HasSuffix(got, revision) {
		t.Errorf("a commit after the tag, %s: %q", revision, got)
	}
}

// sources is a folder without what is not built: .git and such, which begins with a dot, and what
// was made in bin and dist.
type sources struct{ fs.FS }

func (s sources) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(s.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasPrefix(e.Name(), ".") || name == "." && (e.Name() == "bin" || e.Name() == "dist")
	}), err
}
