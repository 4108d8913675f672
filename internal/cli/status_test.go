package cli

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"orchestra/conduct"
	"orchestra/orch"
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

// untilStatus asks until it is told what is wanted: what members said last, and that they left, may
// be read after a question that came later.
func (s *scene) untilStatus(want string) {
	s.t.Helper()
	for deadline := time.Now().Add(sceneTime); ; {
		text, _ := s.status(exitDone)
		switch {
		case text == want:
			return
		case time.Now().After(deadline):
			s.t.Errorf("status prints %q, want %q", text, want)
			return
		}
	}
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

// Who spreads a file asks who has it, waits until all have, and until so many have, although they
// leave.
func TestStatus(t *testing.T) {
	t.Parallel()
	s := newScene(t, 8<<20, "64K")
	if _, says := s.status(exitInput); !strings.Contains(says, "nobody has joined it there") {
		t.Errorf("of what is not known it says %q", says)
	}
	text, says := s.status(exitStalled, "--wait", "all", "--timeout", "4s")
	if text != "no members\n" || !strings.Contains(says, "no members after 4.0 s") {
		t.Errorf("waiting for nobody prints %q and %q", text, says)
	}
	waiting := s.start(orchestra(t, "status", s.address, s.orch, "--json", "--wait", "3"))
	first := s.join("original", "--name", "the first", "--upload-limit", "64K", "--until-copies", "3")
	first.untilComplete()
	lab := s.join("lab", "--name", "lab\x1b[31m-17")
	listed := s.start(orchestra(t, "status", s.address, s.orch, "--json", "--watch"))
	listed.until("two members", func(e sceneEvent) bool { return e.Known == 2 })
	wantEnd(t, listed, syscall.SIGTERM, exitDone)

	text, says = s.status(exitStalled, "--wait", "all", "--timeout", "4s")
	line := regexp.MustCompile(`^1 of 2 complete, slowest lab\\x1b\[31m-17 at \d+ %(, .* left)?\n$`)
	if !line.MatchString(text) || !strings.Contains(says, " after 4.0 s") {
		t.Errorf("waiting in vain prints %q and %q", text, says)
	}
	slow := `   \d\d? %  lab\\x1b\[31m-17(, .* left)?\n`
	full := `  100 %  the first\n`
	plain := regexp.MustCompile(strings.TrimSuffix(line.String(), "$") + ` ` + slow + full + `$`)
	if text, _ := s.status(exitDone); !plain.MatchString(text) {
		t.Errorf("it prints %q, want %s", text, plain)
	}
	got := s.statusJSON()
	if got.Complete != 1 || got.Known != 2 || got.Pending != 1 || len(got.Members) != 2 {
		t.Errorf("--json: %+v", got)
	}
	if m := got.Members[0]; m.Name != "lab\x1b[31m-17" || m.Complete {
		t.Errorf("--json: the first is %+v", m)
	}
	if m := got.Members[1]; m.Name != "the first" || !m.Complete {
		t.Errorf("--json: the second is %+v", m)
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
	s.untilStatus("4 of 4 complete\n  100 %  helper\n")
	wantEnd(t, helper, syscall.SIGTERM, exitDone)
	s.untilStatus("4 of 4 complete\n")
	if text, _ := s.status(exitDone, "--wait", "all"); text != "4 of 4 complete\n" {
		t.Errorf("--wait all prints %q when everybody is gone", text)
	}
	if text, _ := s.status(exitDone, "--wait", "4", "--timeout", "1m"); text != "4 of 4 complete\n" {
		t.Errorf("--wait 4 prints %q", text)
	}

	// Who comes back is the same copy.
	if code := s.join("second", "--exit").wait(); code != exitDone {
		t.Errorf("the second, again, exits with %d", code)
	}
	s.untilStatus("4 of 4 complete\n")
	if got := s.statusJSON(); got.Complete != 4 || got.Known != 4 {
		t.Errorf("after one came back: %+v", got)
	}
}

// Whoever has the file needs to know neither its conductor nor its ID; of an ID the beginning is
// enough; and what is told of several compositions names them.
func TestStatusNamesAndFinds(t *testing.T) {
	t.Parallel()
	s := newScene(t, 100_000, "64K")
	f, err := orch.Open(s.orch)
	if err != nil {
		t.Fatal(err)
	}
	id := f.ID().String()
	s.join("original", "--name", "first").untilComplete()
	const all = "1 of 1 complete\n  100 %  first\n"
	s.untilStatus(all)
	run := func(code int, arguments ...string) string {
		t.Helper()
		cmd := orchestra(t, append([]string{"status"}, arguments...)...)
		text, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Fatalf("status %v: exit code %d, %v, want %d: %s", arguments, got, err, code, text)
		}
		return string(text)
	}
	for _, c := range []struct {
		arguments []string
		want      string
	}{
		{[]string{s.orch}, all},
		{[]string{s.address, s.orch}, all},
		{[]string{s.address, id}, all},
		{[]string{s.address, id[:1]}, all},
		{[]string{s.address, strings.ToUpper(id[:39])}, all},
		{[]string{s.address, id[:7], "--wait", "1"}, "1 of 1 complete\n"},
		{[]string{s.orch, "--wait", "all"}, "1 of 1 complete\n"},
		{[]string{s.address}, "music (" + id[:8] + "): " + all},
	} {
		if got := run(exitDone, c.arguments...); got != c.want {
			t.Errorf("status %v prints %q, want %q", c.arguments, got, c.want)
		}
	}
	other := "0"
	if id[0] == '0' {
		other = "1"
	}
	for _, flags := range [][]string{nil, {"--wait", "1", "--timeout", "1m"}, {"--watch"}} {
		got := run(exitInput, append([]string{s.address, other}, flags...)...)
		if !strings.Contains(got, "it knows no composition whose ID begins with "+other) {
			t.Errorf("of an ID that is not there, %v prints %q", flags, got)
		}
	}

	// A second composition, of a name that would be another one's, beside BitTorrent clients of the
	// first.
	strange := filepath.Join(s.dir, "music ("+id[:8]+"): 9 of 9 complete")
	if err := os.WriteFile(strange, randomBytes(70_000), 0o644); err != nil {
		t.Fatal(err)
	}
	compose := orchestra(t, "compose", strange, "-q",
		"-c", "127.0.0.1:1", "-c", s.address, "-o", strange+".orch")
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	if f, err = orch.Open(strange + ".orch"); err != nil {
		t.Fatal(err)
	}
	got := run(exitInput, strange+".orch")
	if !strings.Contains(got, "nobody has joined it there") {
		t.Errorf("of a file that nobody joined it prints %q", got)
	}
	s.start(orchestra(
		t, "join", "--json", "--listen", "127.0.0.1:0", "--dir", s.dir, strange+".orch", "--name", "stranger",
	)).untilComplete()
	for i := range 2 {
		announce := fmt.Sprintf(
			"http://%s/announce?info_hash=%s&peer_id=-XX0000-%012d&port=1&left=%d",
			s.address, url.QueryEscape(string(decodeHex(t, id))), i, i,
		)
		res, err := http.Get(announce)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	first := "music (" + id[:8] + "): 1 of 1 complete; 1 of 2 BitTorrent clients\n"
	second := fmt.Sprintf("%q (%.8s): 1 of 1 complete\n", filepath.Base(strange), f.ID())
	got = run(exitDone, s.address)
	for deadline := time.Now().Add(sceneTime); len(got) != len(first+second) && time.Now().Before(deadline); {
		got = run(exitDone, s.address) // what was answered a moment ago is answered again
	}
	if got != first+second && got != second+first {
		t.Errorf("of two compositions it prints\n%s, want\n%s", got, first+second)
	}
	got = run(exitUsage, s.address, "--watch")
	if !strings.Contains(got, "the conductor knows 2 compositions") {
		t.Errorf("watching two prints %q", got)
	}
	if got, want := run(exitDone, strange+".orch"), "1 of 1 complete\n  100 %  stranger\n"; got != want {
		t.Errorf("of a file whose first conductor is not there it prints %q, want %q", got, want)
	}
	line := s.statusJSON()
	if line.Name != "music" || line.Listed != 1 || line.Clients != 2 || line.Full != 1 ||
		len(line.Members) != 3 || !line.Members[2].Client {
		t.Errorf("--json: %+v", line)
	}

	// The conductor's log says what gathers there, once each.
	for _, want := range []string{
		`first member of a composition`, `first complete copy of a composition`, `name=music`,
		`member=first`, `name="music (` + id[:8] + `): 9 of 9 complete"`,
	} {
		s.conductor.untilSays(want)
	}
	log := s.conductor.errors()
	if n := strings.Count(log, "\n"); n != 4 {
		t.Errorf("the conductor's log has %d lines, want 4:\n%s", n, log)
	}
}

func decodeHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// An ID may be told by its beginning if that is unambiguous; what could be a file is one.
func TestSubjectIsRead(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("beef", []byte("no composition"), 0o644); err != nil {
		t.Fatal(err)
	}
	ids := []conduct.Status{
		{ID: [20]byte{0xab, 0xcd}},
		{ID: [20]byte{0xab, 0xce}},
		{ID: [20]byte{0x12}},
	}
	for prefix, want := range map[string]string{
		"1": "", "12": "", "abcd": "", "ABCE": "",
		"abc": "2 compositions have an ID that begins with abc, among them abcd",
		"a":   "2 compositions have", "34": "it knows no composition whose ID begins with 34",
	} {
		s, err := new(program).readSubject(t.Context(), []string{"host", prefix})
		if err != nil || !s.one() || s.conductors[0] != "host:9999" {
			t.Fatalf("%s: %+v, %v", prefix, s, err)
		}
		if _, err := s.find(ids); fmt.Sprint(err) != "<nil>" && want == "" ||
			want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", prefix, err, want)
		}
	}
	for _, bad := range []string{"beef", "xyz", "a.orch", "./a", strings.Repeat("a", 41)} {
		if s, err := new(program).readSubject(t.Context(), []string{"host", bad}); err == nil ||
			!strings.Contains(err.Error(), "expected an ID or an .orch file") {
			t.Errorf("%s: %+v, %v", bad, s, err)
		}
	}
	if got := shortIDs(ids); got != 8 {
		t.Errorf("%d digits", got)
	}
	ids = append(ids, conduct.Status{ID: [20]byte{0x12, 0, 0, 0, 0, 1}})
	if got := shortIDs(ids); got != 12 {
		t.Errorf("%d digits tell %v apart, want 12", got, ids)
	}
}

// --watch prints a line for each change where there is no terminal, and is done when it is stopped.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
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
		was, is := lines[i-1], lines[i]
		same := is.Copies == was.Copies && is.Known == was.Known && is.Pending == was.Pending
		if same && is.Pending == 0 {
			t.Errorf("two lines say the same: %+v", is)
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
	bare := conduct.Standing{
		Addr: netip.MustParseAddrPort("192.0.2.7:50000"), Have: 99_999_999, Parts: 100_000_000, Left: -1,
	}
	full := conduct.Standing{Label: "full", Have: 3, Parts: 3}
	client := conduct.Standing{Parts: 1, Client: true}
	list := func(members ...conduct.Standing) []conduct.Standing { return members }
	for want, s := range map[string]conduct.Status{
		"187 of 200 complete, slowest lab-17 at 61 %, 40 s left": {
			Complete: 187, Known: 200, Pending: 13, Left: 40 * time.Second,
			Members: list(slow, bare, full),
		},
		"187 of 200 complete, slowest 192.0.2.7:50000 at 99 %": {
			Complete: 187, Known: 200, Pending: 1, Left: -1, Members: list(bare),
		},
		"200 of 200 complete":                   {Complete: 200, Known: 200, Members: list(full)},
		"0 of 1 complete, 2h00m left":           {Known: 1, Pending: 1, Left: 2 * time.Hour},
		"no members":                            {},
		"no members; 0 of 2 BitTorrent clients": {Clients: 2, Members: list(client)},
		"1 of 2 complete, 3 s left; 1 of 2 BitTorrent clients": {
			Complete: 1, Known: 2, Pending: 1, Left: 3 * time.Second,
			Clients: 2, ClientsComplete: 1, Members: list(client),
		},
		"1 of 1 complete, slowest ? at 0 %": {
			Complete: 1, Known: 1, Pending: 1, Left: -1, Members: list(conduct.Standing{Parts: 1}),
		},
	} {
		if got := statusText(&s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	const three = "   61 %  lab-17, 40 s left\n   99 %  192.0.2.7:50000\n  100 %  full\n"
	for want, s := range map[string]conduct.Status{
		// an older conductor
		three + "  and 7 more":         {Pending: 10, Members: list(slow, bare, full)},
		three + "  and 17 more":        {Pending: 10, Listed: 20, Members: list(slow, bare, full)},
		"  100 %  full\n  100 %  full": {Listed: 2, Clients: 1, Members: list(full, full, client)},
		"":                             {Clients: 1, Members: list(client)},
	} {
		if got := strings.Join(memberTexts(&s), "\n"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, title := range map[string]string{
		"00000000":                                      "",
		"image.iso (00000000)":                          "image.iso",
		`"my image.iso" (00000000)`:                     "my image.iso",
		`"a (11111111): 2 of 2 complete" (00000000)`:    "a (11111111): 2 of 2 complete",
		`"a\x1b[31m\"" (00000000)`:                      "a\x1b[31m\"",
		`"\u202egpj.exe" (00000000)`:                    "\u202egpj.exe",
		`"` + strings.Repeat("ö", 127) + `" (00000000)`: strings.Repeat("ö", 127),
	} {
		if got := harmless(titleText(&conduct.Status{Title: title}, idDigits)); got != want {
			t.Errorf("%q is shown as %s, want %s", title, got, want)
		}
	}
	for width, want := range map[int]string{-1: "", 0: "", 3: "lab", 6: "lab-17", 9: "lab-17"} {
		if got := fitted("lab-17", width); got != want {
			t.Errorf("in %d columns: %q, want %q", width, got, want)
		}
	}
}
