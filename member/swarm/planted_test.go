package swarm_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var plantedBugs = flag.Bool("planted", false, "build this package with each of its planted bugs, and see the simulated faults find it")

// TestPlantedBugsAreFound proves that the simulated swarms with faults find bugs of the kind that
// they are there for: with each of those that a build tag plants, one of the seeds of an ordinary
// run fails.
func TestPlantedBugsAreFound(t *testing.T) {
	if !*plantedBugs {
		t.Skip("builds this package several times: make planted runs it (-planted)")
	}
	found := regexp.MustCompile(`seed \d+: .*`)
	for _, tag := range []string{"planted_recall", "planted_slot", "planted_have"} {
		t.Run(tag, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "swarm.test.exe")
			build := exec.Command("go", "test", "-c", "-tags", tag, "-o", name, ".")
			build.Stderr = os.Stderr
			if err := build.Run(); err != nil {
				t.Fatal("it cannot be built: ", err)
			}
			out, err := exec.Command(name, "-test.run", "^TestFaults$").CombinedOutput()
			line := found.Find(out)
			if err == nil || line == nil {
				t.Fatalf("the bug is not found (%v):\n%s", err, out)
			}
			t.Logf("found: %s", line)
		})
	}
}
