package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"orchestra/orch"
)

// newPrivateScene is newScene with a private swarm, whose key is beside the .orch file. The
// conductor logs all that it can.
func newPrivateScene(t *testing.T, size int) (s *scene, key string) {
	t.Helper()
	s = &scene{t: t, dir: t.TempDir(), content: randomBytes(size)}
	s.put("original")
	s.orch = filepath.Join(s.dir, "music.orch")
	compose := orchestra(t, "compose", "--private", s.path("original"), "-q", "-s", "64K", "-c", "127.0.0.1:1", "-o", s.orch)
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "swarm.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.conductor = s.start(orchestra(t, "conduct", "--json", "-v", "--listen", "127.0.0.1:0",
		"--key-file", filepath.Join(s.dir, "swarm.key"), "--publish", s.orch, "--no-announce"))
	s.conductor.until("listening", func(e sceneEvent) bool { s.address = e.Address; return e.Event == "listening" })
	return s, strings.TrimSpace(string(text))
}

// Members with the key get it, by the file and by a URL, and status tells of them. Nobody finds the
// key in what any of them prints, logs or was started with.
func TestPrivateScene(t *testing.T) {
	s, key := newPrivateScene(t, 1<<20)
	logs := filepath.Join(s.dir, "log")
	flags := []string{"-v", "--log-file", logs, "--conductor", s.address}
	sharer := s.join("original", flags...)
	sharer.untilComplete()
	getter := s.join("getter", append(flags, "--exit")...)
	if code := getter.wait(); code != exitDone {
		t.Errorf("join: exit code %d: %s", code, getter.errors())
	}
	s.wantCopy("getter")
	t.Setenv("ORCHESTRA_KEY_FILE", filepath.Join(s.dir, "swarm.key"))
	quiet := s.get("quiet", "http://"+s.address+"/music.orch", "-v", "--exit")
	if code := quiet.wait(); code != exitDone {
		t.Errorf("get with the key in a file: exit code %d: %s", code, quiet.errors())
	}
	s.wantCopy("quiet")
	all, err := orchestra(t, "status", s.address).CombinedOutput()
	if err != nil || !bytes.Contains(all, []byte("music (")) {
		t.Errorf("with the key, status says %s, %v", all, err)
	}
	os.Unsetenv("ORCHESTRA_KEY_FILE")
	all, err = orchestra(t, "status", s.address).CombinedOutput()
	if err != nil || bytes.Contains(all, []byte("music")) {
		t.Errorf("without the key, status says %s, %v", all, err)
	}
	if text, err := orchestra(t, "status", s.orch, "--json").CombinedOutput(); err == nil {
		t.Errorf("a conductor that is not there answers %s", text)
	}
	for _, p := range []*player{sharer, s.conductor} {
		words, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "cmdline"))
		if err == nil && bytes.Contains(words, []byte(key)) {
			t.Error("the key stands in the command line")
		}
	}
	wantEnd(t, sharer, syscall.SIGTERM, exitDone)
	wantEnd(t, s.conductor, syscall.SIGTERM, exitDone)
	for _, p := range []*player{sharer, getter, quiet, s.conductor} {
		if strings.Contains(p.errors(), key) {
			t.Errorf("%s printed the key", p.name)
		}
	}
	if text, err := os.ReadFile(logs); err != nil || bytes.Contains(text, []byte(key)) || len(text) == 0 {
		t.Errorf("the log has the key, or is none: %v", err)
	}
}

// The line that share prints is enough, and says nothing else to anybody.
func TestPrivateShare(t *testing.T) {
	t.Parallel()
	s := sharedScene(t, 1<<20)
	sharer, at := s.share("--private", "--until-copies", "3", "-v")
	address, key, ok := strings.Cut(at, "#")
	if !ok || strings.Contains(address, "music") {
		t.Fatalf("it is at %s", at)
	}
	other := orchestra(t, "get", "--exit", "--dir", filepath.Join(s.dir, "none"), address)
	if text, err := other.CombinedOutput(); err == nil || !bytes.Contains(text, []byte("404")) {
		t.Errorf("without the key: %v, %s", err, text)
	}
	first := s.get("first", at, "-v")
	second := s.get("second", strings.TrimSuffix(address, filepath.Base(address))+"#"+key, "-v")
	for _, p := range []*player{first, second, sharer} {
		if code := p.wait(); code != exitDone {
			t.Errorf("%s: exit code %d: %s", p.name, code, p.errors())
		}
		if strings.Contains(p.errors(), key) {
			t.Errorf("%s printed the key", p.name)
		}
	}
	s.wantCopy("first")
	s.wantCopy("second")
	if left := filesIn(t, s.dir); len(left) != 3 {
		t.Errorf("there are %v: neither writes a key", left)
	}
}

// One process joins what it finds in folders, each with the key that lies there.
func TestPrivateFolders(t *testing.T) {
	t.Parallel()
	s, _ := newPrivateScene(t, 200<<10)
	sharer := s.join("original", "--conductor", s.address)
	sharer.untilComplete()
	f, err := orch.Open(s.orch)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(s.dir, "orchs")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := orch.WriteFile(filepath.Join(folder, "music.orch"), f); err != nil {
		t.Fatal(err)
	}
	many := s.start(orchestra(t, "join", "--json", "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, "many"),
		"--conductor", s.address, "--exit", folder))
	if code := many.wait(); code != exitInput || !strings.Contains(many.errors(), "there is no key in") {
		t.Errorf("without the key: exit code %d: %s", code, many.errors())
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "swarm.key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "swarm.key"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	many = s.start(orchestra(t, "join", "--json", "--listen", "127.0.0.1:0", "--dir", filepath.Join(s.dir, "many"),
		"--conductor", s.address, "--exit", folder))
	if code := many.wait(); code != exitDone {
		t.Errorf("with the key: exit code %d: %s", code, many.errors())
	}
	s.wantCopy("many")
}
