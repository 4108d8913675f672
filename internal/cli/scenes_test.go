package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"orchestra/internal/cli/switchboard"
)

// sceneTime is how long anything in a scene may take.
const sceneTime = 3 * time.Minute

// A scene is a folder with a file, its composition, and real programs around it, on this machine's
// loopback. All of them have ended when the test has.
type scene struct {
	t         *testing.T
	dir       string
	content   []byte
	orch      string // path of the .orch file
	conductor *player
	address   string // the conductor's
}

// newScene starts a conductor and composes a file of that many random bytes.
func newScene(t *testing.T, size int, partSize string) *scene {
	t.Helper()
	s := &scene{t: t, dir: t.TempDir(), content: randomBytes(size)}
	s.conduct("127.0.0.1:0")
	s.put("original")
	s.compose(partSize, s.address)
	return s
}

// compose composes the original; conductor: "" is none.
func (s *scene) compose(partSize, conductor string) {
	s.t.Helper()
	s.orch = filepath.Join(s.dir, "music.orch")
	compose := orchestra(s.t, "compose", s.path("original"), "-q", "-s", partSize, "-o", s.orch)
	if conductor != "" {
		compose.Args = append(compose.Args, "-c", conductor)
	}
	if text, err := compose.CombinedOutput(); err != nil {
		s.t.Fatalf("compose: %v: %s", err, text)
	}
}

// path is where the member called name has the content.
func (s *scene) path(name string) string { return filepath.Join(s.dir, name, "music") }

// put gives the member called name the whole content.
func (s *scene) put(name string) {
	s.t.Helper()
	if err := os.Mkdir(filepath.Join(s.dir, name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), s.content, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// conduct starts the conductor.
func (s *scene) conduct(listen string) {
	s.t.Helper()
	s.conductor = s.start(orchestra(s.t, "conduct", "--json", "--listen", listen))
	s.conductor.until("listening", func(e sceneEvent) bool { s.address = e.Address; return e.Event == "listening" })
}

// join starts a member called name, with a folder of its own.
func (s *scene) join(name string, flags ...string) *player {
	s.t.Helper()
	p := s.start(orchestra(s.t, append([]string{
		"join", "--json", "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, name), s.orch,
	}, flags...)...))
	p.name = name
	return p
}

// wantCopy checks the member's copy byte for byte.
func (s *scene) wantCopy(name string) {
	s.t.Helper()
	got, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	if !bytes.Equal(got, s.content) {
		s.t.Errorf("%s has something else than the original", name)
	}
}

// A player is a program of the scene.
type player struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	events chan sceneEvent
	ended  chan struct{} // closed when the program has ended
	final  sceneEvent    // what it printed last; read once it has ended

	complete bool // an event that until read said so

	mu     sync.Mutex
	stderr bytes.Buffer
}

// A sceneEvent is any line that a program prints with --json.
type sceneEvent struct {
	Event      string  `json:"event"`
	Name       string  `json:"name"`
	Address    string  `json:"address"`
	Path       string  `json:"path"`
	Error      string  `json:"error"`
	Waiting    string  `json:"waiting"`
	Parts      int     `json:"parts"`
	PartsDone  int     `json:"parts_done"`
	Members    int     `json:"members"`
	Complete   bool    `json:"complete"`
	Checking   bool    `json:"checking"`
	Seconds    float64 `json:"seconds"`
	Downloaded int64   `json:"downloaded"`
	Wasted     int64   `json:"wasted"`
	Uploaded   int64   `json:"uploaded"`
	BadParts   []int   `json:"bad_parts"`
	Up         bool    `json:"conductor_up"`
	Conductor  string  `json:"conductor"`

	Known   int `json:"known"`
	Pending int `json:"pending"`
	Copies  int `json:"-"` // complete ones, of a line of status

	URLs []string `json:"urls"` // of share

	at time.Time // when the line came
}

func (s *scene) start(cmd *exec.Cmd) *player {
	s.t.Helper()
	p := &player{t: s.t, cmd: cmd, events: make(chan sceneEvent, 1000), ended: make(chan struct{})}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var read sync.WaitGroup
	read.Go(func() { p.readEvents(stdout) })
	read.Go(func() { p.readErrors(stderr) })
	go func() {
		read.Wait()
		_ = cmd.Wait() // the exit code is asked for in stop
		close(p.ended)
	}()
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
		if s.t.Failed() {
			s.t.Logf("%s %s: %s", cmd.Args[1], p.name, p.errors())
		}
	})
	return p
}

