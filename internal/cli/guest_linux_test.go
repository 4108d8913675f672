package cli

import (
	"fmt"
	"net"
	"net/netip"
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
	// pads is of programs that take padding files for files like others, and the content for
	// incomplete without them.
	pads bool
	// cannot has what of scenes, as in interopScene.values, the program is not up to, and why.
	cannot map[string]string
}

var guestPrograms = []guestProgram{deluge, transmission, libtorrent, qbittorrent, aria2, rtorrent}

// A guest is a program that runs on the host of its name.
type guest struct {
	s       *interopStage
	name    string
	home    string // for its configuration
	dir     string // for the content
	torrent string // what it opens: a torrent's path, or a magnet link
}

// guest lets the scene's program open a torrent or a magnet link.
func (s *interopStage) guest(name, torrent string) {
	s.t.Helper()
	g := &guest{
		s: s, name: name, home: filepath.Join(s.dir, name+".home"), dir: s.dirOf(name), torrent: torrent,
	}
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

// tell tells the program what to do when it listens at a port for that.
func (g *guest) tell(port uint16, what func(net.Conn) error) {
	g.s.t.Helper()
	var conn net.Conn
	g.s.until(g.name+" that can be told anything", func() (err error) {
		conn, err = g.s.dial(g.name, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port))
		return err
	})
	defer conn.Close()
	if err := what(conn); err != nil {
		g.s.t.Fatalf("%s is told what to open: %v", g.name, err)
	}
}

// run starts a program that is not ours on the host of a name. Its output is shown if the test
// fails, and it ends with the test.
func (s *interopStage) run(name string, cmd *exec.Cmd) {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.dir, name+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd = s.on(name, cmd)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		log.Close()
		showEnd(s.t, name, log.Name())
	})
}

// showEnd logs the beginning and the end of a program's output if the test failed.
func showEnd(t *testing.T, name, path string) {
	const most = 4000
	text, err := os.ReadFile(path)
	if !t.Failed() || err != nil {
		return
	}
	if len(text) > 2*most {
		t.Logf("%s begins: %s", name, text[:most])
		text = text[len(text)-most:]
	}
	t.Logf("%s: %s", name, text)
}
