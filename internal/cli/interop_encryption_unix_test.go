//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Other programs that are set to take and to open encrypted connections only. They choose their
// ports themselves.

// An encrypting program is told so by what starts it. Its configuration is under home.
type encrypting struct {
	name, debian string
	command      func(t *testing.T, home, dir, torrent string) *exec.Cmd
}

var encryptingPrograms = []encrypting{
	{"aria2c", "aria2", func(_ *testing.T, _, dir, torrent string) *exec.Cmd {
		return exec.Command("aria2c", "--no-conf", "--enable-dht=false", "--bt-enable-lpd=false",
			"--seed-ratio=0.0", "--file-allocation=none", "--check-integrity=true",
			"--summary-interval=0", "--bt-require-crypto=true", "--bt-min-crypto-level=arc4",
			"-d", dir, torrent)
	}},
	{"qbittorrent-nox", "qbittorrent-nox", func(t *testing.T, home, dir, torrent string) *exec.Cmd {
		writeSettings(t, filepath.Join(home, "qBittorrent/config/qBittorrent.conf"), `[LegalNotice]
Accepted=true
[BitTorrent]
Session\BTProtocol=TCP
Session\DHTEnabled=false
Session\LSDEnabled=false
Session\PeXEnabled=false
Session\Encryption=1
Session\DefaultSavePath=%s
Session\Port=0
Session\QueueingSystemEnabled=false
[Network]
PortForwardingEnabled=false
[Preferences]
WebUI\Address=127.0.0.1
WebUI\Port=0
`, dir)
		return exec.Command("qbittorrent-nox", "--profile="+home, "--save-path="+dir,
			"--skip-dialog=true", torrent)
	}},
	{"transmission-daemon", "transmission-daemon", func(t *testing.T, home, dir, torrent string) *exec.Cmd {
		watched := filepath.Join(home, "watched")
		writeSettings(t, filepath.Join(home, "settings.json"), `{
"dht-enabled": false, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
"port-forwarding-enabled": false, "rpc-enabled": false, "peer-port-random-on-start": true,
"encryption": 2, "rename-partial-files": false, "download-dir": %q,
"watch-dir-enabled": true, "watch-dir": %q
}`, dir, watched)
		text, err := os.ReadFile(torrent)
		if err != nil {
			t.Fatal(err)
		}
		writeSettings(t, filepath.Join(watched, "it.torrent"), "%s", text)
		return exec.Command("transmission-daemon", "--foreground", "--config-dir", home)
	}},
	{"rtorrent", "rtorrent", func(t *testing.T, home, dir, torrent string) *exec.Cmd {
		settings := writeSettings(t, filepath.Join(home, "rtorrent.rc"), `
session.path.set=%s
directory.default.set=%s
network.port_random.set=yes
dht.mode.set=disable
trackers.use_udp.set=no
protocol.pex.set=no
protocol.encryption.set=allow_incoming,try_outgoing,require,require_RC4
system.daemon.set=true
load.start_verbose=%s
`, home, dir, torrent)
		return exec.Command("rtorrent", "-n", "-o", "import="+settings)
	}},
}

func writeSettings(t *testing.T, path, format string, values ...any) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, format, values...), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInteropEncryption(t *testing.T) {
	if os.Getenv("ORCHESTRA_TEST_INTEROP") == "" {
		t.Skip("runs with other BitTorrent programs: make interop")
	}
	for _, program := range encryptingPrograms {
		t.Run(program.name, func(t *testing.T) {
			if _, err := exec.LookPath(program.name); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatalf("%s is missing (Debian: %s)", program.name, program.debian)
				}
				t.Skipf("%s is missing (Debian: %s)", program.name, program.debian)
			}
			t.Run("gets", func(t *testing.T) {
				s := newEncryptionScene(t)
				s.join("original").untilComplete()
				program.play(s)
				s.untilGuestHas()
			})
			t.Run("gives", func(t *testing.T) {
				s := newEncryptionScene(t)
				s.put("guest")
				program.play(s)
				s.join("member").untilComplete()
				s.wantCopy("member")
			})
		})
	}
}

// newEncryptionScene is a scene with a torrent of the file.
func newEncryptionScene(t *testing.T) *scene {
	t.Helper()
	s := newScene(t, 8<<20+12345, "256K")
	compose := orchestra(t, "compose", s.path("original"), "-q", "--torrent", "-s", "256K",
		"-c", s.address, "-o", s.orch)
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	return s
}

// play starts the program as the guest, with its output in a file, and ends it with the test.
func (p encrypting) play(s *scene) {
	s.t.Helper()
	dir, home := filepath.Join(s.dir, "guest"), s.t.TempDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(s.dir, "guest.log"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := p.command(s.t, home, dir, s.path("original")+".torrent")
	cmd.Dir, cmd.Env = home, append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		log.Close()
		if text, err := os.ReadFile(log.Name()); s.t.Failed() && err == nil {
			s.t.Logf("%s: %s", p.name, text[max(0, len(text)-4000):])
		}
	})
}

// untilGuestHas waits until the guest, which does not say so, has the whole content.
func (s *scene) untilGuestHas() {
	s.t.Helper()
	deadline := time.After(sceneTime)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if got, err := os.ReadFile(s.path("guest")); err == nil && bytes.Equal(got, s.content) {
				return
			}
		case <-deadline:
			s.t.Fatalf("the guest has not got the content in %v", sceneTime)
		}
	}
}