func (p *player) readEvents(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		var e sceneEvent
		if p.cmd.Args[1] == "status" || bytes.HasPrefix(lines.Bytes(), []byte(`{"event":"status"`)) {
			var line statusLine
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				p.t.Errorf("%s printed %q: %v", p.name, lines.Text(), err)
			}
			p.events <- sceneEvent{Event: "status", Copies: line.Complete, Known: line.Known, Pending: line.Pending}
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			p.t.Errorf("%s printed %q: %v", p.name, lines.Text(), err)
		}
		e.at = time.Now()
		p.final = e
		p.events <- e
	}
	close(p.events)
}

func (p *player) readErrors(stderr io.Reader) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		p.mu.Lock()
		fmt.Fprintln(&p.stderr, lines.Text())
		p.mu.Unlock()
	}
}

func (p *player) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// untilSays waits until stderr has the text. What a program writes there before an event on stdout
// may be read after it.
func (p *player) untilSays(text string) {
	p.t.Helper()
	deadline := time.After(sceneTime)
	for !strings.Contains(p.errors(), text) {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-p.ended:
			if says := p.errors(); !strings.Contains(says, text) {
				p.t.Fatalf("%s ended without saying %q: %s", p.name, text, says)
			}
		case <-deadline:
			p.t.Fatalf("%s did not say %q: %s", p.name, text, p.errors())
		}
	}
}

// until reads events until one is wanted, which it returns.
func (p *player) until(what string, wanted func(sceneEvent) bool) sceneEvent {
	p.t.Helper()
	deadline := time.After(sceneTime)
	var last sceneEvent
	for {
		select {
		case e, ok := <-p.events:
			if !ok {
				p.t.Fatalf("%s ended before %s; it said last %+v", p.name, what, last)
			}
			p.complete = p.complete || e.Event == "complete"
			if wanted(e) {
				return e
			}
			last = e
		case <-deadline:
			p.t.Fatalf("%s: no %s in time; it said last %+v", p.name, what, last)
		}
	}
}

// untilComplete waits until the member has said that it is complete, which may have been while
// something else was waited for.
func (p *player) untilComplete() {
	p.t.Helper()
	if p.complete {
		return
	}
	p.until("complete", func(e sceneEvent) bool { return e.Event == "complete" })
}

// untilParts waits until the member has at least n parts.
func (p *player) untilParts(n int) sceneEvent {
	p.t.Helper()
	return p.until(fmt.Sprintf("%d parts", n), func(e sceneEvent) bool { return e.PartsDone >= n })
}

// stop sends a signal and returns the exit code, and how long the program took to end.
func (p *player) stop(sig os.Signal) (code int, took time.Duration) {
	p.t.Helper()
	start := time.Now()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
	return p.wait(), time.Since(start)
}

// wait returns the exit code.
func (p *player) wait() int {
	p.t.Helper()
	deadline := time.After(sceneTime)
	events := p.events
	for {
		select {
		case _, ok := <-events:
			if !ok {
				events = nil // all is read
			}
		case <-p.ended:
			return p.cmd.ProcessState.ExitCode()
		case <-deadline:
			p.t.Fatalf("%s did not end in time", p.name)
		}
	}
}

func wantEnd(t *testing.T, p *player, sig os.Signal, code int) {
	t.Helper()
	if got, took := p.stop(sig); got != code || took > stopWithin+2*time.Second {
		t.Errorf("%s: exit code %d after %v, want %d within %v", p.name, got, took, code, stopWithin)
	}
}

// One shares, five join, and every copy is the same.
func TestSpread(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, partSize string
		size           int
	}{
		{"64 MiB in 256 KiB parts", "256K", 64 << 20},
		{"16 KiB parts and a last one of 1 byte", "16K", 8<<20 + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, tt.size, tt.partSize)
			s.join("original").untilComplete()
			var members []*player
			for i := range 5 {
				members = append(members, s.join(fmt.Sprint("member", i)))
			}
			for _, m := range members {
				m.untilComplete()
				s.wantCopy(m.name)
			}
			for _, m := range members {
				wantEnd(t, m, syscall.SIGTERM, exitDone)
			}
		})
	}
}

