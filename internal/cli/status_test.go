package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"orchestra/conduct"
)

// status asks the scene's conductor for its composition.
func (s *scene) status(code int, flags ...string) (stdout, stderr string) {
	s.t.Helper()
	cmd := orchestra(s.t, append([]string{"status", s.address, s.orch}, flags...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	if got != code {
		s.t.Fatalf("status %v: exit code %d, want %d: %s%s", flags, got, code, &out, &errs)
	}
	return out.String(), errs.String()
}

func (s *scene) statusJSON(flags ...string) statusLine {
	s.t.Helper()
	text, _ := s.status(exitDone, append(flags, "--json")...)
	var line statusLine
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return line
}

// Who spreads a file asks who has it, waits until all have, and until so many have, although they leave.
func TestStatus(t *testing.T) {
	s := newScene(t, 8<<20, "64K")
	if _, says := s.status(exitInput); !strings.Contains(says, "nobody has joined it there") {
		t.Errorf("of what is not known it says %q", says)
	}
	if text, says := s.status(exitStalled, "--wait", "all", "--timeout", "1500ms"); text != "no members\n" || !strings.Contains(says, "no members after 1.5 s") {
		t.Errorf("waiting for nobody prints %q and %q", text, says)
	}
	waiting := s.start(orchestra(t, "status", s.address, s.orch, "--json", "--wait", "3"))
	first := s.join("original", "--name", "the first", "--upload-limit", "64K", "--until-copies", "3")
	first.untilComplete()
	lab := s.join("lab", "--name", "lab\x1b[31m-17")
	listed := s.start(orchestra(t, "status", s.address, s.orch, "--json", "--watch"))
	listed.until("two members", func(e sceneEvent) bool { return e.Known == 2 })
	wantEnd(t, listed, syscall.SIGTERM, exitDone)

	text, says := s.status(exitStalled, "--wait", "all", "--timeout", "1500ms")
	line := regexp.MustCompile(`^1 of 2 complete, slowest lab\\x1b\[31m-17 at \d+ %(, .* left)?\n$`)
	if !line.MatchString(text) || !strings.Contains(says, " after 1.5 s") {
		t.Errorf("waiting in vain prints %q and %q", text, says)
	}
	if text, _ := s.status(exitDone); !line.MatchString(text) {
		t.Errorf("it prints %q", text)
	}
	got := s.statusJSON()
	if got.Complete != 1 || got.Known != 2 || got.Pending != 1 || len(got.Members) != 2 ||
		got.Members[0].Name != "lab\x1b[31m-17" || got.Members[0].Complete || got.Members[1].Name != "the first" || !got.Members[1].Complete {
		t.Errorf("--json: %+v", got)
	}

	// A further sharer makes it quick; all leave when they are complete.
	s.put("second")
	second := s.join("second", "--name", "second", "--exit")
	if code := second.wait(); code != exitDone {
		t.Errorf("the second exits with %d", code)
	}
	s.put("helper")
	helper := s.join("helper", "--name", "helper")
	helper.untilComplete()
	lab.untilComplete()
	wantEnd(t, lab, syscall.SIGTERM, exitDone)
	if code := first.wait(); code != exitDone {
		t.Errorf("--until-copies: exit code %d, want 0", code)
	}
	if code := waiting.wait(); code != exitDone {
		t.Errorf("--wait 3: exit code %d, want 0", code)
	}
	wantEnd(t, helper, syscall.SIGTERM, exitDone)
	if text, _ := s.status(exitDone, "--wait", "all"); text != "4 of 4 complete\n" {
		t.Errorf("with everybody gone it prints %q", text)
	}
	if text, _ := s.status(exitDone, "--wait", "4", "--timeout", "1m"); text != "4 of 4 complete\n" {
		t.Errorf("--wait 4 prints %q", text)
	}

	// Who comes back is the same copy.
	if code := s.join("second", "--exit").wait(); code != exitDone {
		t.Errorf("the second, again, exits with %d", code)
	}
	if got := s.statusJSON(); got.Complete != 4 || got.Known != 4 {
		t.Errorf("after one came back: %+v", got)
	}
}

// --watch prints a line for each change where there is no terminal, and is done when it is stopped.
func TestStatusWatch(t *testing.T) {
	s := newScene(t, 1<<20, "64K")
	watch := s.start(orchestra(t, "status", s.address, "--json", "--watch"))
	var lines []sceneEvent
	next := func(complete int) {
		t.Helper()
		watch.until(fmt.Sprint(complete, " complete"), func(e sceneEvent) bool {
			lines = append(lines, e)
			return e.Copies == complete
		})
	}
	s.join("original", "--name", "first").untilComplete()
	next(1)
	s.join("copy", "--name", "second").untilComplete()
	next(2)
	for i := 1; i < len(lines); i++ {
		if lines[i].Copies == lines[i-1].Copies && lines[i].Known == lines[i-1].Known && lines[i].Pending == lines[i-1].Pending && lines[i].Pending == 0 {
			t.Errorf("two lines say the same: %+v", lines[i])
		}
	}
	wantEnd(t, watch, syscall.SIGTERM, exitDone)

	waits := s.start(orchestra(t, "status", s.address, "--json", "--wait", "9", "--watch"))
	waits.until("a line", func(e sceneEvent) bool { return e.Copies == 2 })
	wantEnd(t, waits, syscall.SIGINT, exitInt)
}

// Nobody is not all: somebody has to be complete.
func TestWaitIsOver(t *testing.T) {
	all := waitFor{all: true}
	for _, c := range []struct {
		wait waitFor
		is   conduct.Status
		over bool
	}{
		{all, conduct.Status{}, false},
		{all, conduct.Status{Known: 1, Pending: 1}, false},
		{all, conduct.Status{Complete: 1, Known: 2, Pending: 1}, false},
		{all, conduct.Status{Complete: 2, Known: 2, Pending: 1}, false}, // one lost what it had
		{all, conduct.Status{Complete: 2, Known: 2}, true},
		{waitFor{copies: 2}, conduct.Status{Complete: 1, Known: 1}, false},
		{waitFor{copies: 2}, conduct.Status{Complete: 2, Known: 9, Pending: 7}, true},
		{waitFor{copies: 2}, conduct.Status{Complete: 3, Known: 3}, true},
		{waitFor{}, conduct.Status{Complete: 3, Known: 3}, false},
	} {
		if got := c.wait.over(&c.is); got != c.over {
			t.Errorf("%+v with %+v: over %v, want %v", c.wait, c.is, got, c.over)
		}
	}
}

func TestStatusText(t *testing.T) {
	slow := conduct.Standing{Label: "lab-17", Have: 619, Parts: 1000, Left: 40 * time.Second}
	bare := conduct.Standing{Addr: netip.MustParseAddrPort("192.0.2.7:50000"), Have: 99_999_999, Parts: 100_000_000, Left: -1}
	full := conduct.Standing{Label: "full", Have: 3, Parts: 3}
	for want, s := range map[string]conduct.Status{
		"187 of 200 complete, slowest lab-17 at 61 %, 40 s left": {Complete: 187, Known: 200, Pending: 13, Left: 40 * time.Second, Members: []conduct.Standing{slow, bare, full}},
		"187 of 200 complete, slowest 192.0.2.7:50000 at 99 %":   {Complete: 187, Known: 200, Pending: 1, Left: -1, Members: []conduct.Standing{bare}},
		"200 of 200 complete":               {Complete: 200, Known: 200, Members: []conduct.Standing{full}},
		"0 of 1 complete, 2h00m left":       {Known: 1, Pending: 1, Left: 2 * time.Hour},
		"no members":                        {},
		"1 of 1 complete, slowest ? at 0 %": {Complete: 1, Known: 1, Pending: 1, Left: -1, Members: []conduct.Standing{{Parts: 1}}},
	} {
		if got := statusText(&s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	s := conduct.Status{Complete: 1, Known: 11, Pending: 10, Members: []conduct.Standing{slow, bare, full}}
	if got, want := strings.Join(slowestTexts(&s), "\n"), "   61 %  lab-17, 40 s left\n   99 %  192.0.2.7:50000\n  and 8 more"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for width, want := range map[int]string{-1: "", 0: "", 3: "lab", 6: "lab-17", 9: "lab-17"} {
		if got := fitted("lab-17", width); got != want {
			t.Errorf("in %d columns: %q, want %q", width, got, want)
		}
	}
}
