//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFuzzScript runs .ci/fuzz with a go command that answers as the real one does: it shows FAIL
// of real failures alone.
func TestFuzzScript(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	const late = "--- FAIL: FuzzFrames (3.02s)\n    context deadline exceeded\nFAIL\nexit status 1\n"
	const found = "--- FAIL: FuzzFrames (0.02s)\n    Failing input written to testdata/fuzz/FuzzFrames/1\nFAIL\n"
	for name, c := range map[string]struct {
		said   string // by the fuzz run; it fails if it said anything
		ok     bool
		passed bool
	}{
		"nothing found":             {"", true, false},
		"the end of the time":       {late, true, true},
		"an input that fails":       {found, false, false},
		"an input, and the end":     {found + late, false, false},
		"a target that won't build": {"FAIL\torchestra/proto [build failed]\n", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			said := filepath.Join(dir, "said")
			if err := os.WriteFile(said, []byte(c.said), 0o666); err != nil {
				t.Fatal(err)
			}
			fake := "#!/bin/sh\ncase \"$*\" in\nlist*) echo orchestra/proto ;;\n*-list*) echo FuzzFrames; echo ok ;;\n*) cat " + said + "; ! [ -s " + said + " ] ;;\nesac\n"
			if err := os.WriteFile(filepath.Join(dir, "go"), []byte(fake), 0o777); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(bash, "../../.ci/fuzz", "3s")
			cmd.Env = append(os.Environ(), "GO="+filepath.Join(dir, "go"))
			out, err := cmd.CombinedOutput()
			if (err == nil) != c.ok {
				t.Errorf("it ended with %v, want success: %v", err, c.ok)
			}
			if got := strings.Contains(string(out), "FAIL"); got == c.ok {
				t.Errorf("FAIL is shown: %v\n%s", got, out)
			}
			if got := strings.Contains(string(out), "passed: no input failed in 3s"); got != c.passed {
				t.Errorf("it says that a run is passed over: %v\n%s", got, out)
			}
		})
	}
}