// A part that does not verify is not offered: members get the others, and that one from somebody
// who has it good.
func TestCorruptedPartIsNotOffered(t *testing.T) {
	t.Parallel()
	const parts, bad = 64, 17
	s := newScene(t, parts*(16<<10), "16K")
	s.put("good")
	if err := flipByte(s.path("original"), bad*(16<<10)+5); err != nil {
		t.Fatal(err)
	}
	corrupted := s.join("original")
	e := corrupted.until("the bad part", func(e sceneEvent) bool { return len(e.BadParts) > 0 })
	if !slices.Equal(e.BadParts, []int{bad}) {
		t.Errorf("bad parts %v, want %v", e.BadParts, []int{bad})
	}
	member := s.join("member")
	member.untilParts(parts - 1)
	for range 3 { // it has had time to get the last one too
		if e := member.until("progress", func(e sceneEvent) bool { return e.Event == "progress" }); e.PartsDone != parts-1 {
			t.Fatalf("%d parts, want all but one of %d", e.PartsDone, parts)
		}
	}
	s.join("good")
	member.untilComplete()
	s.wantCopy("member")
	if code, _ := corrupted.stop(syscall.SIGTERM); code != exitTerm {
		t.Errorf("the sharer with a bad part exits with %d, want %d: it is not complete", code, exitTerm)
	}
	if says := corrupted.errors(); !strings.Contains(says, "part 17 of") {
		t.Errorf("the bad part is not named: %s", says)
	}
}

// joinKilledAt joins, kills the member when it has so many parts, and others, and joins again, with
// these.
func (s *scene) joinKilledAt(parts int, others ...*player) *player {
	s.t.Helper()
	member := s.join("member")
	had := member.untilParts(parts).PartsDone
	member.stop(syscall.SIGKILL)
	for _, other := range others {
		other.stop(syscall.SIGKILL)
	}
	again := s.join("member")
	e := again.until("the check's end", func(e sceneEvent) bool {
		return e.Event == "progress" && !e.Checking
	})
	if e.PartsDone < had*9/10 {
		s.t.Errorf("%d parts after the check, had %d when killed", e.PartsDone, had)
	}
	return again
}

// A member that was killed half-way goes on with what it has.
func TestKilledMemberGoesOn(t *testing.T) {
	t.Parallel()
	s := newScene(t, 32<<20, "64K")
	s.join("original", "--upload-limit", "4M").untilComplete()
	s.joinKilledAt(100).untilComplete()
	s.wantCopy("member")
}

// The conductor may go and come back: those who know each other go on, and newcomers find them
// later.
func TestConductorComesBack(t *testing.T) {
	t.Parallel()
	s := newScene(t, 32<<20, "64K")
	board := switchboard.New(t)
	board.Connect(s.address)
	s.join("original", "--upload-limit", "8M", "--conductor", board.Addr()).untilComplete()
	member := s.join("member", "--conductor", board.Addr())
	member.untilParts(50)
	s.conductor.stop(syscall.SIGKILL)
	board.Connect("")
	member.until("unreachable conductor", func(e sceneEvent) bool { return e.Event == "progress" && !e.Up })
	late := s.join("late", "--conductor", board.Addr())
	s.conduct("127.0.0.1:0")
	board.Connect(s.address)
	late.untilComplete()
	member.untilComplete()
	s.wantCopy("member")
	s.wantCopy("late")
}

// Once every part is out, the first sharer may go.
func TestFirstSharerGoes(t *testing.T) {
	t.Parallel()
	s := newScene(t, 16<<20, "64K")
	first := s.join("original")
	first.untilComplete()
	s.join("one").untilComplete()
	wantEnd(t, first, syscall.SIGINT, exitDone)
	s.join("two").untilComplete()
	s.wantCopy("two")
}

// Two cannot get one content into one folder at once.
func TestSecondJoinIsRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1<<20, "64K")
	first := s.join("member")
	first.until("start", func(e sceneEvent) bool { return e.Event == "start" })
	second := s.join("member")
	if code := second.wait(); code != exitLocked {
		t.Errorf("exit code %d, want %d", code, exitLocked)
	}
	if says := second.errors(); !strings.Contains(says, "another orchestra") {
		t.Errorf("it says %q", says)
	}
	s.join("original")
	first.untilComplete()
}

