//go:build linux || darwin

package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A screenTest is a program on a terminal of its own, and what a person at it sees and does.
type screenTest struct {
	t     *testing.T
	cmd   *exec.Cmd
	tty   *os.File // the person's end
	slave *os.File // the program's
	mode  unix.Termios
	ended chan struct{}

	mu  sync.Mutex
	saw []byte
	new chan struct{} // a token when there is more
}

func onTerminal(t *testing.T, cmd *exec.Cmd, columns int) *screenTest {
	t.Helper()
	tty, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	s := &screenTest{t: t, cmd: cmd, tty: tty, slave: slave, ended: make(chan struct{}), new: make(chan struct{}, 1)}
	s.mode = s.termios()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.Env = append(os.Environ(), "TERM=xterm")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { defer close(read); s.read() }()
	go func() { _ = cmd.Wait(); close(s.ended) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-s.ended
		slave.Close()
		<-read
		tty.Close()
		if t.Failed() {
			t.Logf("the screen: %q", s.text())
		}
	})
	return s
}

func (s *screenTest) read() {
	var buf [4096]byte
	for {
		n, err := s.tty.Read(buf[:])
		s.mu.Lock()
		s.saw = append(s.saw, buf[:n]...)
		s.mu.Unlock()
		select {
		case s.new <- struct{}{}:
		default:
		}
		if err != nil {
			return // the other end is closed
		}
	}
}

func (s *screenTest) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.saw)
}

// until waits for the screen to show something after the place from, and returns the place behind
// it.
func (s *screenTest) until(what string, from int) int {
	s.t.Helper()
	pattern := regexp.MustCompile(what)
	deadline := time.After(sceneTime)
	for {
		if at := pattern.FindStringIndex(s.text()[from:]); at != nil {
			return from + at[1]
		}
		select {
		case <-s.new:
		case <-deadline:
			s.t.Fatalf("the screen never showed %q: %q", what, s.text())
		}
	}
}

// drain waits until all is on the screen that was written before: this comes last.
func (s *screenTest) drain() {
	s.t.Helper()
	const mark = "<drained>"
	if _, err := s.slave.WriteString(mark); err != nil {
		s.t.Fatal(err)
	}
	s.until(mark, 0)
}

func (s *screenTest) press(key string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(key); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screenTest) termios() unix.Termios {
	s.t.Helper()
	mode, err := unix.IoctlGetTermios(int(s.slave.Fd()), getTermios)
	if err != nil {
		s.t.Fatal(err)
	}
	return *mode
}

// untilMode waits until the terminal is (or is no more) in the mode in which it was found.
func (s *screenTest) untilMode(asFound bool) {
	s.t.Helper()
	deadline := time.After(sceneTime)
	for (s.termios() == s.mode) != asFound {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			s.t.Fatalf("the terminal's mode as it was found: %v, want %v", !asFound, asFound)
		}
	}
}

// untilStopped waits as a shell does: who lets a program go on before it has stopped waits for it
// for ever. One that does not stop in time is killed.
func (s *screenTest) untilStopped() {
	s.t.Helper()
	defer time.AfterFunc(sceneTime, func() { _ = s.cmd.Process.Kill() }).Stop()
	var status syscall.WaitStatus
	_, err := syscall.Wait4(s.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	for err == syscall.EINTR {
		_, err = syscall.Wait4(s.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	}
	if err != nil || !status.Stopped() {
		s.t.Fatalf("it did not stop: status %#x, %v", status, err)
	}
}

// wantEnd waits for the end, with the exit code and the terminal as it was found.
func (s *screenTest) wantEnd(code int) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(sceneTime):
		s.t.Fatal("it did not end in time")
	}
	s.drain()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	if s.termios() != s.mode {
		s.t.Error("the terminal is not as it was found")
	}
}

// newConcert is a composition that nobody shares.
func newConcert(t *testing.T) (orch, dir string) {
	t.Helper()
	dir = t.TempDir()
	music := filepath.Join(dir, "music")
	if err := os.WriteFile(music, randomBytes(100_000), 0o644); err != nil {
		t.Fatal(err)
	}
	orch = music + ".orch"
	if text, err := orchestra(t, "compose", music, "-q", "-s", "16K", "127.0.0.1:1").CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	return orch, dir
}

