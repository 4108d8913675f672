package cli

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// soakVariable says for how long the tests of `make soak` run.
const soakVariable = "ORCHESTRA_TEST_SOAK"

// What a process may take more at the end of a soak than after the first sixth of it, when it has
// got its buffers.
const (
	soakMemory  = 24 << 20
	soakFiles   = 8
	soakThreads = 16
)

// A swarm that lasts takes no more in the end than in the beginning, whoever comes and goes.
func TestSwarmDoesNotGrow(t *testing.T) {
	text := os.Getenv(soakVariable)
	if text == "" {
		t.Skip("it takes long: make soak runs it")
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", soakVariable, err)
	}
	s := newScene(t, 8<<20, "64K")
	s.put("sharer")
	lasting := map[string]*player{
		"conductor": s.conductor, "source": s.join("original"), "sharer": s.join("sharer"),
	}
	lasting["source"].untilComplete()
	lasting["sharer"].untilComplete()
	for _, p := range lasting {
		go p.ignore()
	}
	warm := map[string]footprint{}
	begun, told := time.Now(), time.Now()
	came := 0
	for ; time.Since(begun) < span; came++ {
		name := fmt.Sprint("visitor", came)
		visitor := s.join(name, "--exit")
		visitor.untilComplete()
		if code := visitor.wait(); code != exitDone {
			t.Fatalf("%s: exit code %d", name, code)
		}
		s.wantCopy(name)
		if err := os.RemoveAll(s.path(name)); err != nil {
			t.Fatal(err)
		}
		for name, p := range lasting {
			if _, ok := warm[name]; !ok && time.Since(begun) > span/6 {
				warm[name] = footprintOf(t, p)
			}
			if time.Since(told) > time.Minute {
				t.Logf("%v, %d visitors: %s has %v",
					time.Since(begun).Round(time.Second), came, name, footprintOf(t, p))
			}
		}
		if time.Since(told) > time.Minute {
			told = time.Now()
		}
	}
	for name, p := range lasting {
		before, now := warm[name], footprintOf(t, p)
		t.Logf("%s: %v after a sixth, %v after %d visitors", name, before, now, came)
		if now.memory > before.memory+soakMemory || now.files > before.files+soakFiles ||
			now.threads > before.threads+soakThreads {
			t.Errorf("%s grows: %v after a sixth, %v in the end", name, before, now)
		}
	}
}

// ignore reads what a program says until it ends.
func (p *player) ignore() {
	for range p.events {
	}
}

// A footprint is what a process takes of the machine.
type footprint struct {
	memory         int64
	files, threads int
}

func (f footprint) String() string {
	return fmt.Sprintf("%d KiB, %d files, %d threads", f.memory>>10, f.files, f.threads)
}

func footprintOf(t *testing.T, p *player) (f footprint) {
	t.Helper()
	of := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	files, err := os.ReadDir(of + "fd")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.Open(of + "status")
	if err != nil {
		t.Fatal(err)
	}
	defer status.Close()
	f.files = len(files)
	for lines := bufio.NewScanner(status); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			f.memory = n << 10
		case "Threads":
			f.threads = int(n)
		}
	}
	return f
}