// The first signal ends a join cleanly, in the midst of it; the exit code tells which.
func TestStopBySignal(t *testing.T) {
	t.Parallel()
	s := newScene(t, 64<<20, "64K")
	s.join("original", "--upload-limit", "1M").untilComplete()
	for sig, code := range map[os.Signal]int{syscall.SIGINT: exitInt, syscall.SIGTERM: exitTerm} {
		member := s.join("member")
		member.untilParts(1)
		wantEnd(t, member, sig, code)
		if says := member.errors(); !strings.Contains(says, "stopping (") || !strings.Contains(says, "join again to go on") {
			t.Errorf("it says %q", says)
		}
	}
	wantEnd(t, s.conductor, syscall.SIGTERM, exitDone)
}

// The limits end a join by themselves.
func TestLimitsEndAJoin(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1<<20, "64K")
	if code := s.join("nobody", "--stall-timeout", "1s").wait(); code != exitStalled {
		t.Errorf("stalled: exit code %d, want %d", code, exitStalled)
	}
	hook := filepath.Join(s.dir, "hook")
	sharer := s.join("original", "--ratio", "2", "--on-complete", `printf '%s %s %s' "$ORCHESTRA_PATH" "$ORCHESTRA_CONTENT_NAME" "$ORCHESTRA_ID" > '`+hook+`'; echo heard; exit 3`)
	for _, flags := range [][]string{{"--exit"}, {"--share-for", "1s"}} {
		name := strings.Trim(flags[0], "-")
		m := s.join(name, flags...)
		m.untilComplete()
		if code := m.wait(); code != exitDone {
			t.Errorf("%v: exit code %d, want 0", flags, code)
		}
		s.wantCopy(name)
	}
	if code := sharer.wait(); code != exitDone {
		t.Errorf("--ratio: exit code %d, want 0", code)
	}
	if says := sharer.errors(); !strings.Contains(says, "heard") || !strings.Contains(says, "warning: the --on-complete command failed: exit status 3") {
		t.Errorf("it says %q", says)
	}
	got, err := os.ReadFile(hook)
	if err != nil {
		t.Fatal(err)
	}
	if want := s.path("original") + " music "; !strings.HasPrefix(string(got), want) {
		t.Errorf("the command was told %q, want %q and the ID", got, want)
	}
}

// A limit bounds what passes, all connections together: so many bytes take so long at least,
// however slow this machine is. That they take no longer is TestLimitIsSmooth's, in member, where
// no machine is in between.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	const limit = 4 << 20
	wantBounded := func(t *testing.T, start time.Time, p *player, count func(sceneEvent) int64) {
		t.Helper()
		e := p.until("enough bytes", func(e sceneEvent) bool { return count(e) >= 3*limit })
		took := time.Since(start).Seconds()
		// A tenth of a second may pass at once, and each connection may be ahead by as much.
		if most := limit * (took + 0.3); float64(count(e)) > most {
			t.Errorf("%d bytes in %.2f s, more than the %.0f that may pass", count(e), took, most)
		}
	}
	t.Run("upload", func(t *testing.T) {
		s := newScene(t, 4*limit, "64K")
		sharer := s.join("original", "--upload-limit", "4M")
		sharer.untilComplete()
		start := time.Now()
		s.join("one")
		s.join("two")
		wantBounded(t, start, sharer, func(e sceneEvent) int64 { return e.Uploaded })
	})
	t.Run("download", func(t *testing.T) {
		s := newScene(t, 4*limit, "64K")
		s.put("copy")
		s.join("original").untilComplete()
		s.join("copy").untilComplete()
		start := time.Now()
		wantBounded(t, start, s.join("limited", "--download-limit", "4M"), func(e sceneEvent) int64 { return e.Downloaded })
	})
}

// What stands in the content's place is not touched: exit code 6.
func TestSomethingElseInPlace(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1<<20, "64K")
	if err := os.WriteFile(s.path("original"), []byte("a letter"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code := s.join("original").wait(); code != exitVerify {
		t.Errorf("exit code %d, want %d", code, exitVerify)
	}
	if got, err := os.ReadFile(s.path("original")); err != nil || string(got) != "a letter" {
		t.Errorf("it is %q now: %v", got, err)
	}
}

// An address that is taken (exit code 4) and a folder that cannot be written (8).
func TestJoinCannotStart(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1<<20, "64K")
	if code := s.join("member", "--listen", s.address).wait(); code != exitNetwork {
		t.Errorf("taken address: exit code %d, want %d", code, exitNetwork)
	}
	if code := s.join("music.orch").wait(); code != exitDisk {
		t.Errorf("a file in place of the folder: exit code %d, want %d", code, exitDisk)
	}
}