func joinOnTerminal(t *testing.T, columns int, flags ...string) *screenTest {
	t.Helper()
	orch, dir := newConcert(t)
	arguments := append([]string{"join", orch, "--listen", "127.0.0.1:0", "--dir", filepath.Join(dir, "copy")}, flags...)
	return onTerminal(t, orchestra(t, arguments...), columns)
}

// The bar, and q, on a terminal.
func TestTerminalQuit(t *testing.T) {
	s := joinOnTerminal(t, 80)
	s.until(`joining music: 97\.7 KiB in 7 parts, listening on [0-9.:]+; q ends it\r\n`, 0)
	s.until(`\r\x1b\[Kmusic (\[ +\]   0% |0% waiting: )`, 0)
	s.untilMode(false)
	s.press("x")
	s.press("q")
	s.wantEnd(exitStopped)
	if got := s.text(); !strings.Contains(got, "stopping (q)") || !strings.Contains(got, "music is not complete") {
		t.Errorf("it says %q", got)
	}
	if strings.Contains(s.text(), "x\r\n") {
		t.Error("what was typed was shown")
	}
}

// The only one that has everything, which others need, ends with the second q.
func TestTerminalQuitOfTheOnlyOne(t *testing.T) {
	t.Parallel()
	s := newScene(t, 8<<20, "64K")
	sharer := onTerminal(t, orchestra(t, "join", s.orch, "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, "original"), "--upload-limit", "64K"), 120)
	sharer.until(`music \[=+>\] 100% sharing .{10} no members`, 0)
	s.join("member")
	at := sharer.until(`music \[=+>\] 100% sharing .{10} 0 of 1 complete`, 0)
	sharer.press("q")
	at = sharer.until(`warning: nobody else has everything, and the other member still needs it; q once more ends\r\n`, at)
	sharer.until(`0 of 1 complete`, at)
	sharer.press("q")
	sharer.wantEnd(exitDone)
}

// Ctrl-C works while the key is read.
func TestTerminalInterrupt(t *testing.T) {
	s := joinOnTerminal(t, 80)
	s.untilMode(false)
	s.press("\x03")
	s.wantEnd(exitInt)
}

func TestTerminalNoInput(t *testing.T) {
	s := joinOnTerminal(t, 80, "--no-input")
	s.until(` 0% `, 0)
	if s.termios() != s.mode {
		t.Error("the mode was changed")
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	s.wantEnd(exitTerm)
}

// The bar never fills its line, whatever the width.
func TestTerminalWidths(t *testing.T) {
	for _, columns := range []int{0, 1, 2, 10, 20, 40, 200} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			s := joinOnTerminal(t, columns)
			s.until(`\r\x1b\[K`, s.until(`\r\x1b\[K`, 0))
			s.untilMode(false)
			s.press("q")
			s.wantEnd(exitStopped)
			if columns == 0 {
				columns = unknownWidth
			}
			for _, drawn := range strings.Split(s.text(), toLineStart)[1:] {
				if !strings.Contains(drawn, "\n") && len(drawn) >= columns {
					t.Errorf("the bar %q is %d columns wide on %d", drawn, len(drawn), columns)
				}
			}
		})
	}
}

// Ctrl-Z gives the terminal back, and the program goes on afterwards.
func TestTerminalSuspend(t *testing.T) {
	s := joinOnTerminal(t, 80)
	s.until(` 0% `, 0)
	for range 2 {
		s.untilMode(false)
		s.press("\x1a")
		s.untilStopped()
		if s.termios() != s.mode {
			t.Error("it stopped, and the terminal is not as it was found")
		}
		at := len(s.text())
		if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		s.until(` 0% `, at)
	}
	s.untilMode(false)
	s.press("q")
	s.wantEnd(exitStopped)
}

// In the background nothing is drawn and no key is read, and the program is not stopped for trying.
func TestTerminalBackground(t *testing.T) {
	t.Parallel()
	orch, dir := newConcert(t)
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("job control needs bash")
	}
	join := orchestra(t, "join", orch, "--listen", "127.0.0.1:0", "--dir", filepath.Join(dir, "copy"), "--stall-timeout", "2s")
	shell := exec.CommandContext(t.Context(), bash, append([]string{"--norc", "-c", `set -m; "$@" & wait $!; echo "ended with $?"`, "bash"}, join.Args...)...)
	shell.Env = os.Environ()
	s := onTerminal(t, shell, 80)
	s.until("joining music", 0)
	s.press("q")
	s.until(fmt.Sprintf("ended with %d", exitStalled), 0)
	if strings.Contains(s.text(), toLineStart) {
		t.Error("it drew a bar")
	}
}

