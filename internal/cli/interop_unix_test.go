//go:build unix

package cli

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"orchestra/orch"
)

// Other programs as guests in the orchestra, unmodified: each gets a file from an Orchestra member
// and gives one to an Orchestra member, with the conductor as its tracker. It takes some seconds a
// guest, so it runs for `make interop` only.

// A guestProgram starts another BitTorrent program on a torrent file, with its content in dir.
type guestProgram struct {
	name, debian string
	command      func(t *testing.T, dir, torrent string, port int) *exec.Cmd
}

var guestPrograms = []guestProgram{
	{"aria2c", "aria2", func(_ *testing.T, dir, torrent string, port int) *exec.Cmd {
		return exec.Command("aria2c", "--enable-dht=false", "--bt-enable-lpd=false", "--seed-ratio=0.0", "--file-allocation=none",
			"--check-integrity=true", "--summary-interval=0", fmt.Sprintf("--listen-port=%d", port), "-d", dir, torrent)
	}},
	{"qbittorrent-nox", "qbittorrent-nox", func(t *testing.T, dir, torrent string, port int) *exec.Cmd {
		profile := t.TempDir()
		config := filepath.Join(profile, "qBittorrent", "config")
		if err := os.MkdirAll(config, 0o755); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("[LegalNotice]\nAccepted=true\n[BitTorrent]\nSession\\BTProtocol=TCP\nSession\\DHTEnabled=false\nSession\\LSDEnabled=false\n"+
			"Session\\PeXEnabled=false\nSession\\DefaultSavePath=%s\nSession\\Port=%d\nSession\\QueueingSystemEnabled=false\n"+
			"[Preferences]\nWebUI\\LocalHostAuth=false\nWebUI\\Address=127.0.0.1\n", dir, port)
		if err := os.WriteFile(filepath.Join(config, "qBittorrent.conf"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("qbittorrent-nox", "--profile="+profile, "--save-path="+dir, "--skip-dialog=true",
			fmt.Sprintf("--webui-port=%d", freePort(t)), torrent)
		cmd.Env = append(os.Environ(), "HOME="+profile)
		return cmd
	}},
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// play starts the guest, with its output in a file, and ends it with the test.
func (g guestProgram) play(s *scene, name string) {
	s.t.Helper()
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(s.dir, name+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := g.command(s.t, dir, s.path("original")+".torrent", freePort(s.t))
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
			s.t.Logf("%s: %s", g.name, text[max(0, len(text)-4000):])
		}
	})
}

// newInteropScene is a scene with a torrent of the file.
func newInteropScene(t *testing.T) *scene {
	t.Helper()
	s := newScene(t, 24<<20+12345, "256K")
	compose := orchestra(t, "compose", s.path("original"), "-q", "--torrent", "-s", "256K", "-c", s.address, "-o", s.orch)
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	return s
}

func TestInterop(t *testing.T) {
	if os.Getenv("ORCHESTRA_TEST_INTEROP") == "" {
		t.Skip("runs with other BitTorrent programs: make interop")
	}
	t.Run("folder", interopFolder)
	for _, g := range guestPrograms {
		t.Run(g.name, func(t *testing.T) {
			if _, err := exec.LookPath(g.name); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatalf("%s is missing (Debian: %s)", g.name, g.debian)
				}
				t.Skipf("%s is missing (Debian: %s)", g.name, g.debian)
			}
			t.Run("gets", func(t *testing.T) {
				s := newInteropScene(t)
				s.join("original").untilComplete()
				start := time.Now()
				g.play(s, "guest")
				s.untilCopied("guest")
				t.Logf("%s got the file in %.1f s", g.name, time.Since(start).Seconds())
			})
			t.Run("gives", func(t *testing.T) {
				s := newInteropScene(t)
				s.put("guest")
				start := time.Now()
				g.play(s, "guest")
				s.join("member").untilComplete()
				s.wantCopy("member")
				t.Logf("%s gave the file in %.1f s", g.name, time.Since(start).Seconds())
			})
		})
	}
}

// interopFolder compares the torrent of a folder with mktorrent's: the same files in the same
// order, and the same info-hash.
func interopFolder(t *testing.T) {
	if _, err := exec.LookPath("mktorrent"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("mktorrent is missing (Debian: mktorrent)")
		}
		t.Skip("mktorrent is missing (Debian: mktorrent)")
	}
	s := newFolderScene(t, 64<<10)
	theirs := filepath.Join(s.dir, "theirs.torrent")
	if text, err := exec.Command("mktorrent", "-l", "18", "-a", "http://"+s.address+"/announce", "-o", theirs, s.path("original")).CombinedOutput(); err != nil {
		t.Fatalf("mktorrent: %v: %s", err, text)
	}
	composed := filepath.Join(s.dir, "composed.orch")
	if text, err := orchestra(t, "compose", s.path("original"), "-q", "--torrent", "-s", "256K", "-c", s.address, "-o", composed).CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	info := func(path string) []byte {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, after, found := bytes.Cut(text, []byte("4:info")) // the last key of both
		if !found {
			t.Fatalf("%s has no info dictionary", path)
		}
		return bytes.TrimSuffix(after, []byte("e"))
	}
	want := info(theirs)
	if !bytes.Equal(info(s.path("original")+".torrent"), want) {
		t.Error("the info dictionary is not mktorrent's")
	}
	f, err := orch.Open(composed)
	if err != nil {
		t.Fatal(err)
	}
	if sum := orch.ID(sha1.Sum(want)); f.ID() != sum {
		t.Errorf("ID %v, mktorrent's %v", f.ID(), sum)
	}
}

// untilCopied waits until a guest, which does not say so, has the whole content.
func (s *scene) untilCopied(name string) {
	s.t.Helper()
	deadline := time.After(sceneTime)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if got, err := os.ReadFile(s.path(name)); err == nil && bytes.Equal(got, s.content) {
				return
			}
		case <-deadline:
			s.t.Fatalf("%s has not got the content in %v", name, sceneTime)
		}
	}
}
