package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMakeInstall installs into a folder, looks at what came there, and takes it away again.
func TestMakeInstall(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	dir := t.TempDir()
	root := filepath.Join(dir, "a root")
	run := func(target string) {
		t.Helper()
		cmd := exec.Command("make", target, "BIN="+filepath.Join(dir, "orchestra"), "DESTDIR="+root, "PREFIX=/opt/music")
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make %s: %v\n%s", target, err, out)
		}
	}
	run("install")
	want := []string{
		"bin/orchestra", "lib/systemd/system/orchestra-conduct.service", "lib/systemd/system/orchestra-join.service",
		"lib/systemd/system/orchestra-join@.service",
		"share/bash-completion/completions/orchestra", "share/fish/vendor_completions.d/orchestra.fish",
		"share/zsh/site-functions/_orchestra", "share/man/man1/orchestra.1",
	}
	for _, c := range newTable(&program{}, &rootOptions{}).commands {
		want = append(want, "bin/orchestra-"+c.name, "share/man/man1/orchestra-"+c.name+".1",
			"share/bash-completion/completions/orchestra-"+c.name, "share/fish/vendor_completions.d/orchestra-"+c.name+".fish")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, filesIn(t, filepath.Join(root, "opt/music"))); diff != "" {
		t.Errorf("installed:\n%s", diff)
	}
	out, err := exec.Command(filepath.Join(root, "opt/music/bin/orchestra-join"), "--help").Output()
	if err != nil || !strings.Contains(string(out), "Usage: orchestra join") {
		t.Errorf("orchestra-join --help: %v\n%s", err, out)
	}
	unit, err := os.ReadFile(filepath.Join(root, "opt/music/lib/systemd/system/orchestra-conduct.service"))
	if err != nil || !strings.Contains(string(unit), "\nExecStart=/opt/music/bin/orchestra conduct\n") {
		t.Errorf("the unit: %v\n%s", err, unit)
	}
	run("uninstall")
	if left := filesIn(t, root); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