// A dumb terminal has lines.
func TestTerminalPlain(t *testing.T) {
	s := joinOnTerminal(t, 80, "--progress", "plain", "--stall-timeout", "1s")
	s.wantEnd(exitStalled)
	if strings.Contains(s.text(), "\x1b") {
		t.Error("there are escapes among the lines")
	}
}

// The content is not written to a terminal.
func TestTerminalIsNotForContent(t *testing.T) {
	s := joinOnTerminal(t, 200, "--stdout")
	s.wantEnd(exitUsage)
	if want := "--stdout would fill the terminal with the content; pipe it into a program, or redirect it"; !strings.Contains(s.text(), want) {
		t.Errorf("it does not say %q", want)
	}
}

// A panic leaves the terminal as it was.
func TestTerminalPanic(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("orchestra-panic")
	if err != nil {
		t.Fatal(err)
	}
	s := onTerminal(t, exec.CommandContext(t.Context(), path), 80)
	s.wantEnd(2)
	if got := s.text(); !strings.Contains(got, "grabbed") || !strings.Contains(got, "panic: wrong note") {
		t.Errorf("it says %q", got)
	}
}

// terminalPrograms are programs that the test binary is besides.
func terminalPrograms() map[string]func() {
	return map[string]func(){"orchestra-panic": panicOnTerminal}
}

// panicOnTerminal panics while the terminal is in the mode for the key.
func panicOnTerminal() {
	t := newTerminal(os.Stdin, os.Stderr)
	defer t.restoreInPanic()
	if t.hasKeyboard() {
		t.line("grabbed")
	}
	panic("wrong note")
}

// The second signal ends the program at once, and the user's command with it.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1<<20, "64K")
	pid := filepath.Join(s.dir, "pid")
	p := s.join("original", "--on-complete", `trap "" TERM; echo $$ > `+pid+`.new; mv `+pid+`.new `+pid+`; echo stubborn; sleep 1000`)
	p.untilComplete()
	p.untilSays("stubborn")
	start := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	p.untilSays("stopping (SIGINT)")
	if code, _ := p.stop(syscall.SIGTERM); code != exitTerm || time.Since(start) > stopWithin {
		t.Errorf("exit code %d after %v, want %d at once", code, time.Since(start), exitTerm)
	}
	number, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	var group int
	fmt.Sscan(string(bytes.TrimSpace(number)), &group)
	deadline := time.Now().Add(sceneTime)
	for syscall.Kill(-group, 0) == nil {
		if time.Now().After(deadline) {
			t.Fatal("the user's command is still there")
		}
		<-time.After(10 * time.Millisecond)
	}
}

// A signal that was ignored when the program started stays ignored: nohup, and scripts, see to
// that.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1<<20, "64K")
	for name, start := range map[string]struct {
		ignored string
		signals []syscall.Signal
		code    int
	}{
		"nohup":               {"HUP", []syscall.Signal{syscall.SIGHUP, syscall.SIGINT}, exitInt},
		"a script's":          {"INT", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, exitTerm},
		"nohup in a script's": {"HUP INT", []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM}, exitTerm},
	} {
		join := orchestra(t, "join", "--json", "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, strings.Fields(name)[0]), s.orch)
		shell := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", `trap "" ` + start.ignored + `; exec "$@"`, "sh"}, join.Args...)...)
		p := s.start(shell)
		p.name = name
		p.until("start", func(e sceneEvent) bool { return e.Event == "start" })
		var code int
		for i, sig := range start.signals {
			if i < len(start.signals)-1 {
				if err := p.cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				continue
			}
			code, _ = p.stop(sig) // of several that are pending, the lowest number comes first
		}
		if says := p.errors(); code != start.code || strings.Count(says, "stopping (") != 1 {
			t.Errorf("%s: exit code %d, want %d; it says %s", name, code, start.code, says)
		}
	}
}
