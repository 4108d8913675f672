package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// A guestProgram is another BitTorrent program. To add one is to write a file like those of
// guestPrograms, with its way to be configured and told what to open.
type guestProgram struct {
	name  string
	needs []debianProgram
	// start lets the program open g.torrent with the content in g.dir, check what is there, get
	// the rest and share, until it is killed: without DHT, local discovery and port mapping.
	start func(g *guest)
	// noEmpty is of programs that make no empty files.
	noEmpty bool
	// cannot has scenes by name that the program is not up to, and why.
	cannot map[string]string
}

var guestPrograms = []guestProgram{aria2, qbittorrent, transmission, rtorrent, deluge}

// A guest is a program that runs on a host of its own.
type guest struct {
	s       *interopStage
	name    string // of the guest and its host
	home    string // for its configuration
	dir     string // for the content
	torrent string
}

// guest starts the scene's program on the host of that name.
func (s *interopStage) guest(name string) {
	s.t.Helper()
	g := &guest{s: s, name: name, home: filepath.Join(s.dir, name+".home"), dir: s.dirOf(name), torrent: s.torrent}
	for _, dir := range []string{g.home, g.dir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	s.program.start(g)
}

// write puts a file of configuration under the home.
func (g *guest) write(name, format string, values ...any) (path string) {
	g.s.t.Helper()
	path = filepath.Join(g.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		g.s.t.Fatal(err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, format, values...), 0o644); err != nil {
		g.s.t.Fatal(err)
	}
	return path
}

// command is of a program of the guest.
func (g *guest) command(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(name, arguments...)
	cmd.Dir, cmd.Env = g.home, append(os.Environ(), "HOME="+g.home, "XDG_CONFIG_HOME="+g.home)
	return cmd
}

// run starts the program itself.
func (g *guest) run(name string, arguments ...string) {
	g.s.t.Helper()
	g.s.run(g.name, g.command(name, arguments...))
}

// tell runs a program that tells the first one something, until it could.
func (g *guest) tell(name string, arguments ...string) {
	g.s.t.Helper()
	g.s.until("hearing of "+g.name, func() error {
		text, err := g.s.star.On(g.name, g.command(name, arguments...)).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", name, err, text)
		}
		return err
	})
}

// run starts a program that is not ours on a host. Its output is shown if the test fails, and it
// ends with the test.
func (s *interopStage) run(host string, cmd *exec.Cmd) {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.dir, host+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd = s.star.On(host, cmd)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		log.Close()
		showEnd(s.t, host, log.Name())
	})
}

// showEnd logs the end of a program's output if the test failed.
func showEnd(t *testing.T, name, path string) {
	if text, err := os.ReadFile(path); t.Failed() && err == nil {
		t.Logf("%s: %s", name, text[max(0, len(text)-4000):])
	}
}
