package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommentOfTwoLines holds that a comment that cannot be written is a
// mistake in the command line, found before anything is read.
func TestCommentOfTwoLines(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "music")
	if err := os.WriteFile(path, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := orchestra(t, "compose", path, "--comment", "two\nlines").CombinedOutput()
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.ExitCode() != exitUsage {
		t.Errorf("it ended with %v, want exit code %d", err, exitUsage)
	}
	if !strings.Contains(string(text), "--comment: the value of") {
		t.Errorf("it said %s", text)
	}
	if _, err := os.Stat(path + ".orch"); err == nil {
		t.Error("an .orch file was written")
	}
}
