package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"orchestra/internal/cli/hosts"
)

// Ten members, each on a host of its own, get what nginx alone has. All lines carry 40 Mbit/s each
// way. nginx's log says what it sent: one copy and little more.
func TestTenMembersFromOneWebServer(t *testing.T) {
	t.Parallel()
	nginx := findNginx(t)
	const members, size, line = 10, 16 << 20, 40
	names := []string{"conductor", "web"}
	for i := range members {
		names = append(names, fmt.Sprint("m", i))
	}
	star := hosts.NewStar(t, names...)
	s := newLabScene(t, star.Lab, size)
	log := s.serveByNginx(nginx, "web")
	url := "http://" + star.Address("web") + ":8080/music"

	// Composed by URL before the lines are narrow: once read.
	s.orch = filepath.Join(s.dir, "music.orch")
	compose := star.On("conductor", orchestra(t, "compose", url, "-q", "-s", "256K",
		"-c", star.Address("conductor")+":9999", "-o", s.orch))
	if text, err := compose.CombinedOutput(); err != nil {
		t.Fatalf("compose: %v: %s", err, text)
	}
	before := bytesSent(t, log)
	if before < size || before > size+1<<20 {
		t.Errorf("compose had nginx send %d bytes", before)
	}

	for i, name := range names {
		limit := fmt.Sprintf("root tbf rate %dmbit burst 128k latency 60ms", line)
		star.Do(fmt.Sprintf("ip netns exec @%s tc qdisc add dev eth0 %s\n"+
			"ip netns exec @router tc qdisc add dev port%d %s", name, limit, i+1, limit))
	}
	s.conductOn("conductor")
	begun := time.Now()
	var players []*player
	for _, name := range names[2:] {
		players = append(players, s.on(name, "join", "--json", "--dir", filepath.Join(s.dir, name), s.orch))
	}
	for _, p := range players {
		p.untilComplete()
		s.wantCopy(p.name)
	}
	took := time.Since(begun)
	copies := float64(bytesSent(t, log)-before) / size
	alone := time.Duration(float64(size) * 8 / (line * 1e6) * float64(time.Second))
	t.Logf("%d members took %.2f times what the line takes for one copy; nginx sent %.3f copies",
		members, took.Seconds()/alone.Seconds(), copies)
	most := 1.2
	if took > alone*3/2 { // the machine is busy: members take each other for gone
		most = 2
	}
	if copies < 1 || copies > most {
		t.Errorf("nginx sent %.3f copies, want %.1f at most", copies, most)
	}
	if took > 3*alone { // far from it, but a machine may be busy
		t.Errorf("all took %v, one copy takes %v", took, alone)
	}
}

func findNginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const why = "there is no nginx (Debian: nginx-light)"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// serveByNginx has nginx serve the original on a host, at port 8080, and returns the path of its
// log: what each request was answered, and how many bytes were sent.
func (s *labScene) serveByNginx(nginx, host string) (log string) {
	s.t.Helper()
	dir := s.t.TempDir()
	log = filepath.Join(dir, "access.log")
	settings := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`worker_processes 1; daemon off; user root; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http {
	log_format sent '$status $bytes_sent';
	access_log %[1]s/access.log sent;
	client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3;
	uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
	sendfile on;
	server { listen 8080; root %[2]s; }
}
`, dir, filepath.Join(s.dir, "original"))
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.lab.On(host, exec.Command(nginx, "-c", settings, "-p", dir, "-e", filepath.Join(dir, "error.log")))
	var says strings.Builder
	cmd.Stdout, cmd.Stderr = &says, &says
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		// it is written after it listens
		if _, err := os.Stat(filepath.Join(dir, "pid")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("nginx does not start: %s", &says)
		}
	}
	return log
}

// bytesSent is what a log says was sent, in all.
func bytesSent(t *testing.T, log string) (sum int64) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		_, sent, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(sent, 10, 64)
		if err != nil {
			t.Fatalf("the log says %q", line)
		}
		sum += n
	}
	return sum
}
